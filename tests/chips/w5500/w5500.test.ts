// SPDX-License-Identifier: MIT
// Goal: frames, sockets, buffers and ARP are as the data sheet of the chip says.
//
// Method: a driver as small as can be, octet by octet, against a network that a test scripts.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createW5500,
  type Datagram,
  type EthernetPort,
  type W5500,
} from "../../../host-sim/chips/w5500/index.ts";

const MINE = 0x0a000005;
const PEER = 0x0a000009;
const FAR = 0x08080808;
const GATEWAY = 0x0a000001;
const [MR, GAR, SUBR, SIPR, SIR, SIMR, RTR, PHYCFGR, VERSIONR] = [
  0x00, 0x01, 0x05, 0x0f, 0x17, 0x18, 0x19, 0x2e, 0x39,
] as const;
const [S_MR, S_CR, S_IR, S_SR, S_PORT, S_DIPR, S_DPORT] = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x0c, 0x10,
] as const;
const [S_RXBUF, S_TX_FSR, S_TX_WR, S_RX_RSR, S_RX_RD] = [0x1e, 0x20, 0x24, 0x26, 0x28] as const;
const [OPEN, CLOSE, SEND, RECEIVE] = [0x01, 0x10, 0x20, 0x40] as const;
const [COMMON, SOCKET, TX, RX] = [0, 1, 2, 3] as const;
const RESET_NS = 1_000_000;

const octets = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, at) => (value >>> (8 * (bytes - 1 - at))) & 0xff);

/** Time that a test moves. */
function createTime() {
  const waiting: { ns: number; call: () => void }[] = [];
  let nowNs = 0;
  return {
    after: (ns: number, call: () => void): void => void waiting.push({ ns: nowNs + ns, call }),
    run(ns: number): void {
      const end = nowNs + ns;
      for (;;) {
        waiting.sort((a, b) => a.ns - b.ns);
        if (waiting.length === 0 || waiting[0]!.ns > end) break;
        const { ns: due, call } = waiting.shift()!;
        nowNs = due;
        call();
      }
      nowNs = end;
    },
  };
}

/** Frames as a driver sends them. */
function createDriver(chip: W5500) {
  function frame(block: number, address: number, data: number[], isWrite: boolean): number[] {
    chip.select(true);
    for (const octet of octets(address, 2)) chip.exchange(octet);
    chip.exchange((block << 3) | (isWrite ? 4 : 0));
    const back = data.map((octet) => chip.exchange(octet));
    chip.select(false);
    return back;
  }
  const read = (block: number, address: number, bytes: number): number[] =>
    frame(
      block,
      address,
      Array.from({ length: bytes }, () => 0),
      false,
    );
  return {
    read,
    write: (block: number, address: number, data: number[]): void =>
      void frame(block, address, data, true),
    word: (block: number, address: number): number =>
      read(block, address, 2).reduce((value, octet) => value * 256 + octet, 0),
  };
}

function createJack() {
  const sent: Datagram[] = [];
  const asked: number[] = [];
  const state = { link: true, low: false, silent: false };
  const port: EthernetPort = {
    link: () => state.link,
    answerNs(address) {
      asked.push(address);
      return state.silent ? undefined : 50_000;
    },
    send: (datagram) => void sent.push(datagram),
  };
  const { after, run } = createTime();
  const chip = createW5500(port, { after, interrupt: (low) => void (state.low = low) });
  const { read, write, word } = createDriver(chip);
  function setUp(): void {
    run(RESET_NS);
    write(COMMON, GAR, octets(GATEWAY, 4));
    write(COMMON, SUBR, octets(0xffffff00, 4));
    write(COMMON, SIPR, octets(MINE, 4));
    write(SOCKET, S_MR, [2]);
    write(SOCKET, S_PORT, octets(4711, 2));
    write(SOCKET, S_CR, [OPEN]);
    run(10_000);
  }
  function send(to: number, payload: number[]): void {
    const at = word(SOCKET, S_TX_WR);
    write(SOCKET, S_DIPR, octets(to, 4));
    write(SOCKET, S_DPORT, octets(10_000, 2));
    write(TX, at, payload);
    write(SOCKET, S_TX_WR, octets((at + payload.length) & 0xffff, 2));
    write(SOCKET, S_CR, [SEND]);
  }
  const from = (payload: number[], destination = MINE): Datagram => ({
    ...{ source: PEER, sourcePort: 10_000, destination, destinationPort: 4711 },
    payload: Uint8Array.from(payload),
  });
  return { chip, sent, asked, state, run, write, read, word, setUp, send, from };
}

test("a chip in reset is silent; after a millisecond it says version 4 and its link", () => {
  const { chip, state, run, read, write } = createJack();
  assert.deepEqual(read(COMMON, VERSIONR, 1), [0]);
  run(RESET_NS);
  assert.deepEqual(read(COMMON, VERSIONR, 1), [4]);
  assert.deepEqual(read(COMMON, RTR, 3), [0x07, 0xd0, 8], "2000 x 100 us, 8 times");
  assert.equal(read(COMMON, PHYCFGR, 1)[0]! & 1, 1);
  state.link = false;
  assert.equal(read(COMMON, PHYCFGR, 1)[0]! & 1, 0);
  write(COMMON, SIPR, octets(MINE, 4));
  chip.reset(true);
  assert.deepEqual(read(COMMON, SIPR, 4), [0, 0, 0, 0]);
  chip.reset(false);
  run(RESET_NS);
  assert.deepEqual(read(COMMON, SIPR, 4), [0, 0, 0, 0]);
  write(COMMON, SIPR, octets(MINE, 4));
  write(COMMON, MR, [0x80]);
  run(RESET_NS);
  assert.deepEqual(read(COMMON, SIPR, 4), [0, 0, 0, 0], "reset by command");
});

test("a datagram goes out after ARP, to the peer or through the gateway", () => {
  const { sent, asked, run, setUp, send, read, write, word } = createJack();
  setUp();
  assert.deepEqual(read(SOCKET, S_SR, 1), [0x22]);
  assert.equal(word(SOCKET, S_TX_FSR), 2048);
  send(PEER, [1, 2, 3]);
  assert.notEqual(read(SOCKET, S_CR, 1)[0], 0, "the command is under way");
  assert.equal(word(SOCKET, S_TX_FSR), 2045);
  run(49_000);
  assert.deepEqual([read(SOCKET, S_CR, 1)[0], sent.length], [0, 0]);
  run(1_000);
  assert.deepEqual(sent, [
    {
      ...{ source: MINE, sourcePort: 4711, destination: PEER, destinationPort: 10_000 },
      payload: Uint8Array.of(1, 2, 3),
    },
  ]);
  assert.deepEqual(read(SOCKET, S_IR, 1), [0x10]);
  write(SOCKET, S_IR, [0x10]);
  assert.equal(word(SOCKET, S_TX_FSR), 2048);
  send(FAR, [4]);
  run(100_000);
  assert.deepEqual(asked, [PEER, GATEWAY]);
  assert.equal(sent[1]!.destination, FAR);
});

test("without an answer SEND times out after RTR x (RCR + 1)", () => {
  const { sent, state, run, setUp, send, read, word } = createJack();
  setUp();
  state.silent = true;
  send(PEER, [1]);
  run(1_799_000_000);
  assert.deepEqual(read(SOCKET, S_IR, 1), [0]);
  run(1_000_000);
  assert.deepEqual(read(SOCKET, S_IR, 1), [0x08]);
  assert.equal(sent.length, 0);
  assert.equal(word(SOCKET, S_TX_FSR), 2048);
  send(0x0a0000ff, [9]);
  run(10_000);
  assert.equal(sent.length, 1, "a broadcast asks nobody");
});

test("received datagrams lie behind each other with their headers, round the buffer's end", () => {
  const { chip, state, run, write, read, word, setUp, from } = createJack();
  setUp();
  write(COMMON, SIMR, [1]);
  let at = 0;
  for (let round = 0; round < 9; round++) {
    const payload = Array.from({ length: 500 }, (_, index) => (round + index) & 0xff);
    assert.ok(chip.deliver(from(payload)));
    assert.equal(state.low, true);
    assert.deepEqual(read(COMMON, SIR, 1), [1]);
    assert.equal(word(SOCKET, S_RX_RSR), 508);
    const got = read(RX, at, 508);
    assert.deepEqual(got.slice(0, 8), [...octets(PEER, 4), ...octets(10_000, 2), 1, 244]);
    assert.deepEqual(got.slice(8), payload);
    at = (at + 508) & 0xffff;
    write(SOCKET, S_RX_RD, octets(at, 2));
    assert.equal(word(SOCKET, S_RX_RSR), 508, "until RECV");
    write(SOCKET, S_IR, [4]);
    write(SOCKET, S_CR, [RECEIVE]);
    run(10_000);
    assert.equal(word(SOCKET, S_RX_RSR), 0);
    assert.equal(state.low, false);
  }
});

test("a datagram without room is dropped whole, and a size may change under a read", () => {
  const { chip, write, word, setUp, from } = createJack();
  setUp();
  assert.ok(chip.deliver(from(Array.from({ length: 1_000 }, () => 1))));
  assert.equal(chip.deliver(from(Array.from({ length: 1_033 }, () => 1))), false);
  assert.equal(word(SOCKET, S_RX_RSR), 1_008);
  chip.select(true);
  for (const octet of [0, S_RX_RSR, SOCKET << 3]) chip.exchange(octet);
  const high = chip.exchange(0);
  assert.ok(chip.deliver(from(Array.from({ length: 100 }, () => 1))));
  const low = chip.exchange(0);
  chip.select(false);
  assert.equal(high * 256 + low, 0x03 * 256 + 0x5c, "neither 1008 nor 1116");
  assert.equal(word(SOCKET, S_RX_RSR), 1_116);
  write(SOCKET, S_CR, [CLOSE]);
  assert.equal(chip.deliver(from([1])), false);
});

test("a pulled cable carries nothing either way; other addresses and ports are not ours", () => {
  const { chip, sent, state, run, setUp, send, from, read } = createJack();
  setUp();
  assert.equal(chip.deliver(from([1], PEER)), false);
  assert.equal(chip.deliver({ ...from([1]), destinationPort: 4712 }), false);
  assert.ok(chip.deliver(from([1], 0xffffffff)), "a broadcast is");
  state.link = false;
  assert.equal(chip.deliver(from([1])), false);
  send(PEER, [1]);
  run(2_000_000_000);
  assert.deepEqual([read(SOCKET, S_IR, 1)[0]! & 0x18, sent.length], [0x08, 0]);
});

test("what the model does not know ends the run by name", () => {
  const { setUp, write, read } = createJack();
  setUp();
  assert.throws(() => read(COMMON, 0x60, 1), /W5500: register 0x60 is not modelled/);
  assert.throws(() => read(SOCKET, 0x30, 1), /W5500: socket register 0x30/);
  assert.throws(() => write(SOCKET, S_CR, [0x99]), /W5500: socket command 0x99/);
  assert.throws(() => write(SOCKET, S_RXBUF, [16]), /buffers of 30 KiB, there are 16/);
  assert.throws(() => write(RX, 0, [1]), /block 3 is written/);
  const other = createJack();
  other.setUp();
  other.send(PEER, [1]);
  assert.throws(() => other.send(PEER, [2]), /SEND before the one before it ended/);
  const tcp = createJack();
  tcp.run(RESET_NS);
  tcp.write(SOCKET, S_MR, [1]);
  assert.throws(() => tcp.write(SOCKET, S_CR, [OPEN]), /socket mode 0x1 is not modelled/);
});

test("SEND_MAC asks nobody, and a group hears only frames to its own address", () => {
  const { sent, asked, run, setUp, read, write, word } = createJack();
  setUp();
  const [DHAR, SEND_MAC, GROUP] = [0x06, 0x21, 0xefff4d4e];
  for (const last of [0x4e, 0x4f]) {
    const at = word(SOCKET, S_TX_WR);
    write(SOCKET, DHAR, [0x01, 0x00, 0x5e, 0x7f, 0x4d, last]);
    write(SOCKET, S_DIPR, octets(GROUP, 4));
    write(SOCKET, S_DPORT, octets(10_000, 2));
    write(TX, at, [7]);
    write(SOCKET, S_TX_WR, octets(at + 1, 2));
    write(SOCKET, S_CR, [SEND_MAC]);
    run(10_000);
    assert.deepEqual(read(SOCKET, S_IR, 1), [0x10]);
    write(SOCKET, S_IR, [0x10]);
  }
  assert.deepEqual([sent.length, asked.length], [1, 0]);
  assert.equal(sent[0]!.destination, GROUP);
});

test("a command is refused before the one before it was taken; a conflict is told", () => {
  const { chip, state, run, setUp, read, write } = createJack();
  setUp();
  write(SOCKET, S_CR, [RECEIVE]);
  assert.throws(() => write(SOCKET, S_CR, [RECEIVE]), /before the one before it was taken/);
  run(10_000);
  write(SOCKET, S_CR, [RECEIVE]);
  const [IR, IMR] = [0x15, 0x16];
  write(COMMON, IMR, [0x80]);
  chip.conflict();
  assert.deepEqual([read(COMMON, IR, 1), state.low], [[0x80], true]);
  write(COMMON, IR, [0x80]);
  assert.deepEqual([read(COMMON, IR, 1), state.low], [[0], false]);
});
