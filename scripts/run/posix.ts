// SPDX-License-Identifier: MIT
// `ferrule up --posix NODE`: one more node, as a process of this machine.
//
// Pins are files, taps and accelerometers pipes, mirrored every MIRROR_MS in real time. A tap's pipe gets a
// whole burst of characters at once, since Linux tells no times of single ones, and bursts apart from each
// other. The process that ends by itself is told and counted; the plant goes on without it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { readSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createAccelerometer } from "../../host-sim/accelerometer.ts";
import type { Device } from "../../host-sim/devices/device.ts";
import { characterUs } from "../../host-sim/devices/wire.ts";
import { createMachine } from "../../host-sim/fleet.ts";
import type { NodePlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { cacheFolder } from "../build/cache.ts";
import { buildNode } from "../build/modules.ts";
import { type Plant, toPlantPlan } from "../build/plant.ts";
import { cachedPosix, hasCompiler, noCompiler } from "../build/posix.ts";
import { EXIT_FAILED, Failure, systemCode } from "../cli/failure.ts";
import { type BesideNode, type BesideOptions, chooseBeside } from "./beside.ts";

const MIRROR_MS = 10; // the machines' own step
const ANALOG_INPUTS = 16;
const PINS = 32;
const SILENCE_US = 3000; // ends a burst of characters: less than the pause between two frames
const BURST_OCTETS_MAX = 512;
const BURSTS_MAX = 64; // that wait; older ones are lost, as when nobody listens
const QUESTION_BYTES_MAX = 64; // between two steps; one of Modbus ASCII has 17
const SAMPLES_MAX = 512; // of one mirror step: 3,200 Hz give 32
const STOP_MS_MAX = 7000; // the process takes 5 s at most for its goodbye

/** The plant of the one node that becomes a process, its id unlike those of the others. Throws Failure. */
export function choosePosix(folder: string, plant: Plant): Plant {
  if (process.platform !== "linux")
    throw new Failure(EXIT_FAILED, "--posix is for Linux", "leave --posix away");
  const chosen = chooseBeside(folder, plant, "posix");
  if (!hasCompiler()) throw noCompiler();
  return chosen;
}

export interface PosixNode extends BesideNode {
  readonly pid: number | undefined;
  readonly args: readonly string[]; // with the paths of its pins
}

/** Builds the program of the chosen node, cached, and starts it. Throws Failure. */
export async function startPosix(chosen: Plant, options: BesideOptions): Promise<PosixNode> {
  const { signal, log } = options;
  const build = { signal, board: "posix" };
  const [plan] = (await toPlantPlan(chosen, build)).nodes;
  const folder = join(chosen.folder, chosen.type.nodes[0]!.node);
  const program = cachedPosix(await buildNode(folder, build));
  const device = createMachine(plan!, createPrng(options.seed).fork(`node ${plan!.id}`));
  const mirror = openMirror(plan!, device);
  const args = ["--id", plan!.id, "--gateway", options.gateway, "--flash", flashFile(plan!.id)];
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const child = spawn(program, [...args, ...mirror.args], { stdio: [...stdio] });
  return follow(plan!.id, child, mirror, log);
}

function flashFile(id: string): string {
  const folder = join(cacheFolder() ?? tmpdir(), "posix");
  mkdirSync(folder, { recursive: true });
  return join(folder, `${id}.flash`);
}

function follow(
  id: string,
  child: ChildProcess,
  mirror: Mirror,
  log: (text: string) => void,
): PosixNode {
  let stopping = false;
  let died = 0;
  let rest = "";
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!.slice(-1000);
    for (const line of lines) log(line);
  });
  const ended = new Promise<void>((resolve) => {
    const end = (how: string, wanted: boolean): void => {
      if (!wanted) {
        died = 1;
        log(`${id}: its process ended (${how}); the others go on`);
      }
      mirror.close();
      process.off("exit", kill);
      resolve();
    };
    child.once("error", (error) => end(error.message, false));
    child.once("exit", (code, signal) => end(signal ?? `code ${code}`, stopping || code === 0));
  });
  return {
    id,
    pid: child.pid,
    args: mirror.args,
    died: () => died,
    async stop() {
      stopping = true;
      child.kill("SIGTERM");
      const late = new AbortController();
      const patience = wait(STOP_MS_MAX, undefined, { signal: late.signal }).then(kill, () => {});
      await ended;
      late.abort();
      await patience;
    },
  };
}

interface Mirror {
  args: string[]; // options of the program
  close(): void;
}

type Step = (nowUs: number) => void;

// The machine at files and pipes in a folder of its own.
function openMirror(plan: NodePlan, device: Device): Mirror {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-posix-"));
  const files: number[] = [];
  const args: string[] = [];
  const open = (option: string, number: number, pipe: boolean): number => {
    const path = join(folder, `${option}${number}`);
    if (pipe) makePipe(path);
    const flags = constants.O_RDWR | (pipe ? constants.O_NONBLOCK : constants.O_CREAT);
    files.push(openSync(path, flags, 0o600));
    args.push(`--${option}`, `${number}=${path}`);
    return files.at(-1)!;
  };
  const bursts = plan.taps.map(({ baud, format }, tap) =>
    createBursts(open("tap", tap, true), characterUs(baud, format)),
  );
  const asks = plan.taps.flatMap(({ polls }, tap) =>
    polls === true ? [questionStep(plan, device, tap, open("tap-out", tap, true))] : [],
  );
  device.advance(0, () => {});
  const steps = [
    ...inputSteps(device, (option, number) => open(option, number, false)),
    ...outputSteps(plan, device, (option, number) => open(option, number, false)),
    ...sampleSteps(plan, device, (number) => open("accelerometer", number, true)),
    ...bursts.map(({ step }) => step),
    ...asks,
  ];
  const startMs = performance.now();
  const mirror = (): void => {
    const nowUs = Math.floor((performance.now() - startMs) * 1000);
    device.advance(nowUs, (tap, endUs, byte) => bursts[tap]?.hear(endUs, byte));
    for (const step of steps) step(nowUs);
  };
  mirror();
  const timer = setInterval(mirror, MIRROR_MS);
  return {
    args,
    close() {
      clearInterval(timer);
      files.splice(0).forEach((file) => closeSync(file));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makePipe(path: string): void {
  const made = spawnSync("mkfifo", ["-m", "600", path], { encoding: "utf8" });
  if (made.status !== 0)
    throw new Failure(EXIT_FAILED, `no pipe at ${path}`, "install coreutils, which has mkfifo");
}

type Open = (option: string, number: number) => number;

// What the machine has at its inputs; what it does not have stays unconnected.
function inputSteps(device: Device, open: Open): Step[] {
  const kinds: [string, number, (number: number) => number][] = [
    ["adc", ANALOG_INPUTS, (number) => device.adc(number)],
    ["digital-in", PINS, (number) => device.digital?.(number) ?? -1],
    ["pulses", ANALOG_INPUTS, (number) => device.pulses?.(number) ?? -1],
  ];
  return kinds.flatMap(([option, count, read]) =>
    Array.from({ length: count }, (_, number) => number)
      .filter((number) => read(number) >= 0)
      .map((number): Step => {
        const file = open(option, number);
        let last = -1;
        return () => {
          const value = read(number);
          if (value !== last) writeSync(file, `${String(value).padStart(10)}\n`, 0);
          last = value;
        };
      }),
  );
}

function outputSteps(plan: NodePlan, device: Device, open: Open): Step[] {
  const text = Buffer.alloc(16);
  const follower = (file: number, set: (value: number) => void): Step => {
    let last = -1;
    return () => {
      const length = readSync(file, text, 0, text.length, 0);
      const value = length === 0 ? last : Number(text.toString("latin1", 0, length));
      if (value !== last && Number.isInteger(value)) set(value);
      last = value;
    };
  };
  return [
    ...plan.outputs.map(({ output }) =>
      follower(open("pwm", output), (duty) => device.pwm(output, duty)),
    ),
    ...(plan.digitalOutputs ?? []).map(({ pin }) =>
      follower(open("digital-out", pin), (level) => device.setDigital?.(pin, level)),
    ),
  ];
}

function sampleSteps(plan: NodePlan, device: Device, open: (number: number) => number): Step[] {
  return (plan.accelerometers ?? []).map((own) => {
    const file = open(own.device);
    const sensor = createAccelerometer(own, device.vibration);
    const octets = new Uint8Array(2 * SAMPLES_MAX);
    sensor.start(0);
    return (nowUs) => {
      const count = sensor.take(nowUs, octets, 0, SAMPLES_MAX);
      if (count > 0) offer(file, octets.subarray(0, 2 * count));
    };
  });
}

// What a tap that polls sent since the latest step: its machine hears it from now on.
function questionStep(plan: NodePlan, device: Device, tap: number, file: number): Step {
  const { baud, format } = plan.taps[tap]!;
  const perCharacterUs = characterUs(baud, format);
  const octets = new Uint8Array(QUESTION_BYTES_MAX);
  return (nowUs) => {
    const count = obtain(file, octets);
    for (let i = 0; i < count; i++)
      device.hear?.(tap, Math.round(nowUs + (i + 1) * perCharacterUs), octets[i]!, 0);
  };
}

// How many octets a pipe has now.
function obtain(file: number, octets: Uint8Array): number {
  try {
    return readSync(file, octets);
  } catch (error) {
    if (systemCode(error) !== "EAGAIN") throw error;
    return 0;
  }
}

// Characters of a line as bursts, each written when it is over and the one before is surely read.
function createBursts(
  file: number,
  perCharacterUs: number,
): { hear(endUs: number, byte: number): void; step: Step } {
  const waiting: number[][] = [];
  let burst: number[] = [];
  let lastUs = 0;
  let freeUs = 0;
  const finish = (): void => {
    if (burst.length > 0) waiting.push(burst);
    if (waiting.length > BURSTS_MAX) waiting.shift();
    burst = [];
  };
  return {
    hear(endUs, byte) {
      if (endUs - lastUs > perCharacterUs + SILENCE_US || burst.length >= BURST_OCTETS_MAX)
        finish();
      lastUs = endUs;
      burst.push(byte);
    },
    step(nowUs) {
      if (nowUs - lastUs > SILENCE_US) finish();
      const tookUs = (waiting[0]?.length ?? 0) * perCharacterUs;
      if (waiting.length === 0 || nowUs < freeUs + tookUs) return;
      offer(file, Uint8Array.from(waiting.shift()!));
      freeUs = nowUs + SILENCE_US;
    },
  };
}

// A pipe that is full takes nothing: the program does not read.
function offer(file: number, octets: Uint8Array): void {
  try {
    writeSync(file, octets);
  } catch (error) {
    if (systemCode(error) !== "EAGAIN") throw error;
  }
}
