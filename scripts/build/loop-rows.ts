// SPDX-License-Identifier: MIT
// Rows of channels, alarms, set-points, outputs and taps for loop.
//
// Each row has the fields of its struct in firmware/loop, in their order. Limits and dead bands become
// mantissas or raw register units here. What cannot be built is a Failure with its field.

import { TAP_ENTRIES_PER_SLOW_TICK, TAP_ENTRIES_PER_TICK } from "../../firmware/limits.ts";
import { isJsBoard } from "./board-names.ts";
import type { BoardNode } from "./board-values.ts";
import {
  CHANNEL_KIND_ANALOG,
  CHANNEL_KIND_COMPUTED,
  CHANNEL_KIND_COUNTER,
  CHANNEL_KIND_DIGITAL,
  CHANNEL_KIND_FIELD,
  CHANNEL_KIND_OBJECT,
  CHANNEL_KIND_REGISTER,
  CHANNEL_KIND_SETPOINT,
  CHANNEL_KIND_STATE,
  CHANNEL_KIND_VIBRATION,
} from "../../firmware/wire/senml.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { exchangeTables } from "./exchange-taps.ts";
import { meterTables, type MeterTables } from "./generate-objects.ts";
import type { Row } from "./loop-table.ts";
import { type PollTables, pollTables } from "./polls.ts";
import { allChannels, type NodeType } from "./schema.ts";
import { setpointSteps } from "./setpoints.ts";
import { distance, level, typeOf } from "./steps.ts";

const KINDS = {
  analog: CHANNEL_KIND_ANALOG,
  register: CHANNEL_KIND_REGISTER,
  computed: CHANNEL_KIND_COMPUTED,
  digital: CHANNEL_KIND_DIGITAL,
  counter: CHANNEL_KIND_COUNTER,
  vibration: CHANNEL_KIND_VIBRATION,
  state: CHANNEL_KIND_STATE,
  field: CHANNEL_KIND_FIELD,
  object: CHANNEL_KIND_OBJECT,
  setpoint: CHANNEL_KIND_SETPOINT,
};
const PERMYRIAD = 10_000;

/** ChannelRow, filter.ts. */
export function channelRowsOf(node: NodeType): Row[] {
  let alarmFirst = 0;
  return allChannels(node).map(([name, channel]) => {
    const alarmCount = Object.keys(channel.alarms).length;
    const type = typeOf(channel);
    const fields = [
      KINDS[channel.kind],
      type,
      channel.deadband === undefined ? 0 : 1,
      channel.deadband === undefined ? 0 : distance(channel, channel.deadband),
      channel.heartbeatMs,
      alarmFirst,
      alarmCount,
    ];
    alarmFirst += alarmCount;
    return { name, fields };
  });
}

/** AlarmRow, decide.ts. */
export function alarmRowsOf(node: NodeType): Row[] {
  return Object.entries(node.channels).flatMap(([channelName, channel]) =>
    Object.entries(channel.alarms).map(([name, alarm]) => {
      const above = alarm.above !== undefined;
      const limit = alarm.above ?? alarm.below ?? 0;
      const back = above ? limit - alarm.hysteresis : limit + alarm.hysteresis;
      return {
        name: `${channelName}/${name}`,
        fields: [above ? 1 : 0, level(channel, limit), level(channel, back), alarm.delayMs],
      };
    }),
  );
}

/** SetpointRow, setpoint.ts. */
export function setpointRowsOf(node: NodeType): Row[] {
  const first = Object.keys(node.channels).length;
  return Object.entries(node.setpoints).map(([name, one], index) => {
    const limits = [one.min, one.max, one.default].map((v) => setpointSteps(v, one.decimals));
    return { name, fields: [first + index, ...limits, one.staleMs ?? 0] };
  });
}

/** LatchRow, decide.ts: one for each alarm, or none at all when no alarm latches. */
export function latchRowsOf(node: NodeType): Row[] {
  const rows = Object.entries(node.channels).flatMap(([channelName, { alarms }]) =>
    Object.entries(alarms).map(([name, { latch }]) => ({
      name: `${channelName}/${name}`,
      fields: [latch ? 1 : 0],
    })),
  );
  return rows.some(({ fields }) => fields[0] === 1) ? rows : [];
}

/** OutputRow, actuate.ts. */
export function outputRowsOf(node: NodeType): Row[] {
  return Object.entries(node.outputs).flatMap(([name, o]) => {
    if (o.kind !== "pwm") return [];
    const duties = [o.min, o.max, o.safe].map((duty) => Math.round(duty * PERMYRIAD));
    return [{ name, fields: [o.output, ...duties] }];
  });
}

/** SwitchRow, actuate.ts. */
export function switchRowsOf(node: NodeType): Row[] {
  return Object.entries(node.outputs).flatMap(([name, o]) =>
    o.kind === "digital" ? [{ name, fields: [o.pin, o.safe] }] : [],
  );
}

/** Names of the outputs as loop numbers them: those of a duty first, then those of one bit. */
export function outputNames(node: NodeType): string[] {
  return [...outputRowsOf(node), ...switchRowsOf(node)].map(({ name }) => name);
}

/** Length of a character of a tap in microseconds, rounded up; refused where the tick cannot keep up. */
function characterUsOf(node: BoardNode, name: string): number {
  const tap = node.taps[name]!;
  const isBatched = isJsBoard(node.board) && tap.protocol.startsWith("modbus");
  const most = isBatched ? TAP_ENTRIES_PER_SLOW_TICK : TAP_ENTRIES_PER_TICK;
  const characterUs = exactCharacterUs(tap);
  if (characterUs * most < node.periodMs * 1000)
    throw new Failure(
      EXIT_FAILED,
      `taps.${name}.baud: at ${tap.baud} baud more than ${most} characters ` +
        `come in a period of ${node.periodMs} ms`,
      `set "periodMs" to ${Math.floor((characterUs * most) / 100) / 10} or less`,
    );
  return Math.ceil(characterUs);
}

function exactCharacterUs({ format, baud }: NodeType["taps"][string]): number {
  return ((format === "8N1" || format.startsWith("7") ? 10 : 11) * 1e6) / baud;
}

/** Entries that a tick takes of a Modbus tap at most; in a long period a quarter more than come. */
export function tapEntriesOf(node: BoardNode): number {
  if (!isJsBoard(node.board)) return TAP_ENTRIES_PER_TICK;
  const shortest = Math.min(...Object.values(node.taps).map(exactCharacterUs));
  const wanted = Math.ceil((1.25 * node.periodMs * 1000) / shortest / 16) * 16;
  return Math.min(TAP_ENTRIES_PER_SLOW_TICK, Math.max(TAP_ENTRIES_PER_TICK, wanted));
}

/** TapRow, tick/taps.ts: those of Modbus RTU; all are checked. */
export function tapRowsOf(node: NodeType): Row[] {
  return modbusRows(node, "modbus-rtu");
}

/** TapRow, tick/taps.ts: those of Modbus ASCII. */
export function asciiRowsOf(node: NodeType): Row[] {
  return modbusRows(node, "modbus-ascii");
}

/** JoinRow, tick/taps.ts: taps that hear the answers to the requests of another. */
export function joinRowsOf(node: NodeType): Row[] {
  const rows = tapRowsOf(node);
  return Object.entries(node.taps).flatMap(([name, tap]) => {
    const asker = "requestsOn" in tap ? tap.requestsOn : undefined;
    if (asker === undefined) return [];
    const fields = [asker, name].map((one) => rows.findIndex((row) => row.name === one));
    return [{ name, fields }];
  });
}

function modbusRows(node: NodeType, protocol: string): Row[] {
  return Object.entries(node.taps).flatMap(([name, tap], index) => {
    if (tap.protocol === "auto") return []; // it takes more in a tick
    const characterUs = characterUsOf(node, name);
    return tap.protocol === protocol ? [{ name, fields: [index, characterUs] }] : [];
  });
}

/** Tables of the taps of meters. */
export function metersOf(node: NodeType): MeterTables {
  return meterTables(node, (tap) => characterUsOf(node, tap));
}

/** Tables of the taps of scales, controllers and drives. */
export function exchangesOf(node: NodeType): ReturnType<typeof exchangeTables> {
  return exchangeTables(node, (tap) => characterUsOf(node, tap));
}

/** Tables of the taps that poll. */
export function pollsOf(node: NodeType): PollTables {
  return pollTables(node, (tap) => characterUsOf(node, tap));
}
