// SPDX-License-Identifier: MIT
// `ferrule up --watch`: a saved file runs on its node a moment later.
//
// Two compilers stay warm, one a module; what did not change comes from the cache. Only the nodes of the
// changed type start anew. What cannot be built is told with file, line and column, and the last good
// modules go on running.

import { join, resolve } from "node:path";
import type { NodePlan, PlantPlan } from "../../host-sim/plan.ts";
import type { Compiled, CompileInput } from "../build/compile.ts";
import { type BuildOptions, type Compile, compileInputs } from "../build/modules.ts";
import { refreshNames } from "../build/editor.ts";
import { readNode, show } from "../build/node.ts";
import { type Plant, toPlantPlan } from "../build/plant.ts";
import { EXIT_INTERRUPTED, explain, Failure } from "../cli/failure.ts";
import { tellCompiling } from "../cli/progress.ts";
import { paint, say } from "../cli/terminal.ts";
import { createWarm } from "./warm.ts";
import { watchFolders } from "./watch.ts";

export interface Builder {
  /** The plan to start with. */
  first(): Promise<PlantPlan>;
  /** From now on saved changes of what runs are put on its nodes. */
  follow(plan: PlantPlan, program: (node: NodePlan) => void): void;
  close(): Promise<void>;
}

/** Builds a plant once, or again and again while it is watched. */
export function createBuilder(plant: Plant, signal: AbortSignal, watched: boolean): Builder {
  const compilers = watched ? createCompilers(signal) : undefined;
  const build = { signal, ...(compilers && { compile: compilers.compile }) };
  let reloading: { close(): void } | undefined;
  return {
    first: () =>
      tellCompiling((compiling) =>
        watched
          ? buildWatched(plant, { ...build, compiling }, signal)
          : toPlantPlan(plant, { signal, compiling }),
      ),
    follow(plan, program) {
      if (compilers === undefined) return;
      reloading = reloadOnSave({ plant, plan, build, program }); // before it is said: a save counts
      say(`watching ${typeFolders(plant).map(show).join(", ")}`);
      compilers.warmUp(plant);
    },
    async close() {
      reloading?.close();
      await compilers?.close();
    },
  };
}

interface Compilers {
  compile: Compile;
  warmUp(plant: Plant): void;
  close(): Promise<void>;
}

// Threads that compile and stay warm until the signal.
function createCompilers(signal: AbortSignal): Compilers {
  const module = new URL("../build/compile.ts", import.meta.url).href;
  const threads = {
    loop: createWarm<CompileInput, Compiled>(module),
    link: createWarm<CompileInput, Compiled>(module),
  };
  async function close(): Promise<void> {
    await Promise.all([threads.loop.close(), threads.link.close()]);
  }
  signal.addEventListener("abort", () => void close(), { once: true });
  return {
    compile: (name, input) => threads[name].work(input),
    // What comes out is thrown away: a compiler that has compiled once is several times as fast.
    warmUp(plant) {
      const [folder] = typeFolders(plant);
      const inputs = folder === undefined ? [] : compileInputs(folder);
      for (const [name, input] of inputs) threads[name].work(input).catch(() => undefined);
    },
    close,
  };
}

interface ReloadOptions {
  plant: Plant;
  plan: PlantPlan; // what runs
  build: BuildOptions;
  /** Puts the modules of a plan on its node. */
  program: (plan: NodePlan) => void;
}

// Watches every node type of the plant until closed.
function reloadOnSave({ plant, plan, build, program }: ReloadOptions): { close(): void } {
  const running = new Map(plan.nodes.map((node) => [node.id, fingerprint(node)]));

  async function reload(folder: string, what: string): Promise<void> {
    const startMs = performance.now();
    const nodes = plant.type.nodes.filter(({ node }) => resolve(plant.folder, node) === folder);
    const part = { ...plant, type: { ...plant.type, nodes, faults: [] } };
    refreshNames(folder, readNode(folder).type); // before an error in code that uses a new name
    const fresh = await toPlantPlan(part, build);
    const changed = fresh.nodes.filter((node) => running.get(node.id) !== fingerprint(node));
    if (closed) return;
    for (const node of changed) {
      program(node);
      running.set(node.id, fingerprint(node));
    }
    const tookMs = Math.round(performance.now() - startMs);
    const ids = changed.map(({ id }) => id).join(", ");
    if (ids === "") say(`${what}: saved, and the modules are the same as before`);
    else say(`${paint("green", "running")} ${what} on ${ids}, ready after ${tookMs} ms`);
  }
  let closed = false;
  const watch = watchFolders(typeFolders(plant), (folder, files) => {
    const what = files.map((file) => show(join(folder, file))).join(", ");
    return reload(folder, what).catch((error: unknown) => {
      if (!closed) tellRefusal(error, what, "the last good modules go on running");
    });
  });
  return {
    close() {
      closed = true;
      watch.close();
    },
  };
}

// Builds the plan; what an edit can mend is told and built anew when something is saved.
async function buildWatched(
  plant: Plant,
  build: BuildOptions,
  signal: AbortSignal,
): Promise<PlantPlan> {
  for (;;) {
    const saved = nextSave(plant, signal);
    try {
      return await toPlantPlan(plant, build);
    } catch (error) {
      tellRefusal(error, show(plant.folder), "it is built again then");
      await saved.happened;
    } finally {
      saved.close();
    }
    if (signal.aborted) throw new Failure(EXIT_INTERRUPTED, "interrupted");
  }
}

function nextSave(plant: Plant, signal: AbortSignal): { happened: Promise<void>; close(): void } {
  let close = (): void => undefined;
  const happened = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    const watch = watchFolders(typeFolders(plant), () => Promise.resolve(resolve()));
    close = () => watch.close();
  });
  return { happened, close: () => close() };
}

function typeFolders(plant: Plant): string[] {
  return [...new Set(plant.type.nodes.map(({ node }) => resolve(plant.folder, node)))];
}

// All of a plan but the octets of its modules, which their hashes name. The machine goes on as it is.
function fingerprint(plan: NodePlan): string {
  return JSON.stringify({ ...plan, loopWasm: "", linkWasm: "", machine: "" });
}

function tellRefusal(thrown: unknown, what: string, then: string): void {
  const error = explain(thrown);
  if (!(error instanceof Failure)) throw error;
  if (error.exitCode === EXIT_INTERRUPTED) throw error;
  say(`${paint("red", "refused")} ${what}\n${error.message}`);
  say(`  ${paint("bold", "next:")} mend it and save; ${then}`);
}
