// SPDX-License-Identifier: MIT
// A tap of text lines in node.json, and the channels that are its fields.
//
// Spec: SPEC.md §13. What a pattern means is in generate-line.ts. Every complaint names its field.

import { z } from "zod";
import { LINE_PATTERNS_MAX, LINE_WORDS_MAX } from "../../firmware/limits.ts";
import { name } from "./channels.ts";
import { absentFields, patternFields, wordMeaning } from "./generate-line.ts";
import { LINE_TEMPLATES } from "./line-templates.ts";
import type { ExchangeProtocol } from "./exchange-taps.ts";
import type { MeterProtocol } from "./object-taps.ts";
import { polls } from "./polls.ts";

const word = z
  .union([
    z.number().int().min(-2_147_483_647).max(2_147_483_647),
    z.strictObject({
      value: z.number().int().min(-2_147_483_647).max(2_147_483_647),
      others: z
        .enum(["uncertain", "over-range", "under-range", "not-a-number", "open-wire", "no-input"])
        .optional()
        .describe("what it says of the numbers of its line: uncertain, or bad with this cause"),
      power: z
        .number()
        .int()
        .min(-12)
        .max(12)
        .optional()
        .describe("the numbers of its line are 10 to this power times what stands there"),
      negative: z.literal(true).optional().describe("the numbers of its line are below 0"),
    }),
  ])
  .describe("the value of the field when the device says this word");

/** Fields of a tap that only text lines have. */
export const lineFields = {
  template: z
    .enum(Object.keys(LINE_TEMPLATES) as [keyof typeof LINE_TEMPLATES])
    .optional()
    .describe("a known device: its rate, format, patterns and words, unless given here"),
  end: z
    .enum(["CRLF", "CR", "LF", "ETX"])
    .optional()
    .describe("what ends a line; it stands in no pattern; CRLF unless a template says otherwise"),
  check: z.literal("nmea").optional().describe("each line is a sentence with a right sum"),
  patterns: z
    .record(name, z.string().max(400))
    .optional()
    .describe('lines that are taken, as "{weight:8} {unit} {state}"; the first that fits has it'),
  words: z
    .record(
      name,
      z
        .record(
          z.string().regex(/^[\x21-\xff]{1,8}$/, "a word is 1 to 8 characters without blanks"),
          word,
        )
        .refine((all) => Object.keys(all).length >= 1, { message: "give at least one word" })
        .refine((all) => Object.keys(all).length <= LINE_WORDS_MAX, {
          message: `at most ${LINE_WORDS_MAX} words a field`,
        }),
    )
    .optional()
    .describe("fields that are words, each with its value; all other fields are numbers"),
};

export type Word = z.output<typeof word>;

/** A checked tap of lines. */
export interface LineTap {
  baud: number;
  format: "8N1" | "8N2" | "8E1" | "8O1" | "7E1" | "7O1";
  end: "CRLF" | "CR" | "LF" | "ETX";
  check?: "nmea" | undefined;
  patterns: Record<string, string>;
  words: Record<string, Record<string, Word>>;
}

type AnyTap =
  | { protocol: "modbus-rtu" | "modbus-ascii" | "auto" | MeterProtocol | ExchangeProtocol }
  | ({ protocol: "ascii-line" } & LineTap);
type Complain = (path: (string | number)[], message: string) => void;

/** All numbers of the sound patterns of a tap. */
function numbersOf({ patterns, words }: LineTap): string[] {
  return Object.values(patterns).flatMap((text) => {
    const fields = patternFields(text, words);
    return fields.ok ? fields.value.filter((field) => !(field in words)) : [];
  });
}

/** The patterns of a tap that have a field, or that one pattern where it is named. */
export function patternsOf(
  { patterns, words }: LineTap,
  { pattern, field }: { pattern?: string | undefined; field: string },
): string[] {
  return Object.entries(patterns).flatMap(([name, text]) => {
    const fields = patternFields(text, words);
    const has = fields.ok && fields.value.includes(field);
    return has && (pattern === undefined || pattern === name) ? [name] : [];
  });
}

/** What is wrong with the patterns of the taps. */
export function checkTaps(taps: Record<string, AnyTap>, complain: Complain): void {
  let words = 0;
  for (const [key, tap] of Object.entries(taps)) {
    if (tap.protocol !== "ascii-line") continue;
    const count = Object.keys(tap.patterns).length;
    if (count === 0) complain(["taps", key, "patterns"], "a tap of lines needs a pattern");
    if (count > LINE_PATTERNS_MAX)
      complain(["taps", key, "patterns"], `at most ${LINE_PATTERNS_MAX} patterns a tap`);
    const used = new Set<string>();
    let sound = true;
    for (const [pattern, text] of Object.entries(tap.patterns)) {
      const fields = patternFields(text, tap.words);
      sound &&= fields.ok;
      if (!fields.ok) complain(["taps", key, "patterns", pattern], fields.message);
      else for (const field of fields.value) used.add(field);
      for (const absent of absentFields(text))
        if (!numbersOf(tap).includes(absent))
          complain(
            ["taps", key, "patterns", pattern],
            `"${absent}" is a number of no pattern of this tap`,
          );
    }
    for (const [list, { length }] of Object.entries(tap.words).map(
      ([list, all]) => [list, Object.keys(all)] as const,
    )) {
      words += length;
      if (sound && !used.has(list))
        complain(["taps", key, "words", list], "no pattern has this field");
    }
    if (words > 255) complain(["taps", key, "words"], "at most 255 words a node");
  }
}

// What a simulated machine has at its pins; a node of none of these kinds would hear nothing of it.
const MACHINES: Record<string, readonly string[]> = {
  oven: ["analog"],
  press: ["analog", "counter", "digital", "vibration"],
};

/** A machine that the node cannot sense, with what would do. */
export function checkMachine(
  simulate: { machine: string; tap?: string } | undefined,
  node: {
    taps: Record<string, { protocol: string; mode?: "listen" | "poll" }>;
    channels: Record<string, { kind: string }>;
  },
  complain: Complain,
): void {
  if (simulate === undefined) return;
  const { machine } = simulate;
  const kinds = MACHINES[machine];
  if (kinds !== undefined && !Object.values(node.channels).some(({ kind }) => kinds.includes(kind)))
    complain(
      ["simulate", "machine"],
      `no channel senses the ${machine}: add one of kind ${kinds.join(" or ")}`,
    );
  const tap = simulate.tap === undefined ? undefined : node.taps[simulate.tap];
  if (machine === "slaves" && tap !== undefined && !polls(tap))
    complain(
      ["simulate", "tap"],
      `slaves answer who asks, and "${simulate.tap}" listens: give it "mode": "poll"`,
    );
  if (machine === "scale" && tap !== undefined && tap.protocol !== "ascii-line")
    complain(
      ["simulate", "tap"],
      `a scale sends lines, and "${simulate.tap}" hears ${tap.protocol}: name a tap of ascii-line`,
    );
}

/** What is wrong with where a channel of kind field comes from. */
export function checkField(
  channel: {
    tap: string;
    pattern?: string | undefined;
    field: string;
    decimals: number;
    scale: number;
  },
  tap: AnyTap,
  here: (field: string, message: string) => void,
): void {
  if (tap.protocol !== "ascii-line") {
    here("tap", `"${channel.tap}" hears ${tap.protocol}; a field needs a tap of ascii-line`);
    return;
  }
  if (!isHeard(channel, tap, here)) return;
  const power = Math.round(Math.log10(channel.scale));
  const isWord = channel.field in tap.words;
  if (isWord && channel.decimals !== 0) here("decimals", "0: a word has whole numbers");
  if (isWord && channel.scale !== 1) here("scale", "1: a word has whole numbers");
  if (Number(`1e${power}`) !== channel.scale) here("scale", "a power of ten, as 0.001 or 1000");
  else if (channel.decimals + power < 0)
    here("decimals", `at least ${-power} with a scale of ${channel.scale}`);
  else if (channel.decimals + power > 9)
    here("scale", `at most ${Number(`1e${9 - channel.decimals}`)} with so many decimals`);
}

// False: it is said, here or where the pattern stands.
function isHeard(
  channel: { tap: string; pattern?: string | undefined; field: string },
  tap: LineTap,
  here: (field: string, message: string) => void,
): boolean {
  const { pattern, field } = channel;
  const all = Object.entries(tap.patterns);
  const named = all.filter(([key]) => pattern === undefined || key === pattern);
  if (named.length === 0) {
    const known = all.map(([key]) => key).join(", ");
    here("pattern", `"${channel.tap}" has no pattern "${pattern}"; known: ${known}`);
    return false;
  }
  const fields = named.map(([, text]) => patternFields(text, tap.words));
  if (fields.some(({ ok }) => !ok)) return false;
  const known = [...new Set(fields.flatMap((one) => (one.ok ? one.value : [])))];
  if (known.includes(field)) return true;
  const where = pattern ?? channel.tap;
  here("field", `"${where}" has no field "${field}"; known: ${known.join(", ") || "none"}`);
  return false;
}

/** What the lines of a tap ask of the firmware. */
export function lineUses(taps: readonly AnyTap[]): {
  WORD_SCALES: boolean;
  ABSENT_FIELDS: boolean;
  LINE_CHECKS: boolean;
} {
  const lines = taps.flatMap((tap) => (tap.protocol === "ascii-line" ? [tap] : []));
  const words = lines.flatMap((tap) => Object.values(tap.words).flatMap(Object.values<Word>));
  return {
    WORD_SCALES: words
      .map(wordMeaning)
      .some(({ power, negative }) => (power ?? 0) !== 0 || negative),
    ABSENT_FIELDS: lines.some((tap) =>
      Object.values(tap.patterns).some((text) => absentFields(text).length > 0),
    ),
    LINE_CHECKS: lines.some(({ check }) => check !== undefined),
  };
}
