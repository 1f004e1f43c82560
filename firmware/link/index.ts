// SPDX-License-Identifier: MIT
// link, the IT module: what the host calls; nothing else calls the host.
//
// Spec: SPEC.md §1.2, §1.5, §1.6. Wiring only: bytes and times go from the host to the cores and back.
// Nothing is sent before the identity is read and a boot number is taken; until then readings queue.
// Nothing is allocated: all memory is static. State: `link`, SLOTS, SCRATCH.

import { NOTICE_TEXTS, OUTBOX_SLOTS, TAPS } from "../generated/link";
import {
  USES_FLASH_CHUNKS,
  USES_HOST_STATE,
  USES_NOTICES,
  USES_SETPOINTS,
} from "../generated/uses";
import {
  DATAGRAM_BYTES_MAX,
  DATAGRAMS_PER_POLL,
  RECORD_BYTES_MAX,
  RECORDS_PER_POLL,
} from "../limits";
import { COUNTER_HOST_FIRST } from "../wire/counters";
import {
  HOST_STATE_WORDS,
  INFO_COUNTERS,
  INFO_EUI64,
  INFO_GATEWAY_COUNT,
  INFO_HOST,
  INFO_HOST_STATE,
  INFO_LINK_HASH,
  INFO_LOOP_HASH,
  INFO_NODE_ID,
  NODE_ID_BYTES_MAX,
} from "../wire/info";
import { MAILBOX_BYTES } from "../wire/setpoint";
import {
  datagram_put,
  datagram_take,
  entropy,
  flash_erase,
  flash_program,
  flash_read,
  info,
  mailbox_put,
  now_us,
  ring_take,
} from "./abi";
import {
  boot,
  BOOT_ENTRY_BYTES,
  bootEntryIs,
  bootEntryTo,
  bootOffset,
  bootPlan,
  bootScan,
  bootScanStart,
  FLASH_SECTOR_BYTES,
  FLASH_SECTORS,
} from "./boot";
import { COMMAND, command, commandPut } from "./command";
import { COUNTERS } from "./counters";
import { takeRecord } from "./intake";
import { offerDatagram } from "./mqttsn/answers";
import { clientDelay, datagramSent, takeDatagram } from "./mqttsn/client";
import { outgoing } from "./mqttsn/requests";
import { isStopped, sessionInit, stopSession } from "./mqttsn/session";
import { EUI64, EUI64_BYTES, HASH_BYTES, HOST, HOST_BYTES_MAX, LINK_HASH, LOOP_HASH } from "./node";
import { node, NODE_ID } from "./node";
import { noticeInit } from "./notice";
import { outboxInit, outboxWaiting, SLOT_BYTES } from "./outbox";
import { randomMix } from "./random";
import { HOST_STATE } from "./status";
import { timeAdvance, timeInit, timeNow } from "./time";
import { BUSY_DELAY_MS, delayUntil, due, START_RETRY_MS, START_RETRY_MS_MAX } from "./timing";

const SLOTS: usize = memory.data(OUTBOX_SLOTS * SLOT_BYTES, 8);
const PEER_BYTES = 4; // before the octets of a datagram taken
const SCRATCH: usize = memory.data(PEER_BYTES + DATAGRAM_BYTES_MAX, 8); // what a host function fills
const HOST_COUNTERS_BYTES = 16;
const SENDS_PER_POLL = 16; // then the ring gets its turn again
const FLASH_CHUNK_BYTES: u32 = 256;
const ENTROPY_BYTES = 8;
const STOPPED_FOR_GOOD = -1; // what poll() gives when it will do nothing more

namespace link {
  export let started: bool = false;
  export let startMs: u32 = 0; // when to try to start again
  export let startDelayMs: u32 = 0;
  export let gatewayCount: u32 = 0;
}

export function init(): void {
  outboxInit(SLOTS, OUTBOX_SLOTS);
  if (USES_NOTICES) noticeInit(TAPS, NOTICE_TEXTS);
  timeInit(now_us());
  link.startDelayMs = START_RETRY_MS;
}

export function poll(): i32 {
  if (isStopped()) return STOPPED_FOR_GOOD;
  timeAdvance(now_us());
  const records = takeRecords();
  if (!link.started && !tryStart(timeNow())) return delayUntil(timeNow(), link.startMs);
  const datagrams = takeDatagrams(timeNow());
  const sends = sendDatagrams(timeNow());
  info(INFO_COUNTERS, COUNTERS + COUNTER_HOST_FIRST * 4, HOST_COUNTERS_BYTES);
  if (USES_HOST_STATE) info(INFO_HOST_STATE, HOST_STATE, HOST_STATE_WORDS * 4);
  if (isStopped()) return STOPPED_FOR_GOOD;
  if (sends < 0) return BUSY_DELAY_MS;
  const isMore =
    records == RECORDS_PER_POLL || datagrams == DATAGRAMS_PER_POLL || sends == SENDS_PER_POLL;
  return isMore ? 0 : clientDelay(timeNow());
}

export function counters(): i32 {
  return COUNTERS as i32;
}

export function waiting(address: i32, capacity: i32): i32 {
  return outboxWaiting(address, capacity);
}

export function memoryBytes(): i32 {
  return __heap_base as i32;
}

/** SPEC §1.2: the polls that follow say goodbye; then poll() does nothing more. */
export function stop(): void {
  stopSession();
}

function takeRecords(): i32 {
  let records = 0;
  for (; records < RECORDS_PER_POLL; records++) {
    const bytes = ring_take(SCRATCH, RECORD_BYTES_MAX);
    if (bytes <= 0) break;
    timeAdvance(now_us()); // the record may be younger than the start of this poll
    takeRecord(SCRATCH, bytes);
  }
  return records;
}

function takeDatagrams(nowMs: u32): i32 {
  let datagrams = 0;
  for (; datagrams < DATAGRAMS_PER_POLL; datagrams++) {
    const bytes = datagram_take(SCRATCH, PEER_BYTES + DATAGRAM_BYTES_MAX);
    if (bytes < PEER_BYTES) break;
    const isReply = offerDatagram(
      load<u32>(SCRATCH),
      SCRATCH + PEER_BYTES,
      bytes - PEER_BYTES,
      nowMs,
    );
    // The command has its place in the mailbox, or a refusal, before it is acknowledged.
    if (USES_SETPOINTS && command.ready) commandPut(mailbox_put(COMMAND, MAILBOX_BYTES) == 1);
    if (isReply) sendDatagram(nowMs);
  }
  return datagrams;
}

/** Sends what is due; how many, -1: the host takes no more now. */
function sendDatagrams(nowMs: u32): i32 {
  let sends = 0;
  for (; sends < SENDS_PER_POLL && takeDatagram(nowMs); sends++) {
    if (!sendDatagram(nowMs)) return -1;
  }
  return sends;
}

function sendDatagram(nowMs: u32): bool {
  const isTaken = datagram_put(outgoing.peer, outgoing.address, outgoing.bytes) == 1;
  datagramSent(isTaken, nowMs);
  return isTaken;
}

/** Reads the identity and takes a boot number; false: not yet, and later each time. */
function tryStart(nowMs: u32): bool {
  if (!due(nowMs, link.startMs)) return false;
  link.startMs = nowMs + link.startDelayMs;
  link.startDelayMs = min(link.startDelayMs * 2, START_RETRY_MS_MAX);
  if (!readIdentity() || !takeBoot()) return false;
  node.boot = boot.number;
  randomMix(now_us());
  for (let at = 0; at < EUI64_BYTES; at += 4) randomMix(load<u32>(EUI64 + at));
  randomMix(boot.number);
  if (USES_FLASH_CHUNKS) store<u64>(SCRATCH, 0); // else the boot entry lies there, which is as good
  entropy(SCRATCH, ENTROPY_BYTES);
  randomMix(load<u32>(SCRATCH));
  randomMix(load<u32>(SCRATCH, 4));
  sessionInit(link.gatewayCount, nowMs);
  link.started = true;
  return true;
}

function readIdentity(): bool {
  const idBytes = info(INFO_NODE_ID, NODE_ID, NODE_ID_BYTES_MAX);
  if (idBytes < 1 || info(INFO_EUI64, EUI64, EUI64_BYTES) != EUI64_BYTES) return false;
  if (info(INFO_LOOP_HASH, LOOP_HASH, HASH_BYTES) != HASH_BYTES) return false;
  if (info(INFO_LINK_HASH, LINK_HASH, HASH_BYTES) != HASH_BYTES) return false;
  const hostBytes = info(INFO_HOST, HOST, HOST_BYTES_MAX);
  if (hostBytes < 0 || info(INFO_GATEWAY_COUNT, SCRATCH, 1) != 1) return false;
  link.gatewayCount = load<u8>(SCRATCH);
  node.idBytes = idBytes;
  node.hostBytes = hostBytes;
  return true;
}

/** SPEC §1.6: true once the entry of a new boot number was written and read back. */
function takeBoot(): bool {
  bootScanStart();
  if (!USES_FLASH_CHUNKS && !scanEntries()) return false;
  for (let sector: u32 = 0; USES_FLASH_CHUNKS && sector < FLASH_SECTORS; sector++) {
    for (let start: u32 = 0; start < FLASH_SECTOR_BYTES; start += FLASH_CHUNK_BYTES) {
      const offset = sector * FLASH_SECTOR_BYTES + start;
      if (flash_read(offset, SCRATCH, FLASH_CHUNK_BYTES) != 0) return false;
      for (let at: u32 = 0; at < FLASH_CHUNK_BYTES; at += BOOT_ENTRY_BYTES) {
        bootScan(SCRATCH + at, sector, (start + at) / BOOT_ENTRY_BYTES);
      }
    }
  }
  bootPlan();
  if (boot.erase && flash_erase(boot.sector * FLASH_SECTOR_BYTES) != 0) return false;
  bootEntryTo(SCRATCH);
  if (flash_program(bootOffset(), SCRATCH, BOOT_ENTRY_BYTES) != 0) return false;
  if (flash_read(bootOffset(), SCRATCH, BOOT_ENTRY_BYTES) != 0) return false;
  return bootEntryIs(SCRATCH);
}

// One after the other: slower, and less code.
function scanEntries(): bool {
  for (let at: u32 = 0; at < FLASH_SECTORS * FLASH_SECTOR_BYTES; at += BOOT_ENTRY_BYTES) {
    if (flash_read(at, SCRATCH, BOOT_ENTRY_BYTES) != 0) return false;
    const inSector = at % FLASH_SECTOR_BYTES;
    bootScan(SCRATCH, at / FLASH_SECTOR_BYTES, inSector / BOOT_ENTRY_BYTES);
  }
  return true;
}
