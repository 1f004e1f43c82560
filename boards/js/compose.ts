// SPDX-License-Identifier: MIT
// The host side of a bundle: core, board and start as one ES5 text for one node.
//
// The text follows the factories `loop` and `link` in a script, or in a function. What the node does not use is not
// in it. It runs by itself (`start()` is its last statement), but for engine "sim", which ends with `play()`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fold, type Values } from "./fold.ts";
import { type Program, read, write } from "./tree.ts";

/** Pins of inputs by their numbers in node.json, and of outputs with the safe value. */
export type InputPins = Readonly<Record<number, number>>;
export type OutputPins = Readonly<Record<number, readonly [pin: number, safe: number]>>;

export interface ShimTap {
  port: number; // as the engine numbers it
  rx: number; // pin
  baud: number;
  format: string; // such as 8E1
}

export type ShimNetwork =
  { kind: "udp" } | { kind: "serial"; port: number; tx: number; rx: number; baud: number };

/** Digests of a known run of each module. */
export interface KnownAnswers {
  loop: number;
  link: number;
}

export interface ShimPlan {
  engine: "sim" | "espruino" | "kaluma";
  hostName: string; // info item 5
  periodUs: number;
  imports: { loop: readonly string[]; link: readonly string[] };
  loopHash: Uint8Array; // SHA-256
  linkHash: Uint8Array;
  analog: InputPins;
  pwm: OutputPins; // duty 0..65535
  digitalIn: InputPins;
  digitalOut: OutputPins;
  pulses: InputPins;
  pull: "up" | "down" | "none";
  taps: readonly ShimTap[];
  network: ShimNetwork;
  answers?: KnownAnswers; // absent: the start compares nothing
}

/** Host functions that the shims have, by module. */
export const SHIM_IMPORTS = {
  loop: [
    ...["now_us", "adc_read", "pwm_write", "digital_read", "digital_write", "pulse_count"],
    ...["tap_take", "ring_put", "mailbox_take"],
  ],
  link: [
    ...["now_us", "ring_take", "mailbox_put", "datagram_put", "datagram_take", "flash_read"],
    ...["flash_erase", "flash_program", "entropy", "info"],
  ],
} as const;

export const CHECK_TICKS = 16; // of each module: a second on the slowest engine

const RING_BYTES = 4096; // as every host has it; memory is taken by what waits only
const INBOX_BYTES = 2048; // a burst of a gateway
const TAP_ENTRIES_MIN = 256; // 2 KB: a quarter of a second at 9,600 baud
const TAP_ENTRIES_MAX = 1152; // what loop takes in a tick: SPEC.md section 20
const LOCAL_PORT = 10_000; // SPEC.md section 7
const PARITIES = "NOE";
const PARTS = {
  core: "./shim/core.js",
  serial: "./shim/serial.js",
  pins: "./shim/pins.js",
  sim: "./shim/sim.js",
  espruino: "./shim/espruino.js",
  kaluma: "./shim/kaluma.js",
  start: "./shim/start.js",
} as const;

type Part = keyof typeof PARTS;

/** The host side as text. Throws an Error that names a host function that no shim has. */
export function composeShim(plan: ShimPlan): string {
  for (const module of ["loop", "link"] as const)
    for (const name of plan.imports[module])
      if (!(SHIM_IMPORTS[module] as readonly string[]).includes(name))
        throw new Error(`a JavaScript board has no host function ${name} for ${module}`);
  const isBoard = plan.engine !== "sim";
  const line: Part[] = isBoard && plan.network.kind === "serial" ? ["serial"] : [];
  const parts: Part[] = [
    "core",
    ...line,
    ...(isBoard ? (["pins"] as const) : []),
    plan.engine,
    "start",
  ];
  return composeParts(plan, parts, plan.engine === "sim" ? "play();" : "start();");
}

/** A script whose value are the answers [loop, link] of the known run; it starts nothing. */
export function composeAnswers(plan: ShimPlan): string {
  const end = `[answerOf(loop, loopHost(), "tick"), answerOf(link, linkHost(), "poll")];`;
  return composeParts({ ...plan, answers: { loop: 0, link: 0 } }, ["core", "start"], end);
}

function composeParts(plan: ShimPlan, names: readonly Part[], end: string): string {
  const parts = [...names.map(readShim), read(end)];
  const program: Program = { type: "Program", body: parts.flatMap(({ body }) => body) };
  fold(program, valuesOf(plan));
  return write(program);
}

function readShim(name: Part): Program {
  return read(readFileSync(join(import.meta.dirname, PARTS[name]), "utf8"));
}

function valuesOf(plan: ShimPlan): Values {
  const { imports, network, taps } = plan;
  const uses = (name: string): boolean => imports.loop.includes(name);
  const isUdp = network.kind === "udp" && plan.engine !== "sim";
  const values = {
    USES_ADC_READ: uses("adc_read"),
    USES_PWM_WRITE: uses("pwm_write"),
    USES_DIGITAL_READ: uses("digital_read"),
    USES_DIGITAL_WRITE: uses("digital_write"),
    USES_PULSE_COUNT: uses("pulse_count"),
    USES_TAP_TAKE: uses("tap_take"),
    USES_MAILBOX: uses("mailbox_take"),
    USES_UDP: isUdp,
    USES_LINE: !isUdp,
    ...{ RING_BYTES, INBOX_BYTES, LOCAL_PORT },
    TAP_ENTRIES: Math.max(TAP_ENTRIES_MIN, Math.min(TAP_ENTRIES_MAX, charactersOf(plan))),
    PERIOD_US: plan.periodUs,
    HOST_NAME: plan.hostName,
    LOOP_HASH: Buffer.from(plan.loopHash).toString("hex"),
    LINK_HASH: Buffer.from(plan.linkHash).toString("hex"),
    ANALOG: plan.analog,
    PWM: plan.pwm,
    DIGITAL_IN: plan.digitalIn,
    DIGITAL_OUT: plan.digitalOut,
    PULSES: plan.pulses,
    INPUT_PINS: [...Object.values(plan.digitalIn), ...Object.values(plan.pulses)],
    TAPS: taps.length,
    TAP_BAUDS: taps.map(({ baud }) => baud),
    TAP_CHARACTER_US: taps.map(characterUs),
    CHECK_TICKS: plan.answers === undefined ? 0 : CHECK_TICKS,
    LOOP_ANSWER: plan.answers?.loop ?? 0,
    LINK_ANSWER: plan.answers?.link ?? 0,
    SETTINGS: ["id", "eui64", ...(isUdp ? ["gateway", "ssid"] : [])],
  };
  const texts = Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]);
  return { ...(Object.fromEntries(texts) as Values), ...engineValues(plan) };
}

function characterUs({ baud, format }: ShimTap): number {
  const bits = 1 + Number(format[0]) + (format[1] === "N" ? 0 : 1) + Number(format[2]);
  return Math.round((bits * 1e6) / baud);
}

// Of the fastest tap in a period, and a quarter more.
function charactersOf({ taps, periodUs }: ShimPlan): number {
  return Math.ceil(Math.max(0, ...taps.map((tap) => (1.25 * periodUs) / characterUs(tap))));
}

// Ports and modes are what each engine calls them.
function engineValues({ engine, network, taps, pull }: ShimPlan): Values {
  const isKaluma = engine === "kaluma";
  const port = (number: number): string => (isKaluma ? String(number) : `Serial${number}`);
  const tapOptions = (tap: ShimTap): object => (isKaluma ? kalumaTap(tap) : espruinoTap(tap));
  const mode = { up: "INPUT_PULLUP", down: "INPUT_PULLDOWN", none: "INPUT" }[pull];
  const common: Values = {
    TAP_PORTS: `[${taps.map((tap) => port(tap.port)).join()}]`,
    TAP_OPTIONS: JSON.stringify(taps.map(tapOptions)),
    INPUT_MODE: isKaluma ? mode : JSON.stringify(mode.toLowerCase()),
  };
  if (isKaluma) Object.assign(common, { [mode]: mode });
  if (network.kind === "udp") return common;
  const { rx, tx, baud } = network;
  return {
    ...common,
    LINE_PORT: port(network.port),
    LINE_BAUD: String(baud),
    LINE_OPTIONS: JSON.stringify(isKaluma ? { baudrate: baud, tx, rx } : { tx, rx }),
  };
}

function kalumaTap({ baud, rx, format }: ShimTap): object {
  const parity = PARITIES.indexOf(format[1]!);
  return { baudrate: baud, bits: Number(format[0]), parity, stop: Number(format[2]), rx };
}

function espruinoTap({ rx, format }: ShimTap): object {
  const parity = format[1] === "N" ? {} : { parity: format[1]!.toLowerCase() };
  const bits = { bytesize: Number(format[0]), stopbits: Number(format[2]) };
  return { rx, ...bits, ...parity, errors: true };
}
