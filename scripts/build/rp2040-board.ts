// SPDX-License-Identifier: MIT
// A board with an RP2040: its JSON, checked, and the C that node.json adds.
//
// Numbers of node.json (input 0, pin 3, output 1) are places in the board's lists of GPIOs. A node that needs what the
// board has not is refused by name.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { RING_BYTES } from "../../firmware/limits.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import type { BuiltNode } from "./modules.ts";
import { toPinPlan } from "./plant.ts";
import { sensorConstants, sensorOf, sensorPins, sensorSchema } from "./rp2040-sensor.ts";
import { allChannels, type NodeType } from "./schema.ts";
import { isInverted } from "./polarity.ts";
import { polls } from "./polls.ts";
import { PROJECT } from "./sources.ts";

const gpio = z.number().int().min(0).max(29);
const uart = z.number().int().min(0).max(1);

const transport = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("serial"),
    uart,
    tx: gpio,
    rx: gpio,
    baud: z.number().int().min(1200).max(921_600),
  }),
  z.strictObject({
    kind: z.literal("ethernet").describe("a W5500 on SPI 0"),
    miso: gpio,
    mosi: gpio,
    sck: gpio,
    cs: gpio,
    reset: gpio,
    interrupt: gpio,
  }),
]);

const boardSchema = z
  .strictObject({
    name: z.string().min(1).max(32).describe("what a node says of its host"),
    title: z.string(),
    soc: z.literal("rp2040"),
    flashBytes: z.number().int().multipleOf(4096),
    budget: z.strictObject({
      flashBytes: z.number().int().describe("an image may be so large"),
      sramBytes: z.number().int(),
      tickShare: z.number().min(0).max(1).default(0.5).describe("of a period, at worst"),
    }),
    transport,
    taps: z.array(
      z.strictObject({
        uart,
        rx: gpio,
        tx: gpio.optional().describe("for a tap that polls alone; else it may have another use"),
        de: gpio.optional().describe("high while a tap that polls sends: enables a driver"),
      }),
    ),
    analog: z.array(gpio.min(26)),
    pwm: z.array(gpio),
    digital: z.array(gpio),
    pulses: z.array(gpio).describe("input B of a PWM slice: an odd GPIO"),
    accelerometers: z
      .array(sensorSchema)
      .default([])
      .describe("a KX134-1211; a node has one, so they may share pins"),
    pull: z.enum(["up", "down", "none"]).describe("of digital inputs and pulses"),
    wiring: z.array(z.string()).describe("drawing"),
  })
  .superRefine((board, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    const { transport, taps, analog, pwm, digital, pulses, accelerometers } = board;
    const all = [...transportPins(transport), ...taps.map(({ rx }) => rx)];
    all.push(...analog, ...pwm, ...digital, ...pulses);
    all.push(...new Set(accelerometers.flatMap(sensorPins)));
    const twice = all.find((pin, i) => all.indexOf(pin) < i);
    if (twice !== undefined) complain("wiring", `GPIO ${twice} is used twice`);
    const slices = pwm.map(sliceOf);
    for (const pin of pulses)
      if (pin % 2 === 0 || slices.includes(sliceOf(pin)))
        complain("pulses", `GPIO ${pin} is no input B of a PWM slice of its own`);
    for (const tap of taps) {
      if (tap.uart === uartOf(transport)) complain("taps", `UART ${tap.uart} is the transport's`);
      if (tap.tx !== undefined && !TX_PINS[tap.uart]!.includes(tap.tx))
        complain("taps", `GPIO ${tap.tx} is no transmit pin of UART ${tap.uart}`);
    }
    if (transport.kind === "ethernet") {
      const { miso, sck, mosi } = transport;
      if (![0, 4].includes(miso % 16) || sck !== miso + 2 || mosi !== miso + 3)
        complain("transport", "these are not pins of SPI 0");
      if (accelerometers.some((sensor) => "spi" in sensor && sensor.spi === 0))
        complain("accelerometers", "SPI 0 is the transport's");
    }
  });

export type Rp2040Board = z.output<typeof boardSchema>;

const DUTY_FULL = 65_535;
const LINE_CONTROL = { N: 0, E: 0b110, O: 0b010 } as const; // LCR_H: parity enable, even
const FIFO_ON = 1 << 4;
const TAP_ENTRIES_MIN = 128; // twice the guard
const TAP_ENTRIES_MAX = 8192; // stamps of 4 octets in a DMA ring of at most 32 KiB
const TAP_GUARD = 64; // boards/rp2040/tap.c
const AUTO_BAUD = 115_200;
const RING_TICKS = 8; // link polls more often than that, but for an erase
const RECORD_BYTES = 20; // of a reading or an event in the ring; a state has more
const STATE_BYTES = 80;
const RESET_SPI0 = 16;
const RESET_UART0 = 22;
const UART_NONE = 2;
const NO_PIN = 255;
const TX_PINS: readonly (readonly number[])[] = [
  [0, 12, 16, 28],
  [4, 8, 20, 24],
]; // RP2040 datasheet 2.19.2
const RP2040_PULL = { up: "PAD_PULL_UP", down: "PAD_PULL_DOWN", none: "0" } as const;

/** A board of the folder boards. Throws when it is not as its schema says: that is our own mistake. */
export function readBoard(name: string): Rp2040Board {
  const file = join(PROJECT, "boards", `${name}.json`);
  return boardSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** board.h: constants that the host's memory and loops are sized by. */
export function boardHeader(board: Rp2040Board, { type }: BuiltNode): string {
  const used = inputsOf(type);
  const plan = toPinPlan(type);
  const taps = Object.values(type.taps);
  const uarts = taps.map((tap) => tapOf(board, type, tap.uart).uart);
  if (board.transport.kind === "serial") uarts.push(board.transport.uart);
  const sensor = sensorOf(board, type);
  const spis = board.transport.kind === "ethernet" ? [0] : [];
  if (sensor !== undefined && "spi" in sensor) spis.push(sensor.spi);
  const constants: [string, string | number][] = [
    ["NAME", JSON.stringify(board.name)],
    ["FLASH_BYTES", board.flashBytes],
    ["PERIOD_US", Math.round(type.periodMs * 1000)],
    ["ADC_COUNT", used.adc.length],
    ["PWM", plan.outputs.length],
    ["DIGITAL", plan.digitalOutputs?.length ?? 0],
    ["PINS", used.pins.length],
    ["PULSES", used.pulses.length],
    ["INPUT_PULL", RP2040_PULL[board.pull]],
    ["RING_BYTES", ringBytes(type)],
    ["TAPS", taps.length],
    ["TAP_ENTRIES", tapEntries(type)],
    ["TAPS_INVERTED", taps.reduce((bits, tap, i) => bits | (Number(isInverted(tap)) << i), 0)],
    ["POLLS", taps.filter(polls).length],
    ["NO_PIN", NO_PIN],
    ...sensorConstants(sensor, type),
    ["UART_RESETS", resetBits(RESET_UART0, uarts)],
    ["SPI_RESETS", resetBits(RESET_SPI0, spis)],
    ["TRANSPORT_UART", uartOf(board.transport)],
    ...transportConstants(board.transport),
  ];
  const lines = constants.map(([name, value]) => `#define BOARD_${name} ${value}`);
  const head = `// What ${board.name} and node.json of ${type.type} say. Made by the build.`;
  return [head, ...lines, ""].join("\n");
}

/** board.c: which GPIO is what. Throws Failure for what the board has not. */
export function boardText(board: Rp2040Board, { type, loop, link }: BuiltNode): string {
  const used = inputsOf(type);
  const { outputs, digitalOutputs = [] } = toPinPlan(type);
  const input = (list: number[], name: string) => (number: number) =>
    `{ ${number}, ${pinOf(list, number, name, board)} }`;
  const pwm = outputs.map(
    ({ output, safeDuty }) =>
      `{ ${output}, ${pinOf(board.pwm, output, "PWM output", board)}, ` +
      `${Math.min(safeDuty, DUTY_FULL)} }`,
  );
  const digital = digitalOutputs.map(
    ({ pin, safe }) => `{ ${pin}, ${pinOf(board.digital, pin, "digital pin", board)}, ${safe} }`,
  );
  const taps = Object.values(type.taps).map(({ uart: number, baud, format }) => {
    const tap = tapOf(board, type, number);
    const [bits, parity, stops] = [Number(format[0]), format[1] as "N" | "E" | "O", format[2]];
    const control =
      ((bits - 5) << 5) | FIFO_ON | LINE_CONTROL[parity] | (stops === "2" ? 1 << 3 : 0);
    const character = 1 + bits + (parity === "N" ? 0 : 1) + Number(stops);
    return `{ ${tap.uart}, ${tap.rx}, ${control}, ${character}, ${baud} }`;
  });
  const senders = pollsOf(board, type);
  const asking =
    senders.length === 0 ? "" : `\n${list("struct board_poll", "board_polls", senders)}`;
  return `// What node.json of ${type.type} connects. Made by the build.
#include "rp2040.h"
${list("struct board_output", "board_pwm", pwm)}
${list("struct board_output", "board_digital", digital)}
${list("struct board_input", "board_adc", used.adc.map(input(board.analog, "analog input")))}
${list("struct board_input", "board_pins", used.pins.map(input(board.digital, "digital pin")))}
${list("struct board_input", "board_pulses", used.pulses.map(input(board.pulses, "pulse input")))}
${list("struct board_tap", "board_taps", taps)}${asking}
const uint8_t board_loop_hash[32] = { ${[...loop.hash].join(",")} };
const uint8_t board_link_hash[32] = { ${[...link.hash].join(",")} };
`;
}

// Inputs of the node's channels; those of the ADC in the order in which it takes them.
function inputsOf({ channels }: NodeType): { adc: number[]; pins: number[]; pulses: number[] } {
  const all = Object.values(channels);
  const unique = (numbers: number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);
  return {
    adc: unique(all.flatMap((channel) => (channel.kind === "analog" ? [channel.input] : []))),
    pins: unique(all.flatMap((channel) => (channel.kind === "digital" ? [channel.pin] : []))),
    pulses: unique(all.flatMap((channel) => (channel.kind === "counter" ? [channel.input] : []))),
  };
}

// Twice what comes in a period, so that a late tick loses nothing.
function tapEntries({ type, taps, periodMs }: NodeType): number {
  // A tap that finds its line may have to keep up with the fastest that loop takes.
  const bauds = Object.values(taps).map(({ protocol, baud }) =>
    protocol === "auto" ? Math.max(baud, AUTO_BAUD) : baud,
  );
  const fastest = Math.max(0, ...bauds) / 10;
  const wanted = Math.max(TAP_ENTRIES_MIN, (2 * fastest * periodMs) / 1000 + TAP_GUARD);
  if (wanted <= TAP_ENTRIES_MAX) return 2 ** Math.ceil(Math.log2(wanted));
  const mostMs = Math.floor(((TAP_ENTRIES_MAX - TAP_GUARD) * 1000) / (2 * fastest));
  throw new Failure(
    EXIT_FAILED,
    `a tap of ${type} hears more in ${periodMs} ms than the board can keep`,
    `make periodMs at most ${mostMs}`,
  );
}

// All channels and alarms of about so many ticks; a power of two.
function ringBytes(type: NodeType): number {
  const channels = allChannels(type);
  const alarms = channels.flatMap(([, { alarms }]) => Object.keys(alarms));
  const states = Object.keys(type.taps).length * STATE_BYTES;
  const tick = (channels.length + alarms.length) * RECORD_BYTES + states;
  const bytes = Math.min(Math.max(RING_TICKS * tick, RING_BYTES / 4), RING_BYTES);
  return 2 ** Math.round(Math.log2(bytes));
}

// struct board_poll. Throws Failure where the board cannot send on a tap, or the pin has another use in this node.
function pollsOf(board: Rp2040Board, type: NodeType): string[] {
  return Object.entries(type.taps).flatMap(([name, tap], place) => {
    if (!polls(tap)) return [];
    const { uart, tx, de = NO_PIN } = tapOf(board, type, tap.uart);
    if (tx === undefined)
      throw new Failure(
        EXIT_FAILED,
        `${board.name} has no transmit pin for tap ${tap.uart}, and taps.${name} polls`,
        `take "mode": "poll" out, or give taps a "tx" in boards/${board.name}.json`,
      );
    const taken = usedPins(board, type);
    for (const pin of [tx, de])
      if (taken.has(pin))
        throw new Failure(
          EXIT_FAILED,
          `taps.${name} polls on GPIO ${pin} of ${board.name}, which is ${taken.get(pin)} here`,
          "give that another number in node.json",
        );
    const bits =
      1 + Number(tap.format[0]) + (tap.format[1] === "N" ? 0 : 1) + Number(tap.format[2]);
    return [`{ ${place}, ${uart}, ${tx}, ${de}, ${Math.ceil((bits * 1e6) / tap.baud)} }`];
  });
}

// GPIOs that node.json names, with what they are.
function usedPins(board: Rp2040Board, type: NodeType): Map<number, string> {
  const { adc, pins, pulses } = inputsOf(type);
  const { outputs, digitalOutputs = [] } = toPinPlan(type);
  const sensor = sensorOf(board, type);
  const used = new Map<number, string>();
  const add = (gpios: (number | undefined)[], what: string): void =>
    gpios.forEach((pin) => void (pin !== undefined && used.set(pin, what)));
  const at = (list: number[], numbers: number[]) => numbers.map((number) => list[number]);
  add(at(board.analog, adc), "an analog input");
  add(at(board.digital, [...pins, ...digitalOutputs.map(({ pin }) => pin)]), "a digital pin");
  add(at(board.pulses, pulses), "a pulse input");
  add(
    at(
      board.pwm,
      outputs.map(({ output }) => output),
    ),
    "a PWM output",
  );
  if (sensor !== undefined) add(sensorPins(sensor), "the sensor's");
  return used;
}

function tapOf(board: Rp2040Board, { type }: NodeType, number: number) {
  const tap = board.taps[number];
  if (tap === undefined) throw missing(board, `tap ${number} of ${type}`, board.taps.length);
  return tap;
}

function pinOf(list: number[], number: number, name: string, board: Rp2040Board): number {
  const pin = list[number];
  if (pin === undefined) throw missing(board, `${name} ${number}`, list.length);
  return pin;
}

function missing(board: Rp2040Board, what: string, count: number): Failure {
  const has = count === 0 ? "has none" : `has 0 to ${count - 1}`;
  return new Failure(
    EXIT_FAILED,
    `${board.name} has no ${what}: it ${has}`,
    `change the number in node.json, or see boards/${board.name}.json`,
  );
}

// UART_NONE: datagrams do not go through a UART.
function uartOf(transport: Rp2040Board["transport"]): number {
  return transport.kind === "serial" ? transport.uart : UART_NONE;
}

function transportPins(transport: Rp2040Board["transport"]): number[] {
  if (transport.kind === "serial") return [transport.tx, transport.rx];
  const { miso, mosi, sck, cs, reset, interrupt } = transport;
  return [miso, mosi, sck, cs, reset, interrupt];
}

function transportConstants(transport: Rp2040Board["transport"]): [string, number][] {
  if (transport.kind === "serial")
    return [
      ["TRANSPORT_TX", transport.tx],
      ["TRANSPORT_RX", transport.rx],
      ["TRANSPORT_BAUD", transport.baud],
    ];
  const { miso, mosi, sck, cs, reset, interrupt } = transport;
  return [
    ["SPI_MISO", miso],
    ["SPI_MOSI", mosi],
    ["SPI_SCK", sck],
    ["W5500_CS", cs],
    ["W5500_RESET", reset],
    ["W5500_INTERRUPT", interrupt],
  ];
}

function resetBits(first: number, units: readonly number[]): string {
  return `0x${units.reduce((bits, n) => bits | (1 << (first + n)), 0).toString(16)}u`;
}

function sliceOf(pin: number): number {
  return (pin >> 1) & 7;
}

function list(type: string, name: string, rows: readonly string[]): string {
  const text = rows.length > 0 ? rows.join(", ") : "{ 0 }";
  return `const ${type} ${name}[] = { ${text} };`;
}
