// SPDX-License-Identifier: MIT
// Writes firmware/generated/link.ts: tables, texts and the encoded birth.
//
// Spec: SPEC.md §3, §5; layouts in firmware/link/node.ts, order of the texts in firmware/link/texts.ts.
// What can be encoded at build time is: the node copies it. Names lie only once, inside the birth bytes.
// A part holds as many channels as fit a datagram with the longest identity a node can have.

import { DATAGRAM_BYTES_MAX } from "../../firmware/limits.ts";
import {
  BIRTH_CHANNELS,
  BIRTH_OUTPUTS,
  BIRTH_TAPS,
  CHANNEL_ALARMS,
  CHANNEL_FIELD,
  CHANNEL_HEARTBEAT_MS,
  CHANNEL_KIND,
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
  CHANNEL_NAME,
  CHANNEL_OBJECT,
  CHANNEL_PERIOD_MS,
  CHANNEL_QOS,
  CHANNEL_REGISTER,
  CHANNEL_SCALE,
  CHANNEL_SETPOINT,
  CHANNEL_UNIT,
} from "../../firmware/wire/senml.ts";
import {
  PRESENCE_LOST,
  PRESENCE_OFFLINE,
  PRESENCE_ONLINE,
  TOPIC_BIRTH,
  TOPIC_DATA,
  TOPIC_EVENT,
  TOPIC_PRESENCE,
  TOPIC_ROOT,
  TOPIC_SET,
  TOPIC_SET_RESULT,
  TOPIC_STATUS,
  TOPIC_TAP,
  TOPIC_TIME,
  TOPIC_TIME_GET,
} from "../../firmware/wire/topics.ts";
import {
  array,
  ascii,
  bigEndian,
  fraction,
  head,
  integer,
  MAJOR_ARRAY,
  MAJOR_MAP,
  number,
  text,
} from "./cbor-encode.ts";
import { noticeTables } from "./generate-notices.ts";
import { constant, octets, rows, u16 } from "./link-table.ts";
import { patternsOf } from "./line-taps.ts";
import { valuePeriodMs } from "./periods.ts";
import { pollOf, polls } from "./polls.ts";
import { orderCode, REGISTER_TYPES, tableCode } from "./registers.ts";
import {
  allChannels,
  channelScale,
  type AnyChannel,
  type FieldChannel,
  type NodeType,
  type ObjectChannel,
  type RegisterChannel,
} from "./schema.ts";
import { identityEnd, identityTables } from "./generate-identity.ts";
import { setpointSteps, type SetpointChannel } from "./setpoints.ts";
import { findsOut } from "./tap-watch.ts";

// In the order of firmware/link/texts.ts.
const TEXTS = [
  TOPIC_TIME,
  TOPIC_SET,
  TOPIC_TIME_GET,
  TOPIC_PRESENCE,
  `${TOPIC_BIRTH}/`,
  TOPIC_STATUS,
  TOPIC_EVENT,
  TOPIC_DATA,
  TOPIC_SET_RESULT,
  `${TOPIC_ROOT}/`,
  PRESENCE_ONLINE,
  PRESENCE_OFFLINE,
  PRESENCE_LOST,
  "urn:dev:mac:",
  "open-wire",
  "over-range",
  "under-range",
  "stale",
  "not-a-number",
  "no-input",
  TOPIC_TAP,
];

const PUBLISH_BYTES = 9; // Length in the long form, MsgType, flags, topic id, MsgId
const PART_HEAD_BYTES = 13; // map, boot, index and count with their keys
const IDENTITY_BYTES = 128; // all but node type and version, with a host of 32 characters
const LIMITS_ALIGN = 4; // fields of i32

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

/** The text of firmware/generated/link.ts for a checked node type; `version` goes into the birth. */
export function generateLink(node: NodeType, version: string): string {
  const type = text(node.type);
  const versionText = text(version);
  const birth = encodeBirth(node, type.length + versionText.length);
  const alarms: number[] = [];
  const channels = allChannels(node).flatMap(([name, channel], index) => {
    const place = birth.names[index] as NamePlace;
    const first = alarms.length / 4;
    Object.keys(channel.alarms).forEach((alarm, order) => {
      alarms.push(...u16(place.alarms[order] as number), ...u16(alarm.length));
    });
    const { mantissa, exponent } = channelScale(channel);
    return [
      ...u16(place.name),
      name.length,
      channel.qos,
      ...u16(mantissa),
      exponent & 0xff,
      Object.keys(channel.alarms).length,
      ...u16(first),
    ];
  });
  return [
    "// SPDX-License-Identifier: MIT",
    "// Tables of a node type for link, written by scripts/build/generate-link.ts.",
    "//",
    "// Layouts: firmware/link/node.ts; order of the texts: firmware/link/texts.ts. Little-endian.",
    "",
    constant("OUTBOX_SLOTS", node.transport.outboxSlots),
    constant("KEEP_ALIVE_S", node.transport.keepAliveS),
    constant("WAIT_MS", node.transport.congestionWaitS * 1000),
    constant("CHANNEL_COUNT", birth.names.length),
    constant("SETPOINT_COUNT", Object.keys(node.setpoints).length),
    constant("TAP_COUNT", Object.keys(node.taps).length),
    constant("BIRTH_PART_COUNT", birth.parts.length),
    "",
    rows("CHANNELS", channels),
    rows("ALARMS", alarms.length > 0 ? alarms : [0, 0, 0, 0]),
    rows("SETPOINTS", setpointLimits(node), LIMITS_ALIGN),
    octets(
      "TEXTS",
      TEXTS.filter((value) => value !== TOPIC_TAP || findsOut(node)).flatMap((value) => [
        value.length,
        ...ascii(value),
      ]),
    ),
    rows(
      "BIRTH_PARTS",
      birth.parts.flatMap((p) => [...u16(p.start), ...u16(p.bytes), ...u16(p.pairs)]),
    ),
    octets("BIRTH", birth.bytes),
    ...identityTables(node, version),
    ...noticeTables(node, birth.bytes, encodeTaps(node).length),
    "",
  ].join("\n");
}

/** Least and largest mantissa of each set-point, i32 each. */
function setpointLimits(node: NodeType): number[] {
  const limits = Object.values(node.setpoints).flatMap(({ min, max, decimals }) =>
    [min, max].flatMap((limit) => bigEndian(setpointSteps(limit, decimals), 4).reverse()),
  );
  return limits.length > 0 ? limits : Array<number>(8).fill(0);
}

interface NamePlace {
  name: number;
  alarms: number[];
}
interface Part {
  start: number;
  bytes: number;
  pairs: number;
}
interface Birth {
  bytes: number[];
  parts: Part[];
  names: NamePlace[];
}

/** Encodes channels, outputs and taps and cuts them into parts; node type and version take `namesBytes` of the first. */
function encodeBirth(node: NodeType, namesBytes: number): Birth {
  const tail = [BIRTH_OUTPUTS, ...encodeOutputs(node), BIRTH_TAPS, ...encodeTaps(node)];
  const channels = allChannels(node).map(([name, c]) => encodeChannel(name, c, node));
  const room = DATAGRAM_BYTES_MAX - PUBLISH_BYTES - PART_HEAD_BYTES;
  const groups = groupChannels(channels, room, room - IDENTITY_BYTES - namesBytes, tail.length);
  const birth: Birth = { bytes: identityEnd(node), parts: [], names: [] };
  for (const [index, group] of groups.entries()) {
    const start = index === 0 ? 0 : birth.bytes.length;
    birth.bytes.push(BIRTH_CHANNELS, ...head(MAJOR_ARRAY, group.length));
    for (const channel of group) {
      const at = birth.bytes.length;
      birth.names.push({ name: at + channel.name, alarms: channel.alarms.map((a) => at + a) });
      birth.bytes.push(...channel.bytes);
    }
    const isLast = index === groups.length - 1;
    if (isLast) birth.bytes.push(...tail);
    birth.parts.push({ start, bytes: birth.bytes.length - start, pairs: isLast ? 3 : 1 });
  }
  if (birth.bytes.length > 0xffff)
    throw new Error("the description of the channels exceeds 64 KiB");
  return birth;
}

/** Fills parts with channels in order; the last also carries the tail. */
function groupChannels(
  channels: EncodedChannel[],
  room: number,
  roomFirst: number,
  tailBytes: number,
): EncodedChannel[][] {
  const groups: EncodedChannel[][] = [[]];
  const groupHead = 1 + 2; // key, array of up to 250
  const space = (): number => (groups.length === 1 ? roomFirst : room) - groupHead;
  let used = 0;
  for (const channel of channels) {
    if (used + channel.bytes.length > space()) {
      groups.push([]);
      used = 0;
    }
    (groups[groups.length - 1] as EncodedChannel[]).push(channel);
    used += channel.bytes.length;
    if (used > space()) throw new Error("a channel with its alarms exceeds one datagram");
  }
  if (used + tailBytes > space()) {
    groups.push([]);
    if (tailBytes > space()) throw new Error("the outputs and taps exceed one datagram");
  }
  return groups;
}

/** One channel of the birth, and where its names lie in it. */
interface EncodedChannel {
  bytes: number[];
  name: number;
  alarms: number[];
}

function encodeChannel(name: string, channel: AnyChannel, node: NodeType): EncodedChannel {
  const scale = channelScale(channel);
  const hasAlarms = Object.keys(channel.alarms).length > 0;
  const hasSource = ["register", "setpoint", "field", "object"].includes(channel.kind);
  const optional = [channel.unit !== undefined, hasAlarms, hasSource];
  const bytes = head(MAJOR_MAP, 6 + optional.filter(Boolean).length);
  bytes.push(CHANNEL_NAME, ...text(name));
  const nameAt = bytes.length - name.length;
  if (channel.unit !== undefined) bytes.push(CHANNEL_UNIT, ...text(channel.unit));
  bytes.push(CHANNEL_KIND, ...integer(KINDS[channel.kind]));
  bytes.push(CHANNEL_SCALE, ...fraction(scale.exponent, scale.mantissa));
  bytes.push(CHANNEL_QOS, ...integer(channel.qos));
  const places = hasAlarms ? putAlarms(bytes, channel.alarms) : [];
  if (channel.kind === "register") bytes.push(CHANNEL_REGISTER, ...encodeRegister(channel, node));
  bytes.push(CHANNEL_PERIOD_MS, ...integer(valuePeriodMs(channel, node)));
  // Without a deadband every sample is published, so nothing is promised beyond that.
  const heartbeatMs = channel.deadband === undefined ? 0 : channel.heartbeatMs;
  bytes.push(CHANNEL_HEARTBEAT_MS, ...integer(heartbeatMs));
  if (channel.kind === "setpoint") bytes.push(CHANNEL_SETPOINT, ...encodeSetpoint(channel));
  if (channel.kind === "field") bytes.push(CHANNEL_FIELD, ...encodeField(channel, node));
  if (channel.kind === "object") bytes.push(CHANNEL_OBJECT, ...encodeObject(channel, node));
  return { bytes, name: nameAt, alarms: places };
}

/** Alarms in order, `[name, side, limit, hysteresis, delay, 1 if it latches]`; where their names lie. */
function putAlarms(bytes: number[], alarms: Record<string, AlarmLimit>): number[] {
  const places: number[] = [];
  bytes.push(CHANNEL_ALARMS, ...head(MAJOR_ARRAY, Object.keys(alarms).length));
  for (const [name, { above, below, hysteresis, delayMs, latch }] of Object.entries(alarms)) {
    bytes.push(...head(MAJOR_ARRAY, latch === true ? 6 : 5), ...text(name));
    places.push(bytes.length - name.length);
    bytes.push(...integer(above === undefined ? 0 : 1), ...number(above ?? below ?? 0));
    bytes.push(...number(hysteresis), ...integer(delayMs));
    if (latch === true) bytes.push(...integer(1));
  }
  return places;
}

interface AlarmLimit {
  above?: number | undefined;
  below?: number | undefined;
  hysteresis: number;
  delayMs: number;
  latch?: boolean | undefined;
}

/** `[min, max, default, lifetime of a command in ms]`, 0: for ever. */
function encodeSetpoint(channel: SetpointChannel): number[] {
  const limits = [channel.min, channel.max, channel.default, channel.staleMs];
  return array(limits.map(number));
}

/** `[order of the tap, unit id, function code, address, type, order]`, of a part also `bit, bits`, of a text its registers. */
function encodeRegister(channel: RegisterChannel, node: NodeType): number[] {
  return array([
    integer(Object.keys(node.taps).indexOf(channel.tap)),
    integer(channel.unitId),
    integer(tableCode(channel)),
    integer(channel.address),
    integer(REGISTER_TYPES.indexOf(channel.type)),
    integer(orderCode(channel)),
    ...(channel.bit === undefined ? [] : [integer(channel.bit), integer(channel.bits)]),
    ...(channel.registers === undefined ? [] : [integer(channel.registers)]),
  ]);
}

/** `[order of the tap, pattern, field]` */
function encodeField(channel: FieldChannel, node: NodeType): number[] {
  const tap = node.taps[channel.tap];
  const heard = tap?.protocol === "ascii-line" ? patternsOf(tap, channel) : [];
  // Of a channel that hears several the first stands for all.
  const [pattern = channel.pattern ?? ""] = heard;
  const order = Object.keys(node.taps).indexOf(channel.tap);
  return array([integer(order), text(pattern), text(channel.field)]);
}

/** `[order of the tap, object, which of its values, meter]`: value 0 is the best; M-Bus alone has several meters. */
function encodeObject(channel: ObjectChannel, node: NodeType): number[] {
  const { tap, object, value, unitId, meterId } = channel;
  const meter = meterId ?? unitId;
  const order = Object.keys(node.taps).indexOf(tap);
  const items = [integer(order), text(object), integer(value ?? 0)];
  return array(meter === undefined ? items : [...items, text(String(meter))]);
}

function encodeOutputs(node: NodeType): number[] {
  const duty = (value: number): number[] => integer(Math.round(value * 10_000));
  return array(
    Object.entries(node.outputs).map(([name, { min, max, safe }]) =>
      array([text(name), duty(min), duty(max), duty(safe)]),
    ),
  );
}

function encodeTaps(node: NodeType): number[] {
  return array(
    Object.entries(node.taps).map(([name, tap]) => {
      const { protocol, baud, format } = tap;
      const asks = "mode" in tap && polls(tap) ? [integer(pollOf(tap).everyMs)] : [];
      return array([text(name), text(protocol), integer(baud), text(format), ...asks]);
    }),
  );
}
