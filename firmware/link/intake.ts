// SPDX-License-Identifier: MIT
// Takes a ring record apart: into the outbox, the tap counters or the results.
//
// Spec: SPEC.md §1.4. loop is trusted for meaning, not for shape: a record that is not what the table
// says is counted in recordsBad and dropped. A float that is no number travels as a bad quality.

import {
  TEXT_BYTES,
  USES_FINDINGS,
  USES_FLOATS,
  USES_NOTICES,
  USES_SETPOINTS,
  USES_UNCONFIRMED,
} from "../generated/uses";
import { wide } from "../wide";
import { COUNTER_RECORDS_BAD } from "../wire/counters";
import {
  CAUSE_NO_INPUT,
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  KIND_EVENT,
  KIND_FINDING,
  KIND_LINE,
  KIND_NOTICE,
  KIND_READING,
  KIND_SETPOINT,
  KIND_STATE,
  QUALITY_BAD,
  RECORD_ACTIVE,
  RECORD_ALARM,
  RECORD_CAUSE,
  RECORD_CHANNEL,
  RECORD_KIND,
  RECORD_QUALITY,
  RECORD_TIME_US,
  RECORD_TYPE,
  RECORD_VALUE,
  RECORD_VALUE_BYTES,
  TYPE_BYTES,
  TYPE_F32,
  TYPE_NONE,
  TYPE_U32,
} from "../wire/record";
import {
  CODE_REFUSED,
  OUTCOME_BYTES,
  OUTCOME_CODE,
  OUTCOME_EFFECTIVE,
  OUTCOME_REQUEST,
  OUTCOME_REQUESTED,
} from "../wire/setpoint";
import { addFinding, isFindingSound } from "./findings";
import { isNoticeSound, noticeToSlot } from "./notice";
import { count, TAP_COUNTERS, TAP_COUNTERS_BYTES } from "./counters";
import { channelAt, node } from "./node";
import {
  FLAG_ACTIVE,
  FLAG_EVENT,
  FLAG_STAMPED,
  LIST_CONFIRMED,
  LIST_EVENTS,
  LIST_UNCONFIRMED,
  NO_SLOT,
  outboxOffer,
  SLOT_TEXT,
  slotAt,
} from "./outbox";
import { addResult } from "./results";
import { time, timeNow, timeOfRecord } from "./time";

const TYPE_MAX = USES_FLOATS ? TYPE_F32 : TYPE_U32;

/** Takes one record of `bytes` octets; the time must have been advanced after it was taken. */
export function takeRecord(record: usize, bytes: i32): void {
  if (isSound(record, bytes)) {
    const kind = load<u8>(record, RECORD_KIND);
    if (kind == KIND_STATE) takeState(record);
    else if (USES_SETPOINTS && kind == KIND_SETPOINT) takeOutcome(record);
    else if (USES_FINDINGS && (kind == KIND_LINE || kind == KIND_FINDING))
      addFinding(record, timeNow());
    else takeEntry(record);
  } else {
    count(COUNTER_RECORDS_BAD);
  }
}

function isSound(record: usize, bytes: i32): bool {
  if (bytes < RECORD_VALUE) return false;
  const kind = load<u8>(record, RECORD_KIND);
  const channel: i32 = load<u8>(record, RECORD_CHANNEL);
  const type: i32 = load<u8>(record, RECORD_TYPE);
  const valueBytes: i32 = load<u8>(record, RECORD_VALUE_BYTES);
  if (bytes != RECORD_VALUE + valueBytes) return false;
  if (kind == KIND_STATE) {
    return channel < node.tapCount && type == TYPE_BYTES && valueBytes == TAP_COUNTERS_BYTES;
  }
  if (USES_SETPOINTS && kind == KIND_SETPOINT) {
    if (channel >= node.channelCount || channel < node.channelCount - node.setpointCount)
      return false;
    // The three octets after the code are 0, so a code of 32 bits is one of the table.
    return (
      type == TYPE_BYTES &&
      valueBytes == OUTCOME_BYTES &&
      load<u32>(record + RECORD_VALUE, OUTCOME_CODE) <= (CODE_REFUSED as u32)
    );
  }
  if (USES_FINDINGS && (kind == KIND_LINE || kind == KIND_FINDING))
    return channel < node.tapCount && type == TYPE_BYTES && isFindingSound(record);
  if (USES_NOTICES && kind == KIND_NOTICE)
    return channel < node.tapCount && type == TYPE_BYTES && isNoticeSound(record);
  if (kind != KIND_READING && kind != KIND_EVENT) return false;
  if (channel >= node.channelCount) return false;
  if (TEXT_BYTES > 0 && type == TYPE_BYTES) {
    if (kind != KIND_READING || !isTextSound(record + RECORD_VALUE, valueBytes)) return false;
  } else if (type > TYPE_MAX || valueBytes != (type == TYPE_NONE ? 0 : 4)) return false;
  const quality: i32 = load<u8>(record, RECORD_QUALITY);
  const cause: i32 = load<u8>(record, RECORD_CAUSE);
  if (quality > QUALITY_BAD || cause > CAUSE_NO_INPUT) return false;
  if (kind == KIND_EVENT) {
    const alarm = load<u8>(record, RECORD_ALARM);
    return alarm < channelAt(channel).alarmCount && load<u8>(record, RECORD_ACTIVE) <= 1;
  }
  // A bad reading has a cause and no value, any other has a value.
  return quality == QUALITY_BAD ? cause != CAUSE_NONE && type == TYPE_NONE : type != TYPE_NONE;
}

// Printable ASCII, which is UTF-8 as it stands.
function isTextSound(octets: usize, bytes: i32): bool {
  if (bytes > TEXT_BYTES) return false;
  for (let i = 0; i < bytes; i++) {
    const octet = load<u8>(octets + i);
    if (octet < 0x20 || octet > 0x7e) return false;
  }
  return true;
}

function takeState(record: usize): void {
  const tap: u32 = load<u8>(record, RECORD_CHANNEL);
  memory.copy(TAP_COUNTERS + tap * TAP_COUNTERS_BYTES, record + RECORD_VALUE, TAP_COUNTERS_BYTES);
}

function takeOutcome(record: usize): void {
  const channel = channelAt(load<u8>(record, RECORD_CHANNEL));
  const outcome = record + RECORD_VALUE;
  const result = addResult(node.birth + channel.name, channel.nameBytes);
  result.request = load<u32>(outcome, OUTCOME_REQUEST);
  result.requested = load<i32>(outcome, OUTCOME_REQUESTED) as wide;
  result.effective = load<i32>(outcome, OUTCOME_EFFECTIVE);
  result.exponent = channel.scaleExponent;
  result.code = load<u8>(outcome, OUTCOME_CODE);
}

function takeEntry(record: usize): void {
  const channel: u32 = load<u8>(record, RECORD_CHANNEL);
  const isNotice = USES_NOTICES && load<u8>(record, RECORD_KIND) == KIND_NOTICE;
  const isEvent = isNotice || load<u8>(record, RECORD_KIND) == KIND_EVENT;
  let list = LIST_EVENTS;
  if (!isEvent) {
    const isConfirmed = !USES_UNCONFIRMED || channelAt(channel).qos != 0;
    list = isConfirmed ? LIST_CONFIRMED : LIST_UNCONFIRMED;
  }
  const slot = outboxOffer(list, timeNow());
  if (slot == NO_SLOT) return;
  const entry = slotAt(slot);
  entry.timeMs = timeOfRecord(load<u32>(record, RECORD_TIME_US));
  entry.flags = 0;
  if (isEvent) entry.flags |= FLAG_EVENT;
  if (isEvent && load<u8>(record, RECORD_ACTIVE) == 1) entry.flags |= FLAG_ACTIVE;
  if (time.known) {
    entry.timeMs += time.wallOffsetMs;
    entry.flags |= FLAG_STAMPED;
  }
  entry.channel = channel as u8;
  if (isNotice) {
    noticeToSlot(record, entry);
    return;
  }
  entry.quality = load<u8>(record, RECORD_QUALITY);
  entry.cause = load<u8>(record, RECORD_CAUSE);
  entry.type = load<u8>(record, RECORD_TYPE);
  entry.alarm = load<u8>(record, RECORD_ALARM);
  if (TEXT_BYTES > 0 && entry.type == TYPE_BYTES) {
    entry.value = load<u8>(record, RECORD_VALUE_BYTES);
    memory.copy(changetype<usize>(entry) + SLOT_TEXT, record + RECORD_VALUE, entry.value);
    return;
  }
  entry.value = entry.type == TYPE_NONE ? 0 : load<u32>(record, RECORD_VALUE);
  // Exponent bits all ones: infinite or not a number.
  if (USES_FLOATS && entry.type == TYPE_F32 && (entry.value & 0x7f800000) == 0x7f800000) {
    entry.type = TYPE_NONE as u8;
    entry.quality = QUALITY_BAD as u8;
    entry.cause = CAUSE_NOT_A_NUMBER as u8;
  }
}
