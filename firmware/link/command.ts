// SPDX-License-Identifier: MIT
// Commands of the hub: checked here, then handed to loop through the mailbox.
//
// Spec: SPEC.md §1.7, §8. A command that is refused here becomes a result at once and loop never sees it.
// Each request is handed on once: a repeat with the same MsgId and request is acknowledged, no more.
// State: `command`, COMMAND (the mailbox record), SEEN.

import { NAME_BYTES_MAX, REQUESTS_REMEMBERED } from "../limits";
import { wide, wideDivide } from "../wide";
import {
  CODE_ABOVE_MAX,
  CODE_APPLIED,
  CODE_BELOW_MIN,
  CODE_MAILBOX_FULL,
  CODE_MALFORMED,
  CODE_RESOLUTION,
  CODE_UNKNOWN_NAME,
  MAILBOX_BYTES,
  MAILBOX_LIFETIME_MS,
  MAILBOX_MANTISSA,
  MAILBOX_REQUEST,
  SET_LIFETIME_MS,
  SET_NAME,
  SET_REQUEST,
  SET_VALUE,
} from "../wire/setpoint";
import { TAG_DECIMAL_FRACTION } from "../wire/senml";
import {
  MAJOR_ARRAY,
  MAJOR_MAP,
  MAJOR_TAG,
  MAJOR_TEXT,
  nextMajor,
  reader,
  readerFinished,
  readerStart,
  refuse,
  takeHead,
  takeInteger,
  takeOctets,
  takeU32,
} from "./cbor-reader";
import { channelAt, isSame, node, setpointAt } from "./node";
import { addResult } from "./results";

const EXPONENT_MAX: wide = 18; // beyond it no value is within 32 bits of steps
const STEPS_MAX: wide = 9_007_199_254_740_992; // 2^53: // larger mantissas are refused as malformed
const NAME_CHARACTER_MIN: u32 = 0x21; // printable ASCII: the name is sent back as a text
const NAME_CHARACTER_MAX: u32 = 0x7e;

export namespace command {
  export let mantissa: wide = 0; // as sent
  export let name: usize = 0;
  export let nameBytes: u32 = 0;
  export let request: u32 = 0;
  export let lifetimeMs: u32 = 0;
  export let exponent: i32 = 0; // as sent
  export let seen: u32 = 0; // place of the next request remembered
  export let ready: bool = false; // COMMAND is to be put into the mailbox
}
export const COMMAND: usize = memory.data(MAILBOX_BYTES, 4);

/** A request that was taken; MsgId plus 1, so that 0 is none. */
@unmanaged
class Seen {
  message: u32;
  request: u32;
}
const SEEN: usize = memory.data(REQUESTS_REMEMBERED * offsetof<Seen>(), 4);

/** Takes the payload of a publication on `set`; `command.ready`: COMMAND goes to the mailbox next. */
export function takeCommand(at: usize, bytes: u32, msgId: u32): void {
  command.request = 0;
  const isSound = decodeCommand(at, bytes);
  if (isRepeat(msgId)) return;
  if (!isSound) {
    command.nameBytes = 0;
    addRefusal(CODE_MALFORMED);
    return;
  }
  const setpoint = findSetpoint();
  const code = setpoint < 0 ? CODE_UNKNOWN_NAME : prepare(setpoint);
  if (code == CODE_APPLIED) command.ready = true;
  else addRefusal(code);
}

/** What the mailbox said. */
export function commandPut(taken: bool): void {
  command.ready = false;
  if (!taken) addRefusal(CODE_MAILBOX_FULL);
}

function addRefusal(code: u32): void {
  const result = addResult(command.name, command.nameBytes);
  result.request = command.request;
  result.requested = command.mantissa;
  result.exponent = command.exponent as i8;
  result.code = code as u8;
}

/** True when this message was taken before; else it is remembered, and the oldest forgotten. */
function isRepeat(msgId: u32): bool {
  for (let i = 0; i < REQUESTS_REMEMBERED; i++) {
    const seen = changetype<Seen>(SEEN + i * offsetof<Seen>());
    if (seen.message == msgId + 1 && seen.request == command.request) return true;
  }
  const place = command.seen++ % REQUESTS_REMEMBERED;
  const seen = changetype<Seen>(SEEN + place * offsetof<Seen>());
  seen.message = msgId + 1;
  seen.request = command.request;
  return false;
}

/** `{0: request, 1: name, 2: value, 3: lifetime}`, the last may be missing; false: malformed. */
function decodeCommand(at: usize, bytes: u32): bool {
  readerStart(at, bytes);
  const pairs = takeHead(MAJOR_MAP);
  if (pairs != 3 && pairs != 4) return false;
  takeKey(SET_REQUEST);
  const request = takeU32();
  if (reader.failed) return false;
  command.request = request;
  takeKey(SET_NAME);
  takeName();
  takeKey(SET_VALUE);
  takeValue();
  command.lifetimeMs = 0;
  if (pairs == 4) {
    takeKey(SET_LIFETIME_MS);
    command.lifetimeMs = takeU32();
  }
  return readerFinished();
}

function takeKey(key: u32): void {
  if (takeU32() != key) refuse();
}

function takeName(): void {
  const bytes = takeHead(MAJOR_TEXT);
  if (bytes < 1 || bytes > (NAME_BYTES_MAX as wide)) refuse();
  command.nameBytes = bytes as u32;
  command.name = takeOctets(bytes as u32);
  if (reader.failed) return;
  for (let i: u32 = 0; i < command.nameBytes; i++) {
    const character: u32 = load<u8>(command.name + i);
    if (character < NAME_CHARACTER_MIN || character > NAME_CHARACTER_MAX) refuse();
  }
}

/** An integer, or `4([exponent, mantissa])`. */
function takeValue(): void {
  let exponent: wide = 0;
  if (nextMajor() == MAJOR_TAG) {
    if (takeHead(MAJOR_TAG) != TAG_DECIMAL_FRACTION || takeHead(MAJOR_ARRAY) != 2) refuse();
    exponent = takeInteger();
  }
  const mantissa = takeInteger();
  if (exponent < -EXPONENT_MAX || exponent > EXPONENT_MAX) refuse();
  if (mantissa < -STEPS_MAX || mantissa > STEPS_MAX) refuse();
  command.exponent = exponent as i32;
  command.mantissa = mantissa;
}

/** The set-point of that name, by its order; -1: there is none. */
function findSetpoint(): i32 {
  const first = node.channelCount - node.setpointCount;
  for (let i = 0; i < node.setpointCount; i++) {
    const channel = channelAt(first + i);
    if (channel.nameBytes != command.nameBytes) continue;
    if (isSame(node.birth + channel.name, command.name, command.nameBytes)) return i;
  }
  return -1;
}

/** Checks the value and writes COMMAND; the code of the refusal, CODE_APPLIED: none. */
function prepare(setpoint: i32): i32 {
  const channel = channelAt(node.channelCount - node.setpointCount + setpoint);
  const limits = setpointAt(setpoint);
  let steps = command.mantissa;
  let shift = command.exponent - channel.scaleExponent;
  // More than STEPS_MAX is outside 32 bits whatever follows, so nothing overflows.
  for (; shift > 0 && steps <= STEPS_MAX && steps >= -STEPS_MAX; shift--) steps *= 10;
  let isBetween = false;
  for (; shift < 0 && steps != 0; shift++) {
    const tenth = wideDivide(steps, 10);
    if (steps != tenth * 10) isBetween = true;
    steps = tenth;
  }
  // Between two steps the lower one tells whether it is below min, the upper one whether above max.
  const isNegative = command.mantissa < 0;
  if (steps - (isBetween && isNegative ? 1 : 0) < (limits.min as wide)) return CODE_BELOW_MIN;
  if (steps + (isBetween && !isNegative ? 1 : 0) > (limits.max as wide)) return CODE_ABOVE_MAX;
  if (isBetween) return CODE_RESOLUTION;
  store<u32>(COMMAND, setpoint);
  store<u32>(COMMAND, command.request, MAILBOX_REQUEST);
  store<i32>(COMMAND, steps as i32, MAILBOX_MANTISSA);
  store<u32>(COMMAND, command.lifetimeMs, MAILBOX_LIFETIME_MS);
  return CODE_APPLIED;
}
