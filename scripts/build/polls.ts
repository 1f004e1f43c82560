// SPDX-License-Identifier: MIT
// Taps that poll: their fields in node.json, and the questions they ask.
//
// Spec: SPEC.md §22. Only FC 1 to 4. Channels next to each other are read by one question; one that nobody
// declared is read along with them only where "bridge" allows it, since some units refuse such a question whole.

import { z } from "zod";
import { QUESTIONS_MAX } from "../../firmware/limits.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { milliseconds } from "./channels.ts";
import type { Row } from "./loop-table.ts";
import { registersOf, tableCode } from "./registers.ts";
import type { NodeType, RegisterChannel } from "./schema.ts";

const REGISTERS_MAX = 125; // Modbus application protocol 1.1b3 §6.3
const BITS_MAX = 2000; // §6.1
const QUESTION_BYTES = { "modbus-rtu": 8, "modbus-ascii": 17 };
const ANSWER_BYTES = 5; // around its values: unit, code, count, CRC
const PAUSE_CHARACTERS = 3.5; // Modbus over serial line 1.02 §2.5.1.1
const PAUSE_US_MIN = 1750; // above 19,200 baud
const ECHO_PAGE = 3; // octet count of an answer of 17 to 24 bits
const [ECHO_BITS_MIN, ECHO_BITS_MAX] = [17, 24];

/** Fields of a Modbus tap that has units to ask. */
export const pollFields = {
  mode: z
    .enum(["listen", "poll"])
    .default("listen")
    .describe("poll: this node is the master of the line and asks; nothing else may ask there"),
  everyMs: milliseconds(3_600_000)
    .optional()
    .describe("of mode poll: from one value of a channel to the next; 1000 without it"),
  timeoutMs: z
    .number()
    .int()
    .min(10)
    .max(1000)
    .optional()
    .describe("of mode poll: how long a unit may take to begin its answer; 500 without it"),
  retries: z
    .number()
    .int()
    .min(0)
    .max(5)
    .optional()
    .describe("of mode poll: how often a question without an answer is repeated; 1 without it"),
  gapMs: z
    .number()
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe("of mode poll: silence before a question; 3.5 characters at least"),
  bridge: z
    .number()
    .int()
    .min(0)
    .max(REGISTERS_MAX - 2)
    .optional()
    .describe("of mode poll: registers between two channels that a question may read along"),
};

interface AnyTap {
  protocol: string;
  mode?: "listen" | "poll" | undefined;
}
type ModbusTap = Extract<NodeType["taps"][string], { mode: "listen" | "poll" }>;
type Complain = (path: (string | number)[], message: string) => void;
type Node = Pick<NodeType, "taps" | "channels" | "periodMs">;

/** Whether the node asks on this tap. */
export function polls(tap: AnyTap): boolean {
  return tap.mode === "poll";
}

/** What a tap that polls does, defaults filled in. */
export function pollOf(
  tap: ModbusTap,
): Required<Record<"everyMs" | "timeoutMs" | "retries" | "gapMs" | "bridge", number>> {
  const { everyMs = 1000, timeoutMs = 500, retries = 1, gapMs = 0, bridge = 0 } = tap;
  return { everyMs, timeoutMs, retries, gapMs, bridge };
}

/** One read request; channels are those that it has values of. */
export interface Question {
  unit: number;
  code: number;
  address: number;
  quantity: number;
}

/** The questions of a tap, in order of unit, code and address. */
export function questionsOf({ taps, channels }: Node, name: string): Question[] {
  const { bridge } = pollOf(taps[name] as ModbusTap);
  const wanted = Object.values(channels)
    .filter((one): one is RegisterChannel => one.kind === "register" && one.tap === name)
    .map((one) => ({
      unit: one.unitId,
      code: tableCode(one),
      address: one.address,
      quantity: registersOf(one),
    }))
    .sort((a, b) => a.unit - b.unit || a.code - b.code || a.address - b.address);
  const questions: Question[] = [];
  for (const one of wanted) {
    const last = questions.at(-1);
    const joined = last === undefined ? undefined : join(last, one, bridge);
    if (joined === undefined) questions.push({ ...one });
    else last!.quantity = joined;
  }
  return questions;
}

// How many one question has to read for both; undefined: it takes two.
function join(last: Question, next: Question, bridge: number): number | undefined {
  if (last.unit !== next.unit || last.code !== next.code) return undefined;
  if (next.address > last.address + last.quantity + bridge) return undefined;
  const end = Math.max(last.address + last.quantity, next.address + next.quantity);
  const quantity = end - last.address;
  if (quantity > (last.code <= 2 ? BITS_MAX : REGISTERS_MAX)) return undefined;
  return isLikeItsEcho(last.code, last.address, quantity) ? undefined : quantity;
}

// An answer with three octets of bits is as long as its question. From addresses 300 to 3FF hexadecimal it could
// even have the same octets, and pass for the question heard again.
function isLikeItsEcho(code: number, address: number, quantity: number): boolean {
  const size = quantity >= ECHO_BITS_MIN && quantity <= ECHO_BITS_MAX;
  return code <= 2 && address >> 8 === ECHO_PAGE && size;
}

/** Rows of loop. */
export interface PollTables {
  taps: Row[]; // PollRow, tap/poll.ts
  questions: Row[]; // QuestionRow
}

/** The tables of a checked node; `characterUsOf` gives the length of a character on a tap. */
export function pollTables(node: NodeType, characterUsOf: (tap: string) => number): PollTables {
  const tables: PollTables = { taps: [], questions: [] };
  const names = Object.keys(node.taps);
  for (const [name, tap] of Object.entries(node.taps)) {
    if (!("mode" in tap) || !polls(tap)) continue;
    const { everyMs, timeoutMs, retries, gapMs } = pollOf(tap);
    const characterUs = characterUsOf(name);
    const alike = names.filter((other) => node.taps[other]!.protocol === tap.protocol);
    const questions = questionsOf(node, name);
    checkRound(node, name, characterUs);
    const first = tables.questions.length;
    const gapUs = Math.max(gapMs * 1000, pauseUs(characterUs));
    const ascii = tap.protocol === "modbus-ascii" ? 1 : 0;
    tables.taps.push({
      name,
      fields: [
        ...[names.indexOf(name), ascii, alike.indexOf(name), characterUs],
        ...[everyMs, timeoutMs * 1000, retries, gapUs, first, questions.length],
      ],
    });
    for (const { unit, code, address, quantity } of questions) {
      const leader = questions.findIndex((one) => one.unit === unit);
      tables.questions.push({
        name: `${name}: unit ${unit}`,
        fields: [unit, code, address, quantity, first + leader],
      });
    }
  }
  return tables;
}

function pauseUs(characterUs: number): number {
  return Math.max(Math.ceil(PAUSE_CHARACTERS * characterUs), PAUSE_US_MIN);
}

// A round that takes longer than its period would never give what "everyMs" promises.
function checkRound(node: NodeType, name: string, characterUs: number): void {
  const tap = node.taps[name] as ModbusTap;
  const { everyMs, gapMs } = pollOf(tap);
  const perOctet = tap.protocol === "modbus-ascii" ? 2 : 1;
  const pauses = Math.max(gapMs * 1000, pauseUs(characterUs)) + pauseUs(characterUs);
  const us = questionsOf(node, name).reduce((sum, { code, quantity }) => {
    const values = code <= 2 ? Math.ceil(quantity / 8) : 2 * quantity;
    const characters = QUESTION_BYTES[tap.protocol] + perOctet * (ANSWER_BYTES + values);
    return sum + characters * characterUs + pauses + node.periodMs * 1000;
  }, 0);
  const leastMs = Math.ceil(us / 1000);
  if (everyMs >= leastMs) return;
  throw new Failure(
    EXIT_FAILED,
    `taps.${name}.everyMs: at ${tap.baud} baud its questions and answers take ${leastMs} ms`,
    `set "everyMs" to ${leastMs} or more`,
  );
}

/** What is wrong with taps that poll. */
export function checkPolls(node: Node, complain: Complain): void {
  let count = 0;
  for (const [key, tap] of Object.entries(node.taps)) {
    if (!("mode" in tap)) continue;
    const here = (field: string, message: string): void => complain(["taps", key, field], message);
    if (!polls(tap)) {
      for (const field of ["everyMs", "timeoutMs", "retries", "gapMs", "bridge"] as const)
        if (tap[field] !== undefined) here(field, 'only a tap of "mode": "poll" has it');
      continue;
    }
    if (tap.inverted) here("inverted", "what a tap that polls sends is not turned: leave it out");
    if ("requestsOn" in tap && tap.requestsOn !== undefined)
      here("requestsOn", "a tap that polls knows its own requests: leave it out");
    const answers = Object.entries(node.taps).find(
      ([, one]) => "requestsOn" in one && one.requestsOn === key,
    );
    if (answers !== undefined)
      here("mode", `"${answers[0]}" hears answers to requests on this tap: one of them listens`);
    const questions = questionsOf(node, key);
    if (questions.length === 0)
      here("mode", `nothing to ask: no channel of kind register names "${key}"`);
    count += questions.length;
    checkWritten(node, key, complain);
  }
  if (count > QUESTIONS_MAX)
    complain(
      ["channels"],
      `${count} questions to poll, at most ${QUESTIONS_MAX}: let "bridge" join some`,
    );
}

function checkWritten({ channels }: Node, tap: string, complain: Complain): void {
  for (const [key, channel] of Object.entries(channels))
    if (channel.kind === "register" && channel.tap === tap && channel.fromWrites)
      complain(["channels", key, "fromWrites"], `nobody writes on "${tap}": this node polls it`);
}
