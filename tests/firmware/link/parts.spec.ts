// SPDX-License-Identifier: MIT
// Goal: the small parts of link hold their own rules at their edges.
// Method: clock, deadlines, jitter, boot plan and packet frames, each by itself.

import {
  boot,
  bootEntryIs,
  bootEntryTo,
  bootOffset,
  bootPlan,
  bootScan,
  bootScanStart,
} from "../../../firmware/link/boot";
import { writer } from "../../../firmware/link/cbor";
import {
  decodePacket,
  packet,
  packetFinish,
  packetStart,
} from "../../../firmware/link/mqttsn/packet";
import { jittered, randomMix, randomWord } from "../../../firmware/link/random";
import { time, timeAdvance, timeInit, timeOfRecord } from "../../../firmware/link/time";
import { delayUntil, due } from "../../../firmware/link/timing";
import { PUBACK, PUBLISH } from "../../../firmware/wire/mqttsn";

const buffer: usize = memory.data(512);

describe("the clock", () => {
  it("adds what passed, across the wrap of 32 bits, and loses no microsecond", () => {
    timeInit(0xfffffff0);
    time.nowMs = 0;
    time.restUs = 0;
    timeAdvance(0xfffffff0 + 999);
    expect<i64>(time.nowMs).toBe(0);
    timeAdvance(0xfffffff0 + 1000);
    expect<i64>(time.nowMs).toBe(1);
    for (let i: u32 = 0; i < 1000; i++) timeAdvance(0xfffffff0 + 1000 + (i + 1) * 333);
    expect<i64>(time.nowMs).toBe(334);
    expect<u32>(time.restUs).toBe(0);
    timeAdvance(time.lastUs - 1); // almost a whole turn
    expect<i64>(time.nowMs).toBe(334 + 4294967);
  });

  it("knows the millisecond of a record, before the start too", () => {
    timeInit(5000);
    time.nowMs = 0;
    time.restUs = 0;
    timeAdvance(7500);
    expect<i64>(timeOfRecord(7500)).toBe(2);
    expect<i64>(timeOfRecord(7000)).toBe(2);
    expect<i64>(timeOfRecord(6999)).toBe(1);
    expect<i64>(timeOfRecord(5000)).toBe(0);
    expect<i64>(timeOfRecord(4999)).toBe(-1);
    expect<i64>(timeOfRecord(0)).toBe(-5);
  });
});

describe("deadlines", () => {
  it("are compared across the wrap", () => {
    expect<bool>(due(5, 0xfffffff0)).toBe(true);
    expect<bool>(due(0xfffffff0, 5)).toBe(false);
    expect<u32>(delayUntil(0xfffffff0, 5)).toBe(21);
    expect<u32>(delayUntil(0, 5000)).toBe(1000);
    expect<u32>(delayUntil(10, 9)).toBe(0);
  });
});

describe("jitter", () => {
  it("stays between half and all, and uses both ends", () => {
    randomMix(99);
    let least: u32 = 100;
    let most: u32 = 0;
    for (let i = 0; i < 10000; i++) {
      const delay = jittered(20);
      least = min(least, delay);
      most = max(most, delay);
    }
    expect<u32>(least).toBe(10);
    expect<u32>(most).toBe(20);
    expect<u32>(jittered(0)).toBe(0);
  });

  it("comes from a state that is never stuck at zero", () => {
    for (let seed: u32 = 0; seed < 1000; seed++) {
      randomMix(seed);
      if (randomWord() == 0) expect<u32>(randomWord()).not.toBe(0);
    }
    expect<u32>(randomWord()).not.toBe(0);
  });
});

function scan(sector: u32, entry: u32, number: u32, check: u32): void {
  store<u32>(buffer, number);
  store<u32>(buffer, check, 4);
  bootScan(buffer, sector, entry);
}

describe("the boot counter", () => {
  beforeEach(bootScanStart);

  it("starts with 1 at the start of an empty flash", () => {
    scan(0, 0, 0xffffffff, 0xffffffff);
    bootPlan();
    expect<u32>(boot.number).toBe(1);
    expect<u32>(bootOffset()).toBe(0);
    expect<bool>(boot.erase).toBe(false);
  });

  it("goes on after the last used place of the sector with the largest", () => {
    scan(0, 3, 50, ~50);
    scan(1, 0, 51, ~51);
    scan(1, 1, 52, 0xffffffff); // torn
    scan(1, 2, 0xffffffff, 0xffffffff);
    bootPlan();
    expect<u32>(boot.number).toBe(52);
    expect<u32>(bootOffset()).toBe(4096 + 16);
  });

  it("changes the sector when the last place is used, and erases the other first", () => {
    scan(0, 511, 900, ~900);
    scan(1, 5, 400, ~400);
    bootPlan();
    expect<bool>(boot.erase).toBe(true);
    expect<u32>(bootOffset()).toBe(4096);
    bootEntryTo(buffer);
    expect<bool>(bootEntryIs(buffer)).toBe(true);
    store<u8>(buffer, load<u8>(buffer) ^ 1);
    expect<bool>(bootEntryIs(buffer)).toBe(false);
  });
});

describe("a packet", () => {
  it("has its body at one place and the shortest Length before it", () => {
    for (let body: u32 = 250; body <= 258; body++) {
      packetStart(buffer, PUBLISH);
      writer.at += body;
      const start = packetFinish(buffer);
      const isShort = body + 2 <= 255;
      expect<usize>(writer.at - start).toBe(isShort ? body + 2 : body + 4);
      expect<bool>(decodePacket(start, (writer.at - start) as u32)).toBe(true);
      expect<u32>(packet.dataBytes).toBe(body - 5);
      expect<u8>(load<u8>(start)).toBe(isShort ? ((body + 2) as u8) : 1);
    }
  });

  it("is decoded field by field", () => {
    packetStart(buffer, PUBACK);
    store<u32>(writer.at, bswap<u32>(0x12345678));
    store<u8>(writer.at, 3, 4);
    writer.at += 5;
    const start = packetFinish(buffer);
    expect<bool>(decodePacket(start, 7)).toBe(true);
    expect<u32>(packet.topicId).toBe(0x1234);
    expect<u32>(packet.msgId).toBe(0x5678);
    expect<u32>(packet.returnCode).toBe(3);
  });
});
