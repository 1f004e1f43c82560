// SPDX-License-Identifier: MIT
// Runs a simulation in a thread; its files are written whole or not at all.
//
// Both files are written beside and renamed at the end; an interruption or an error takes them away.

import { accessSync, closeSync, constants, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { runSimulation, type SimulationResult } from "../../host-sim/simulation.ts";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { runScenario, type Scenario, type Verdict } from "../../host-sim/scenario.ts";
import { type Plant, readPlant, toPlantPlan } from "../build/plant.ts";
import { readScenario } from "../build/scenario.ts";
import type { Engine } from "../cli/engine.ts";
import { about, EXIT_NOT_FOUND, Failure, systemCode } from "../cli/failure.ts";
import { createProgress, tellCompiling } from "../cli/progress.ts";
import { runApart } from "./apart.ts";
import { asFailure, putOnChips, refuseFaults } from "./chips.ts";
import { tellPolls } from "./polls.ts";
import { packScripts, type Script, startScripts } from "./scripts.ts";
import { markOfWriter, refuseNoFile, writeAs } from "./together.ts";

const WRITE_BYTES = 1 << 16; // gathers trace lines, so that a line is no system call

export interface SimulateOptions {
  seed: number;
  forMs: number;
  loss: number;
  duplicate: number;
  reorder: number;
  trace?: string;
  pcap?: string;
  engine?: Engine; // what runs the modules; absent: wasm
  board?: string; // of a chip
  /** A file of expectations in place of length and network faults. */
  scenario?: { file: string; plant?: string; seed?: number; forMs?: number };
}

/** What a run gave; with a scenario also what was expected. */
export interface Simulated {
  result: SimulationResult;
  verdicts: Verdict[];
}

interface Work {
  plan: PlantPlan;
  scenario: Scenario | undefined;
  options: SimulateOptions;
  scripts: Script[]; // of engines js and duktape
  mark: string; // ends the names of the files until they are whole
}

/** Builds the plant and simulates it; SIGINT ends it at once and leaves no file. */
export async function simulate(
  path: string,
  options: SimulateOptions,
  signal: AbortSignal,
): Promise<Simulated> {
  const files = [options.trace, options.pcap].filter((file) => file !== undefined);
  files.forEach(refuseUnwritable);
  const { plant, scenario } = readInput(path, options);
  if (options.engine === "chip" && Array.isArray(scenario?.faults)) refuseFaults(scenario.faults);
  const plan = await tellCompiling(async (compiling) => {
    if (options.engine !== "chip") return toPlantPlan(plant, { signal, compiling });
    const build = { signal, compiling, board: options.board ?? "pico" };
    return putOnChips(plant, await toPlantPlan(plant, build), build);
  });
  tellPolls(plan);
  const scripts = packScripts(plan, options.engine);
  const mark = markOfWriter();
  const progress = createProgress();
  const forMs = scenario?.forMs ?? options.forMs;
  const input: Work = { plan, scenario, options, scripts, mark };
  try {
    const simulated = await runApart<Work, Simulated, number>(import.meta.url, input, {
      signal,
      progress(virtualMs) {
        const passedS = Math.round(Math.min(virtualMs, forMs) / 1000);
        progress.show(`${passedS} of ${forMs / 1000} s simulated`, virtualMs / forMs);
      },
    });
    for (const file of files) writeAs(file, () => renameSync(beside(file, mark), file));
    return simulated;
  } finally {
    progress.end();
    for (const file of files) rmSync(beside(file, mark), { force: true });
  }
}

function beside(file: string, mark: string): string {
  return `${file}.${mark}`;
}

/** The plant of a path, or the one of a scenario with it. */
export function readInput(
  path: string,
  { scenario: wanted }: Pick<SimulateOptions, "scenario">,
): { plant: Plant; scenario: Scenario | undefined } {
  if (wanted === undefined) return { plant: readPlant(path), scenario: undefined };
  const { plant, scenario } = readScenario(wanted.file, wanted.plant);
  const { seed = scenario.seed, forMs = scenario.forMs } = wanted;
  return { plant, scenario: { ...scenario, seed, forMs } };
}

/** One line an expectation. */
export function describeVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ met, text, seen }) => `${met ? "ok    " : "FAILED"} ${text}: ${seen}`)
    .join("\n");
}

/** A few lines for people; `passed` says in which way the time did. */
export function describeResult(result: SimulationResult, passed = "simulated"): string {
  const { queued, ingested, duplicates, dropped, lost, network, virtualMs } = result;
  const nodes = result.perNode.map((n) => `  ${n.id}: ${n.queued} queued, boot ${n.boot}`);
  return [
    `${queued} queued = ${ingested} ingested + ${dropped} dropped + ${lost} lost`,
    `${duplicates} duplicates refused; ${network.lost} of ${network.sent} datagrams lost`,
    `${virtualMs / 1000} s ${passed}, seed ${result.seed}, ${result.nodes} nodes`,
    ...nodes,
  ].join("\n");
}

/** What the thread does. */
export function work(input: Work, report: (virtualMs: number) => void): Simulated {
  const { seed, forMs, loss, duplicate, reorder, trace, pcap } = input.options;
  const traceFile = trace === undefined ? undefined : openWriter(trace, input.mark);
  const pcapFile = pcap === undefined ? undefined : openWriter(pcap, input.mark);
  const watchers = {
    ...(traceFile && { trace: (line: string) => traceFile.put(Buffer.from(`${line}\n`)) }),
    ...(pcapFile && { pcap: (bytes: Uint8Array) => putCopy(pcapFile, bytes) }),
    progress: report,
  };
  const engine = startScripts(input.scripts, input.options.engine);
  const compile = engine?.compile;
  const run = { seed, forMs, loss, duplicate, reorder, ...watchers, compile };
  try {
    return asFailure(() =>
      input.scenario === undefined
        ? { result: runSimulation(input.plan, run), verdicts: [] }
        : runScenario(input.plan, input.scenario, { ...watchers, compile }),
    );
  } finally {
    engine?.close();
    traceFile?.close();
    pcapFile?.close();
  }
}

interface Writer {
  put(bytes: Uint8Array): void;
  close(): void;
}

function openWriter(file: string, mark: string): Writer {
  const handle = writeAs(file, () => openSync(beside(file, mark), "wx"));
  let chunks: Uint8Array[] = [];
  let chunkBytes = 0;
  const flush = (): void => {
    const all = Buffer.concat(chunks);
    for (let done = 0; done < all.length;)
      done += writeAs(file, () => writeSync(handle, all, done));
    chunks = [];
    chunkBytes = 0;
  };
  return {
    put(bytes) {
      chunks.push(bytes);
      chunkBytes += bytes.length;
      if (chunkBytes >= WRITE_BYTES) flush();
    },
    close() {
      flush();
      closeSync(handle);
    },
  };
}

// The simulation's bytes are valid during the call only.
function putCopy(file: Writer, bytes: Uint8Array): void {
  file.put(bytes.slice());
}

// Before a long run instead of after it.
function refuseUnwritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
    refuseNoFile(file);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw about(error, file);
    throw new Failure(
      EXIT_NOT_FOUND,
      `the folder of ${file} is not there`,
      "make it, or give another file",
    );
  }
}
