// SPDX-License-Identifier: MIT
// What a node is on a JavaScript board, or all that does not fit.
//
// Numbers of node.json become pins of the board. A node that needs what board or shims have not is refused with every
// reason at once: what, how much, and what to do next.

import { SHIM_IMPORTS, type ShimPlan } from "../../boards/js/compose.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import type { JsBoard } from "./js-board.ts";
import type { BuiltNode } from "./modules.ts";
import { invertedTaps, TURN_IT } from "./polarity.ts";
import { toPinPlan } from "./plant.ts";
import type { NodeType } from "./schema.ts";
import { constantExport } from "./wasm-facts.ts";

const DUTY_FULL = 65_535;

/** Host functions that no JavaScript board has, as a user knows them. */
const LACKING: Readonly<Record<string, string>> = {
  burst_take: "an accelerometer's bursts: take the vibration channels out",
  edge_take: 'edges of a line: name the protocol of the tap instead of "auto"',
  edge_unit_ps: 'edges of a line: name the protocol of the tap instead of "auto"',
  tap_put: 'a tap that asks: leave "mode": "poll" out',
  tap_open: 'a tap that changes its rate: name protocol and rate, leave "follow" out',
};

interface Problem {
  what: string;
  next: string;
}

/** The plan of a built node. Throws Failure with all that does not fit the board. */
export function shimPlan(board: JsBoard, built: BuiltNode): ShimPlan {
  const turned = invertedTaps(built.type).map((what) => ({ what, next: TURN_IT }));
  const problems: Problem[] = [
    ...periodProblems(board, built),
    ...moduleProblems(board, built),
    ...turned,
  ];
  const plan = planOf(board, built, (what, next) => problems.push({ what, next }));
  if (problems.length === 0) return plan;
  const lines = [...new Set(problems.map(({ what }) => `  ${what}`))];
  throw new Failure(
    EXIT_FAILED,
    `${built.type.type} does not fit ${board.name}:\n${lines.join("\n")}`,
    [...new Set(problems.map(({ next }) => next))].join("; "),
  );
}

function periodProblems(board: JsBoard, { type }: BuiltNode): Problem[] {
  if (type.periodMs >= board.periodMsMin) return [];
  const value = JSON.stringify({ [board.name]: { periodMs: board.periodMsMin } });
  const what = `a period of ${type.periodMs} ms: at least ${board.periodMsMin} ms there`;
  return [{ what, next: `say "boards": ${value} in node.json` }];
}

function moduleProblems(board: JsBoard, built: BuiltNode): Problem[] {
  const found: Problem[] = [];
  for (const name of ["loop", "link"] as const) {
    const { wasm } = built[name];
    const known: readonly string[] = SHIM_IMPORTS[name];
    for (const wanted of importsOf(wasm)) {
      if (known.includes(wanted)) continue;
      const [what, next] = (LACKING[wanted] ?? "this function: take what needs it out").split(": ");
      found.push({ what: `${name} calls ${wanted}: the engine has not ${what}`, next: next! });
    }
    const most = name === "loop" ? board.memoryBytes : board.memoryBytesMax;
    const memoryBytes = constantExport(wasm, "memoryBytes");
    if (memoryBytes > most)
      found.push({
        what: `memory of ${name}: ${memoryBytes} of ${most} octets, ${memoryBytes - most} too many`,
        next:
          name === "link"
            ? `say "boards": {"${board.name}": {"outboxSlots": 128}} in node.json`
            : "take channels or taps out",
      });
  }
  return found;
}

/** Names of what a module imports. */
export function importsOf(wasm: Uint8Array): string[] {
  const module = new WebAssembly.Module(wasm as BufferSource);
  return WebAssembly.Module.imports(module).map(({ name }) => name);
}

type Complain = (what: string, next: string) => void;
type LookUp = (list: readonly number[], number: number, name: string) => number;

function planOf(board: JsBoard, { type, loop, link }: BuiltNode, complain: Complain): ShimPlan {
  const missing = (name: string, number: number, count: number): void => {
    const has = count === 0 ? "has none" : `has 0 to ${count - 1}`;
    const next = `see boards/${board.name}.json for what the board has`;
    complain(`${name} ${number}: the board ${has}`, next);
  };
  const pinOf: LookUp = (list, number, name) => {
    if (list[number] === undefined) missing(name, number, list.length);
    return list[number] ?? 0;
  };
  return {
    engine: board.engine,
    hostName: board.name,
    periodUs: Math.round(type.periodMs * 1000),
    imports: { loop: importsOf(loop.wasm), link: importsOf(link.wasm) },
    loopHash: loop.hash,
    linkHash: link.hash,
    ...inputsOf(board, type, pinOf),
    ...outputsOf(board, type, pinOf),
    pull: board.pull,
    taps: Object.values(type.taps).map(({ uart, baud, format }) => {
      const tap = board.taps[uart];
      if (tap === undefined) missing("tap", uart, board.taps.length);
      return { port: tap?.uart ?? 0, rx: tap?.rx ?? 0, baud, format };
    }),
    network: networkOf(board),
  };
}

function inputsOf(board: JsBoard, { channels }: NodeType, pinOf: LookUp) {
  const all = Object.values(channels);
  const pins = (list: readonly number[], numbers: readonly number[], name: string) =>
    Object.fromEntries(numbers.map((number) => [number, pinOf(list, number, name)]));
  const analog = all.flatMap((of) => (of.kind === "analog" ? [of.input] : []));
  const digital = all.flatMap((of) => (of.kind === "digital" ? [of.pin] : []));
  const counters = all.flatMap((of) => (of.kind === "counter" ? [of.input] : []));
  return {
    analog: pins(board.analog, analog, "analog input"),
    digitalIn: pins(board.digital, digital, "digital pin"),
    pulses: pins(board.pulses, counters, "pulse input"),
  };
}

function outputsOf(board: JsBoard, type: NodeType, pinOf: LookUp) {
  const { outputs, digitalOutputs = [] } = toPinPlan(type);
  type Output = [number, readonly [pin: number, safe: number]];
  const pwm = outputs.map(({ output, safeDuty }): Output => [
    output,
    [pinOf(board.pwm, output, "PWM output"), Math.min(safeDuty, DUTY_FULL)],
  ]);
  const digital = digitalOutputs.map(({ pin, safe }): Output => [
    pin,
    [pinOf(board.digital, pin, "digital pin"), safe],
  ]);
  return { pwm: Object.fromEntries(pwm), digitalOut: Object.fromEntries(digital) };
}

function networkOf({ network }: JsBoard): ShimPlan["network"] {
  if (network.kind === "udp") return { kind: "udp" };
  const { uart: port, tx, rx, baud } = network;
  return { kind: "serial", port, tx, rx, baud };
}
