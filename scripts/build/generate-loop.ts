// SPDX-License-Identifier: MIT
// Generates what loop.wasm of a node type is compiled with: tables, names, entry.
//
// Input: a checked node.json. Engineering units end here; rows are made in loop-rows.ts and loop-inputs.ts.
// A table without rows takes its part out of the module.

import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import type { BoardNode } from "./board-values.ts";
import {
  accelerometerRowsOf,
  analogRowsOf,
  autoRowsOf,
  burstRowsOf,
  chainRowsOf,
  counterRowsOf,
  digitalRowsOf,
  featureRowsOf,
  fieldRowsOf,
  linesOf,
  registerRowsOf,
  stateRowsOf,
  textRowsOf,
} from "./loop-inputs.ts";
import {
  alarmRowsOf,
  asciiRowsOf,
  channelRowsOf,
  exchangesOf,
  joinRowsOf,
  latchRowsOf,
  metersOf,
  outputNames,
  outputRowsOf,
  pollsOf,
  setpointRowsOf,
  switchRowsOf,
  tapEntriesOf,
  tapRowsOf,
} from "./loop-rows.ts";
import { octetTable, table } from "./loop-table.ts";
import { allChannels, type NodeType } from "./schema.ts";
import { learnedTaps, watchedTaps } from "./tap-watch.ts";

export interface LoopSources {
  constants: string; // firmware/generated/loop.ts
  names: string; // what "ferrule/node" is to node code
  entry: string; // node/loop-entry.ts; it imports decide() from node/loop.ts
}

/** The three generated sources of loop for a node type. */
export function generateLoop(node: BoardNode): LoopSources {
  return { constants: constantsOf(node), names: namesOf(node), entry: ENTRY };
}

const ENTRY = `// SPDX-License-Identifier: MIT
// Entry of loop.wasm: what the host calls, around the node's own decide().
//
// Generated; do not edit. Spec: SPEC.md §1.1.

import { beginTick, endTick, init as initLoop } from "../firmware/loop/index";
import { decide } from "./loop";

export function init(): void {
  initLoop();
}

export function tick(): void {
  beginTick();
  decide();
  endTick();
}

export function memoryBytes(): i32 {
  return __heap_base as i32;
}
`;

function constantsOf(node: BoardNode): string {
  const lines = linesOf(node);
  const meters = metersOf(node);
  const exchanges = exchangesOf(node);
  const polls = pollsOf(node);
  return [
    `// SPDX-License-Identifier: MIT
// Constants of a node type for loop.
//
// Generated from node.json by scripts/build/generate-loop.ts; do not edit. Each row has the fields
// of the struct that is named above its table, in that order. A count of 0 takes its code out.
`,
    table("CHANNEL", "ChannelRow, filter.ts", channelRowsOf(node)),
    table("ANALOG", "AnalogRow, sample.ts", analogRowsOf(node)),
    table("CHAIN", "ChainRow, chain.ts", chainRowsOf(node)),
    table("REGISTER", "RegisterRow, tap/register.ts", registerRowsOf(node)),
    table("TEXT", "TextRow, tick/texts.ts", textRowsOf(node)),
    table("DIGITAL", "DigitalRow, digital.ts", digitalRowsOf(node)),
    table("COUNTER", "CounterRow, tick/pins.ts", counterRowsOf(node)),
    table("ACCELEROMETER", "VibrationRow, vibration.ts", accelerometerRowsOf(node)),
    table("BURST", "BurstRow, tick/bursts.ts", burstRowsOf(node)),
    table("FEATURE", "FeatureRow, tick/bursts.ts", featureRowsOf(node)),
    table("STATE", "StateRow, machine.ts", stateRowsOf(node)),
    table("ALARM", "AlarmRow, decide.ts", alarmRowsOf(node)),
    table("LATCH", "LatchRow, decide.ts", latchRowsOf(node)),
    table("SETPOINT", "SetpointRow, setpoint.ts", setpointRowsOf(node)),
    table("OUTPUT", "OutputRow, actuate.ts", outputRowsOf(node)),
    table("SWITCH", "SwitchRow, actuate.ts", switchRowsOf(node)),
    table("TAP", "TapRow, tick/taps.ts", tapRowsOf(node)),
    table("ASCII", "TapRow, tick/taps.ts: Modbus ASCII", asciiRowsOf(node)),
    table("JOIN", "JoinRow, tick/taps.ts", joinRowsOf(node)),
    `// of a Modbus tap in a tick\nexport const TAP_ENTRIES: i32 = ${tapEntriesOf(node)};\n`,
    table("POLL", "PollRow, tap/poll.ts", polls.taps),
    table("QUESTION", "QuestionRow, tap/poll.ts", polls.questions),
    `// a bit for each tap\nexport const LEARNED_TAPS: i32 = ${learnedTaps(node)};\n` +
      `export const WATCHED_TAPS: i32 = ${watchedTaps(node)};\n`,
    table("LINE", "LineRow, tick/lines.ts", lines.lines),
    table("PATTERN", "PatternRow, tick/lines.ts", lines.patterns),
    table("WORD", "WordRow, tap/match.ts", lines.words),
    table("FIELD", "FieldRow, tick/lines.ts", fieldRowsOf(node, lines)),
    table("AUTO", "AutoRow, tick/auto.ts", autoRowsOf(node)),
    octetTable("PROGRAM", "steps of the patterns, tap/match.ts", lines.program),
    table("P1", "MeterRow, tick/meters.ts", meters.taps["dsmr-p1"]),
    table("IEC", "MeterRow, tick/meters.ts", meters.taps["iec62056-21"]),
    table("SML", "MeterRow, tick/meters.ts", meters.taps.sml),
    table("M_BUS", "MeterRow, tick/meters.ts", meters.taps["m-bus"]),
    table("FOLLOW", "FollowRow, tick/meters.ts", meters.follows),
    table("EXCHANGE", "ExchangeRow, tick/exchanges.ts", exchanges.taps),
    table("PLACE", "PlaceRow, tap/place.ts", exchanges.places),
    table("OBJECT", "ObjectRow, tick/meters.ts", meters.objects),
    octetTable("RECORD_NAMES", "DIB and VIB of M-Bus records, tick/meters.ts", meters.names),
  ].join("\n");
}

function namesOf(node: NodeType): string {
  const taken = new Map<string, string>();
  const lines = [
    ...allChannels(node).map(([key, { kind }], i) =>
      nameLine(taken, `${kind === "setpoint" ? "setpoints" : "channels"}.${key}`, key, i),
    ),
    ...Object.keys(node.setpoints).map((key, i) =>
      nameLine(taken, `setpoints.${key}`, `${key}_SETPOINT`, i),
    ),
    ...outputNames(node).map((key, i) => nameLine(taken, `outputs.${key}`, `${key}_OUTPUT`, i)),
  ];
  return `// SPDX-License-Identifier: MIT
// Numbers of the channels, set-points and outputs of a node type, for its loop.ts.
//
// Generated from node.json; do not edit.

${lines.join("\n")}
`;
}

// A name in capitals; two fields that would share one are refused.
function nameLine(taken: Map<string, string>, path: string, key: string, index: number): string {
  const upper = key.toUpperCase().replaceAll("-", "_");
  const constant = /^[0-9]/.test(upper) ? `_${upper}` : upper;
  const other = taken.get(constant);
  if (other !== undefined)
    throw new Failure(
      EXIT_FAILED,
      `${path}: loop.ts would know it as ${constant}, as it does ${other}`,
      "rename one of the two",
    );
  taken.set(constant, path);
  return `export const ${constant}: i32 = ${index};`;
}
