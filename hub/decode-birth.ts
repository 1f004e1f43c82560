// SPDX-License-Identifier: MIT
// Births and statuses: octets to typed values, or the name of the error.
//
// Spec: SPEC.md §4, §5, §6. Keys that are not known are passed over, so that a newer node still shows;
// a field that is known and wrong refuses the message.

import * as senml from "../firmware/wire/senml.ts";
import type { ChannelKind, OutputView, TapView } from "./api.ts";
import type { CborCheck, CborError } from "./cbor.ts";
import * as cbor from "./cbor-reader.ts";
import { takeObject, type ObjectSource } from "./decode-object.ts";
import { type RegisterSource, takeRegister } from "./decode-register.ts";
import * as limits from "./limits.ts";
import { isName, isUnit } from "./names.ts";

export type BirthError = CborError | "not-a-birth";
export type StatusError = CborError | "not-a-status";

export interface Identity {
  type: string;
  eui64: string; // 16 hex digits
  loopHash: string; // 64 hex digits
  linkHash: string;
  firmware: string;
  host: string;
  periodUs: number;
  channelCount: number;
}

export interface AlarmLimit {
  name: string;
  above: boolean;
  limit: number;
  hysteresis: number;
  delayMs: number;
  latch: boolean;
}

/** Limits of a set-point. */
export interface SetpointLimits {
  min: number;
  max: number;
  default: number;
  staleMs: number; // 0: a write lasts for ever
}

/** Where a field stands: a pattern of a tap's lines; the tap is its order in the birth. */
export interface FieldSource {
  tap: number;
  pattern: string;
  field: string;
}

export interface ChannelBirth {
  name: string;
  unit: string | null;
  kind: ChannelKind;
  decimals: number | null;
  step: number; // the scale: what one more of the mantissa means
  qos: number;
  alarms: AlarmLimit[];
  register: RegisterSource | null;
  field: FieldSource | null; // also null for a field of a node that does not tell
  object: ObjectSource | null;
  setpoint: SetpointLimits | null;
  periodMs: number;
  heartbeatMs: number;
}

export type TapBirth = Omit<TapView, "counters" | "line" | "learned">;

/** One part; what stands in another part is null or empty. */
export interface BirthPart {
  boot: number;
  index: number;
  count: number;
  identity: Identity | null;
  channels: ChannelBirth[];
  outputs: OutputView[] | null;
  taps: TapBirth[] | null;
}

export interface Status {
  boot: number;
  uptimeMs: number;
  counters: number[]; // in the order of SPEC.md §6
  taps: number[][];
  roundTripMs: number; // 0: not measured
  datagramsSent: number; // 0: not told
  host: number[]; // restarts, cause, pc, lr, faults; empty: nothing to tell
}

/** Decodes one birth part; a string is an error. */
export function decodeBirthPart(
  check: CborCheck,
  reader: cbor.CborReader,
  bytes: Uint8Array,
): BirthPart | BirthError {
  const error = check(bytes, BIRTH_LIMITS);
  if (error !== null) return error;
  cbor.startReading(reader, bytes);
  if (cbor.majorType(reader) !== 5) return "not-a-birth";
  const part: BirthPart = {
    boot: -1,
    index: -1,
    count: -1,
    identity: null,
    channels: [],
    outputs: null,
    taps: null,
  };
  const keysKnown = takeMapOf(reader, (key) => takePartField(reader, part, key));
  if (!keysKnown) return "bad-key";
  if (reader.failed) return "bad-field";
  if (part.boot < 0 || part.index < 0 || part.count < 0) return "not-a-birth";
  const first = part.index === 0;
  const last = part.index === part.count - 1;
  const complete = first === (part.identity !== null) && part.index < part.count;
  if (!complete || (!last && (part.outputs !== null || part.taps !== null))) return "bad-field";
  return part;
}

/** Decodes a status; a string is an error. */
export function decodeStatus(
  check: CborCheck,
  reader: cbor.CborReader,
  bytes: Uint8Array,
): Status | StatusError {
  const error = check(bytes, STATUS_LIMITS);
  if (error !== null) return error;
  cbor.startReading(reader, bytes);
  if (cbor.majorType(reader) !== 5) return "not-a-status";
  const status: Status = {
    boot: -1,
    uptimeMs: -1,
    counters: [],
    taps: [],
    roundTripMs: 0,
    datagramsSent: 0,
    host: [],
  };
  const keysKnown = takeMapOf(reader, (key) => {
    if (key === senml.STATUS_BOOT) status.boot = cbor.takeUnsigned(reader, U32_MAX);
    else if (key === senml.STATUS_UPTIME_MS)
      status.uptimeMs = cbor.takeUnsigned(reader, limits.WALL_MS_MAX);
    else if (key === senml.STATUS_COUNTERS) status.counters = takeCounters(reader);
    else if (key === senml.STATUS_TAPS)
      status.taps = takeList(reader, limits.TAPS_MAX, () => takeCounters(reader));
    else if (key === senml.STATUS_ROUND_TRIP_MS)
      status.roundTripMs = cbor.takeUnsigned(reader, U32_MAX);
    else if (key === senml.STATUS_DATAGRAMS_SENT)
      status.datagramsSent = cbor.takeUnsigned(reader, U32_MAX);
    else if (key === senml.STATUS_HOST) status.host = takeCounters(reader);
    else return false;
    return true;
  });
  if (!keysKnown) return "bad-key";
  if (reader.failed) return "bad-field";
  return status.boot < 0 || status.uptimeMs < 0 ? "not-a-status" : status;
}

const BIRTH_LIMITS = { bytesMax: limits.MESSAGE_BYTES_MAX, depthMax: limits.BIRTH_DEPTH_MAX };
const STATUS_LIMITS = { bytesMax: limits.MESSAGE_BYTES_MAX, depthMax: limits.STATUS_DEPTH_MAX };
const TAP_ITEMS = 4; // one more of a tap that polls
const U32_MAX = 0xffff_ffff;
const HOUR_MS_MAX = 86_400_000; // no period or delay is longer than a day
const DUTY_MAX = 10_000; // SPEC.md §5: outputs are given in 1/10,000
const CHANNEL_KINDS: readonly ChannelKind[] = [
  "analog",
  "register",
  "computed",
  "digital",
  "counter",
  "vibration",
  "state",
  "field",
  "setpoint",
  "object",
];

/** Takes a map; `field` takes the value of a key it knows, or gives false. */
function takeMapOf(reader: cbor.CborReader, field: (key: number) => boolean): boolean {
  const pairs = cbor.takeMap(reader);
  for (let i = 0; i < pairs && !reader.failed; i++) {
    const key = cbor.takeKey(reader);
    if (key === cbor.KEY_REQUIRED_TEXT) return false;
    if (!field(key)) cbor.skipItem(reader);
  }
  return true;
}

function takeList<T>(reader: cbor.CborReader, max: number, take: () => T): T[] {
  const count = cbor.takeArray(reader);
  if (count > max) reader.failed = true;
  const items: T[] = [];
  for (let i = 0; i < count && !reader.failed; i++) items.push(take());
  return items;
}

function takeCounters(reader: cbor.CborReader): number[] {
  return takeList(reader, limits.RECORDS_MAX, () => cbor.takeUnsigned(reader, U32_MAX));
}

function takePartField(reader: cbor.CborReader, part: BirthPart, key: number): boolean {
  if (key === senml.BIRTH_BOOT) part.boot = cbor.takeUnsigned(reader, U32_MAX);
  else if (key === senml.BIRTH_INDEX)
    part.index = cbor.takeUnsigned(reader, limits.BIRTH_PARTS_MAX - 1);
  else if (key === senml.BIRTH_COUNT)
    part.count = cbor.takeUnsigned(reader, limits.BIRTH_PARTS_MAX);
  else if (key === senml.BIRTH_IDENTITY) part.identity = takeIdentity(reader);
  else if (key === senml.BIRTH_CHANNELS)
    part.channels = takeList(reader, limits.RECORDS_MAX, () => takeChannel(reader));
  else if (key === senml.BIRTH_OUTPUTS)
    part.outputs = takeList(reader, limits.OUTPUTS_MAX, () => takeOutput(reader));
  else if (key === senml.BIRTH_TAPS)
    part.taps = takeList(reader, limits.TAPS_MAX, () => takeTap(reader));
  else return false;
  return true;
}

function takeIdentity(reader: cbor.CborReader): Identity {
  const identity: Identity = {
    type: "",
    eui64: "",
    loopHash: "",
    linkHash: "",
    firmware: "",
    host: "",
    periodUs: -1,
    channelCount: -1,
  };
  const text = (): string => cbor.takeText(reader, limits.IDENTITY_CHARS_MAX);
  const keysKnown = takeMapOf(reader, (key) => {
    if (key === senml.IDENTITY_TYPE) identity.type = takeName(reader);
    else if (key === senml.IDENTITY_EUI64) identity.eui64 = cbor.takeHex(reader, 8);
    else if (key === senml.IDENTITY_LOOP_HASH) identity.loopHash = cbor.takeHex(reader, 32);
    else if (key === senml.IDENTITY_LINK_HASH) identity.linkHash = cbor.takeHex(reader, 32);
    else if (key === senml.IDENTITY_VERSION) identity.firmware = text();
    else if (key === senml.IDENTITY_HOST) identity.host = text();
    else if (key === senml.IDENTITY_PERIOD_US)
      identity.periodUs = cbor.takeUnsigned(reader, U32_MAX);
    else if (key === senml.IDENTITY_CHANNEL_COUNT)
      identity.channelCount = cbor.takeUnsigned(reader, limits.CHANNELS_ANNOUNCED_MAX);
    else return false;
    return true;
  });
  const { type, eui64, loopHash, linkHash, firmware, host } = identity;
  const missing = [type, eui64, loopHash, linkHash, firmware, host].includes("");
  if (!keysKnown || missing || identity.periodUs < 0 || identity.channelCount < 0)
    reader.failed = true;
  return identity;
}

function takeChannel(reader: cbor.CborReader): ChannelBirth {
  const channel: ChannelBirth = {
    name: "",
    unit: null,
    kind: "computed",
    decimals: 0,
    step: 1,
    qos: 1,
    alarms: [],
    register: null,
    field: null,
    object: null,
    setpoint: null,
    periodMs: 0,
    heartbeatMs: 0,
  };
  const seen = takeMapOf(reader, (key) => {
    if (key === senml.CHANNEL_NAME) channel.name = takeName(reader);
    else if (key === senml.CHANNEL_UNIT) channel.unit = takeUnit(reader);
    else if (key === senml.CHANNEL_KIND)
      channel.kind =
        CHANNEL_KINDS[cbor.takeUnsigned(reader, CHANNEL_KINDS.length - 1)] ?? "computed";
    else if (key === senml.CHANNEL_SCALE) takeScale(reader, channel);
    else if (key === senml.CHANNEL_QOS) channel.qos = cbor.takeUnsigned(reader, 1);
    else if (key === senml.CHANNEL_ALARMS)
      channel.alarms = takeList(reader, limits.ALARMS_MAX, () => takeAlarm(reader));
    else if (key === senml.CHANNEL_REGISTER) channel.register = takeRegister(reader);
    else if (key === senml.CHANNEL_SETPOINT) channel.setpoint = takeSetpoint(reader);
    else if (key === senml.CHANNEL_FIELD) channel.field = takeField(reader);
    else if (key === senml.CHANNEL_OBJECT) channel.object = takeObject(reader);
    else if (key === senml.CHANNEL_PERIOD_MS)
      channel.periodMs = cbor.takeUnsigned(reader, HOUR_MS_MAX);
    else if (key === senml.CHANNEL_HEARTBEAT_MS)
      channel.heartbeatMs = cbor.takeUnsigned(reader, HOUR_MS_MAX);
    else return false;
    return true;
  });
  if (channel.register?.type.startsWith("f")) channel.decimals = null;
  const consistent =
    (channel.kind === "register") === (channel.register !== null) &&
    (channel.kind === "field" || channel.field === null) &&
    (channel.kind === "object") === (channel.object !== null) &&
    (channel.kind === "setpoint") === (channel.setpoint !== null);
  if (!seen || channel.name === "" || !consistent) reader.failed = true;
  return channel;
}

/** The scale; decimals are the digits after the point that one step of it asks for. */
function takeScale(reader: cbor.CborReader, channel: ChannelBirth): void {
  channel.step = cbor.takeFraction(reader);
  channel.decimals = Math.max(0, -reader.exponent);
  if (channel.step <= 0) reader.failed = true;
}

function takeSetpoint(reader: cbor.CborReader): SetpointLimits {
  expectItems(reader, 4);
  const min = cbor.takeNumber(reader);
  const max = cbor.takeNumber(reader);
  const initial = cbor.takeNumber(reader);
  const staleMs = cbor.takeUnsigned(reader, U32_MAX);
  if (!(min <= initial && initial <= max)) reader.failed = true;
  return { min, max, default: initial, staleMs };
}

function takeAlarm(reader: cbor.CborReader): AlarmLimit {
  const items = cbor.takeArray(reader);
  if (items !== 5 && items !== 6) reader.failed = true;
  return {
    name: takeName(reader),
    above: cbor.takeUnsigned(reader, 1) === 1,
    limit: cbor.takeNumber(reader),
    hysteresis: cbor.takeNumber(reader),
    delayMs: cbor.takeUnsigned(reader, HOUR_MS_MAX),
    latch: items === 6 && cbor.takeUnsigned(reader, 1) === 1,
  };
}

function takeField(reader: cbor.CborReader): FieldSource {
  expectItems(reader, 3);
  const tap = cbor.takeUnsigned(reader, limits.TAPS_MAX - 1);
  return { tap, pattern: takeName(reader), field: takeName(reader) };
}

function takeOutput(reader: cbor.CborReader): OutputView {
  expectItems(reader, 4);
  const duty = (): number => cbor.takeUnsigned(reader, DUTY_MAX) / DUTY_MAX;
  return { name: takeName(reader), min: duty(), max: duty(), safe: duty() };
}

function takeTap(reader: cbor.CborReader): TapBirth {
  const items = cbor.takeArray(reader);
  if (items !== TAP_ITEMS && items !== TAP_ITEMS + 1) reader.failed = true;
  return {
    name: takeName(reader),
    protocol: takeName(reader),
    baud: cbor.takeUnsigned(reader, U32_MAX),
    format: takeName(reader),
    ...(items > TAP_ITEMS && { pollsMs: cbor.takeUnsigned(reader, U32_MAX) }),
  };
}

function takeName(reader: cbor.CborReader): string {
  const name = cbor.takeText(reader, limits.NAME_CHARS_MAX);
  if (!isName(name)) reader.failed = true;
  return name;
}

function takeUnit(reader: cbor.CborReader): string {
  const unit = cbor.takeText(reader, limits.UNIT_CHARS_MAX);
  if (!isUnit(unit)) reader.failed = true;
  return unit;
}

function expectItems(reader: cbor.CborReader, count: number): void {
  if (cbor.takeArray(reader) !== count) reader.failed = true;
}
