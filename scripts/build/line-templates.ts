// SPDX-License-Identifier: MIT
// What known devices say in lines: scales, multimeters, NMEA 0183.
//
// Spec: SPEC.md §13 has the table of templates with their sources. A weight is in grams whatever unit the scale shows; a unit
// that is no power of ten of it has a field of its own. What is no live value (minimum, maximum, difference) fits
// no pattern. Of a number that a device says is none, the line names the cause.

import type { LineTap, Word } from "./line-taps.ts";

/** What a tap of lines has unless it says otherwise. */
export type LineTemplate = LineTap;

const UNCERTAIN = { others: "uncertain" } as const;
const OVER = { others: "over-range" } as const;
const UNDER = { others: "under-range" } as const;
const NONE = { others: "no-input" } as const;

// Word values are ours: a device's own names stay readable on a chart as numbers from 0 up.
const SIGN: Record<string, Word> = { "+": 0, "-": { value: 1, negative: true } };

const MASSES: Record<string, Word> = {
  g: 0,
  kg: { value: 1, power: 3 },
  mg: { value: 2, power: -3 },
  t: { value: 3, power: 6 },
};

/** KERN EW, FKB and alike, as captured: sign, digits, unit, stability. */
const KERN: LineTemplate = {
  ...{ baud: 9600, format: "8N1", end: "CRLF" },
  patterns: {
    weight: "{sign}{weight} {unit} {condition}",
    carats: "{sign}{carats} CT {condition}",
    pieces: "{sign}{pieces} PC {condition}",
  },
  words: {
    sign: SIGN,
    unit: { G: 0, KG: { value: 1, power: 3 } },
    condition: { S: 1, U: { value: 0, ...UNCERTAIN }, E: { value: 2, ...OVER } },
  },
};

/** METTLER TOLEDO standard interface command set, level 0 and 1: answers to S, SI, SIR. */
const MT_SICS: LineTemplate = {
  ...{ baud: 9600, format: "8N1", end: "CRLF" },
  patterns: {
    // {:1} is a blank that has to be there: the command SI is no answer.
    weight: "S{:1}{condition} {weight} {unit}",
    pieces: "S{:1}{condition} {pieces} PCS",
    none: "S{:1}{trouble}{!weight}{!pieces}",
  },
  words: {
    condition: { S: 1, D: { value: 0, ...UNCERTAIN } },
    unit: MASSES,
    trouble: { "+": { value: 0, ...OVER }, "-": { value: 1, ...UNDER }, I: { value: 2, ...NONE } },
  },
};

/** A&D standard format, as Ohaus and others have it too: header, comma, sign, digits, unit. */
const A_AND_D: LineTemplate = {
  ...{ baud: 2400, format: "7E1", end: "CRLF" },
  patterns: {
    weight: "{condition},{sign}{weight} {unit}",
    pieces: "QT,{sign}{pieces} PC",
    overload: "{overload},{}{!weight}{!pieces}",
  },
  words: {
    condition: { ST: 1, US: { value: 0, ...UNCERTAIN } },
    sign: SIGN,
    unit: MASSES,
    overload: { OL: { value: 0, ...OVER } },
  },
};

/** Heidenhain ND: a counter of millimetres or degrees; a line in inches ends otherwise. */
const HEIDENHAIN_ND: LineTemplate = {
  ...{ baud: 9600, format: "7E1", end: "CRLF" },
  patterns: { position: "\u0002{sign} {position} " },
  words: { sign: SIGN },
};

// Of the Cyrustek ES51922: range, five digits, function, status, four octets of options.
const powers = (list: readonly (number | null)[]): Record<string, Word> =>
  Object.fromEntries(
    list.flatMap((power, value) => (power === null ? [] : [[String(value), { value, power }]])),
  );
const octet = (value: number): string => String.fromCharCode(0x30 + value);
const status = (values: readonly number[]): Record<string, Word> =>
  Object.fromEntries(
    values.map((value) => {
      const says = value & 1 ? OVER : {};
      return [octet(value), { value, ...says, ...(value & 4 ? { negative: true as const } : {}) }];
    }),
  );
const SIXTEEN = Array.from({ length: 16 }, (_, value) => value);
const REST = "{mode}{limits}{coupling}{:1}";

/** UNI-T UT61E and what else has its chip. */
const UT61E: LineTemplate = {
  ...{ baud: 19_200, format: "7O1", end: "CRLF" },
  patterns: {
    volts: `{volt-range}{volts:5};{status}${REST}`,
    ohms: `{ohm-range}{ohms:5}3{status}${REST}`,
    microamperes: `{micro-range}{microamperes:5}={status}${REST}`,
    milliamperes: `{milli-range}{milliamperes:5}?{status}${REST}`,
    amperes: `{ampere-range}{amperes:5}0{status}${REST}`,
    hertz: `{hertz-range}{hertz:5}2{reckoned}${REST}`,
    nanofarads: `{farad-range}{nanofarads:5}6{status}${REST}`,
    diode: `{diode-range}{diode:5}1{status}${REST}`,
  },
  words: {
    "volt-range": powers([-4, -3, -2, -1, -5]),
    "ohm-range": powers([-2, -1, 0, 1, 2, 3, 4]),
    "micro-range": powers([-2, -1]),
    "milli-range": powers([-3, -2]),
    "ampere-range": powers([-3]),
    "hertz-range": powers([-2, -1, null, 0, 1, 2, 3, 4]),
    "farad-range": powers([-3, -2, -1, 0, 1, 2, 3, 4]),
    "diode-range": powers([-4]),
    status: status(SIXTEEN),
    reckoned: status(SIXTEEN.slice(0, 8)), // bit 3: it is a duty cycle
    mode: { "0": 0, "1": 1 }, // bits 1 to 3: difference, minimum, maximum
    limits: { "0": 0, "8": { value: 1, ...UNDER } }, // bits 1, 2: a peak
    // 1 direct, 2 alternating; bit 0: it shows the frequency of a voltage
    coupling: { "0": 0, "2": 0, "4": 2, "6": 2, "8": 1, ":": 1, "<": 3, ">": 3 },
  },
};

/** NMEA 0183 of receivers, wind, depth, compass, water temperature; each line with a right sum. */
const NMEA_0183: LineTemplate = {
  ...{ baud: 4800, format: "8N1", end: "CRLF", check: "nmea" },
  patterns: {
    rmc: "${:2}RMC,{},{valid},{latitude},{north},{longitude},{east},{speed},{course},{}",
    "no-fix": "${:2}RMC,{},{void},{}{!latitude}{!longitude}{!speed}{!course}",
    gga: "${:2}GGA,{},{},{},{},{},{fix},{satellites},{},{altitude},M,{}",
    wind: "${:2}MWV,{angle},{reference},{wind},M,A*{:2}",
    "wind-knots": "${:2}MWV,{angle},{reference},{knots},N,A*{:2}",
    depth: "${:2}DBT,{},f,{depth},M,{}",
    heading: "${:2}HDT,{heading},T*{:2}",
    water: "${:2}MTW,{temperature},C*{:2}",
  },
  words: {
    valid: { A: 1 },
    void: { V: { value: 0, ...NONE } },
    north: { N: 1, S: -1 },
    east: { E: 1, W: -1 },
    fix: {
      "0": { value: 0, ...NONE },
      "1": 1,
      "2": 2,
      "3": 3,
      "4": 4,
      "5": 5,
      "6": { value: 6, ...UNCERTAIN },
      "8": { value: 8, ...UNCERTAIN },
    },
    reference: { R: 0, T: 1 },
  },
};

export const LINE_TEMPLATES = {
  kern: KERN,
  "mt-sics": MT_SICS,
  "a-and-d": A_AND_D,
  "heidenhain-nd": HEIDENHAIN_ND,
  ut61e: UT61E,
  nmea0183: NMEA_0183,
};

type Own = { [K in keyof LineTap]?: LineTap[K] | undefined };

/**
 * What a tap has, with what a template has. Own patterns come first: the first that fits a line has it. Words that
 * no pattern has are left out.
 */
export function withTemplate(name: keyof typeof LINE_TEMPLATES | undefined, own: Own): LineTap {
  const template: LineTemplate | undefined = name === undefined ? undefined : LINE_TEMPLATES[name];
  const patterns = { ...own.patterns, ...without(template?.patterns, own.patterns) };
  const used = Object.values(patterns).join("");
  const known = Object.entries({ ...template?.words }).filter(([name]) =>
    used.includes(`{${name}}`),
  );
  return {
    baud: own.baud ?? template?.baud ?? 9600,
    format: own.format ?? template?.format ?? "8N1",
    end: own.end ?? template?.end ?? "CRLF",
    check: own.check ?? template?.check,
    patterns,
    words: { ...Object.fromEntries(known), ...own.words },
  };
}

function without<T>(all: Record<string, T> = {}, names: object = {}): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !(name in names)));
}
