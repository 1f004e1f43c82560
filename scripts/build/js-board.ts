// SPDX-License-Identifier: MIT
// A board with a JavaScript engine: its JSON, checked once.
//
// Numbers of node.json (input 0, pin 3, output 1, tap 0) are places in the board's lists of pins. Pins and serial ports
// are numbered as the engine numbers them: Kaluma's pin 26 is GP26, Espruino's is D26; Kaluma's port 1 is UART1,
// Espruino's is Serial1. Budgets of bundle and memory are octets.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PROJECT } from "./sources.ts";

const MEMORY_BYTES_HARD = 8192; // beyond it an engine with 53 KB for everything has no room for code
const pin = z.number().int().min(0).max(47);
const port = z.number().int().min(0).max(3);
const octets = z.number().int().min(1);

const network = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("udp").describe("over WiFi, which the board's settings name") }),
  z.strictObject({
    kind: z.literal("serial").describe("frames of SPEC.md section 7"),
    uart: port,
    tx: pin,
    rx: pin,
    baud: z.number().int().min(1200).max(921_600),
  }),
]);

const boardSchema = z
  .strictObject({
    name: z.string().min(1).max(32).describe("what a node says of its host"),
    title: z.string(),
    soc: z.literal("js"),
    engine: z.enum(["kaluma", "espruino"]),
    firmware: z.string().describe("what must be on the board before"),
    periodMsMin: z.number().int().min(1),
    bundleBytesMax: octets.describe("of the one file that is uploaded"),
    coreBytesMax: octets.describe("of loop's part of it: what an engine runs in a tick"),
    memoryBytes: octets.describe("of loop"),
    memoryBytesMax: octets.max(MEMORY_BYTES_HARD).describe("of either module"),
    variables: z
      .strictObject({ count: octets, most: octets.describe("that a bundle may take of them") })
      .optional()
      .describe("Espruino: what the engine keeps code and data in"),
    network,
    taps: z.array(z.strictObject({ uart: port, rx: pin })),
    analog: z.array(pin),
    pwm: z.array(pin),
    digital: z.array(pin),
    pulses: z.array(pin),
    pull: z.enum(["up", "down", "none"]).describe("of digital inputs and pulses"),
    espruino: z
      .strictObject({
        boardname: z.string(),
        binary_version: z.string(),
        builtin_modules: z.array(z.string()),
        saved_code: z.strictObject({ address: octets, page_size: octets, pages: octets }),
        hex: z.boolean().default(false).describe("the board takes a HEX of its storage"),
      })
      .optional()
      .describe("what the espruino tool has to know of it"),
    wiring: z.array(z.string()).describe("drawing"),
  })
  .superRefine((board, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    const { network, taps, analog, pwm, digital, pulses } = board;
    const all = network.kind === "serial" ? [network.tx, network.rx] : [];
    all.push(...taps.map(({ rx }) => rx), ...analog, ...pwm, ...digital, ...pulses);
    const twice = all.find((of, i) => all.indexOf(of) < i);
    if (twice !== undefined) complain("wiring", `pin ${twice} is used twice`);
    for (const tap of taps)
      if (network.kind === "serial" && tap.uart === network.uart)
        complain("taps", `port ${tap.uart} is the network's`);
    if ((board.engine === "espruino") !== (board.espruino !== undefined))
      complain("espruino", "a board with Espruino has it, no other");
    if ((board.engine === "espruino") !== (board.variables !== undefined))
      complain("variables", "a board with Espruino has them, no other");
  });

export type JsBoard = z.output<typeof boardSchema>;

/** A board of the folder boards. Throws when it is not as its schema says: that is our own mistake. */
export function readJsBoard(name: string): JsBoard {
  const file = join(PROJECT, "boards", `${name}.json`);
  return boardSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

// Fitted to five bundles of 3.1 to 8.7 KB in Espruino 2v29: off by less than 6 % (boards/js/README.md).
const VARIABLES_BASE = 130;
const VARIABLES_PER_OCTET = 0.27;

/** Variables of Espruino that a bundle of so many octets takes, as modelled. */
export function modelledVariables(bundleBytes: number): number {
  return Math.ceil(VARIABLES_BASE + VARIABLES_PER_OCTET * bundleBytes);
}
