// SPDX-License-Identifier: MIT
// A fake host for link.wasm: virtual time, ring, flash, datagrams, faults.
//
// Builds the release module of a node type. Time moves only in run(); datagrams to the node are
// delivered at their instant. Every host call is counted and the n-th can be made to fail.

import assert from "node:assert/strict";
import { compile } from "../../scripts/build/compile.ts";
import { hashTexts, putCached, takeCached } from "../../scripts/build/cache.ts";
import { generateLink } from "../../scripts/build/generate-link.ts";
import type { BoardNode } from "../../scripts/build/board-values.ts";
import { doublesOf } from "../../scripts/build/doubles.ts";
import { generateUses } from "../../scripts/build/generate-uses.ts";
import { nodeSchema, type NodeType } from "../../scripts/build/schema.ts";
import { createSourceTree, LINK_ENTRY } from "../../scripts/build/sources.ts";
import { compilerVersion } from "../../scripts/build/version.ts";
import { COUNTER_NAMES } from "../../firmware/wire/counter-names.ts";
import { COUNTER_COUNT } from "../../firmware/wire/counters.ts";
import { DATAGRAM_BYTES_MAX, MAILBOX_RECORDS } from "../../firmware/limits.ts";
import { MAILBOX_BYTES } from "../../firmware/wire/setpoint.ts";

export const LINK_VERSION = "1.2.3";
export const EUI64 = Uint8Array.of(0x02, 0x46, 0x45, 0x52, 0xff, 0xfe, 0x00, 0x2a);
export const BASE_NAME = "urn:dev:mac:02464552fffe002a_";
export const LOOP_HASH = new Uint8Array(32).map((_, i) => i + 1);
export const LINK_HASH = new Uint8Array(32).map((_, i) => 200 - i);
const HOST = Buffer.from("test host");
const SECTOR_BYTES = 4096;
const FLASH_BYTES = 2 * SECTOR_BYTES;
const WAITING_MAX = 4096; // the largest outbox
const POLLS_PER_INSTANT_MAX = 100; // more without time passing is a node that spins

/** A node.json object, checked. */
export function parseNode(node: unknown): NodeType {
  return nodeSchema.parse(node);
}

/** The release link.wasm of a node type, kept by the hash of its sources. */
export async function linkBytes(node: BoardNode): Promise<Uint8Array> {
  const overlay = {
    "firmware/generated/link.ts": generateLink(node, LINK_VERSION),
    "firmware/generated/uses.ts": generateUses(node),
    ...doublesOf(node),
  };
  const tree = createSourceTree({ folder: undefined, overlay });
  const texts = tree.texts().filter(([name]) => !name.startsWith("firmware/loop/"));
  const key = `link-test-${hashTexts([["asc", compilerVersion()], ...texts]).slice(0, 40)}`;
  const cached = takeCached(key);
  if (cached !== undefined) return cached;
  const compiled = await compile(tree, LINK_ENTRY);
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));
  putCached(key, compiled.wasm);
  return compiled.wasm;
}

export async function buildLink(node: BoardNode): Promise<WebAssembly.Module> {
  return new WebAssembly.Module((await linkBytes(node)) as BufferSource);
}

/** Thrown inside a flash write: what was written so far stays. */
export class PowerCut extends Error {}

export interface SentDatagram {
  atMs: number;
  peer: number;
  bytes: Uint8Array;
}

export type Counters = Record<string, number>;

export interface LinkHost {
  nowMs: number; // since this host was made; now_us() is startUs plus this
  flash: Uint8Array;
  ring: Uint8Array[];
  mailbox: Uint8Array[]; // loop takes from its front
  inbox: { peer: number; bytes: Uint8Array }[];
  sent: SentDatagram[];
  onSend: ((datagram: SentDatagram) => void) | undefined;
  calls: number; // host calls so far
  failCall: number; // the call with this number fails; 0: none
  netDown: boolean; // datagram_put gives 0
  flashBroken: boolean;
  entropyBroken: boolean;
  wornAt: number; // this octet of the flash can no longer be programmed; -1: none
  gateways: number;
  hostCounters: number[];
  hostState: number[]; // SPEC.md §1.5, item 8; empty: this host has none
  cutAt: { write: number; octets: number } | undefined; // power cut inside a flash write, 1 the first
  memory: WebAssembly.Memory;
  nowUs(): number; // what now_us() gives, as u32
  init(): void;
  poll(): number;
  stopped: boolean; // stop() was called
  stop(): void;
  /** Lets time pass: polls when asked to and when a datagram is delivered. */
  run(forMs: number): void;
  /** Delivers a datagram to the node after a delay. */
  deliver(peer: number, bytes: Uint8Array, afterMs: number): void;
  counters(): Counters;
  waiting(): number[];
  /** How many wait, when there is room for so many only. */
  waitingInto(capacity: number): number;
  /** Called after each poll. */
  afterPoll: (() => void) | undefined;
  /** A power cycle: new instance, same flash, same time. */
  restart(): void;
}

export interface HostOptions {
  startUs?: number;
  gateways?: number;
  nodeId?: string;
  seed?: number;
  flash?: Uint8Array;
}

interface Delivery {
  atMs: number;
  order: number;
  peer: number;
  bytes: Uint8Array;
}

interface Inside {
  host: LinkHost;
  queue: Delivery[];
  nodeId: Uint8Array;
  startUs: number;
  random: number;
  writes: number; // flash writes so far
}

type Imports = Record<string, (...values: number[]) => number>;

/** Instantiates the module; the test calls init() or restart(). */
export function createLinkHost(module: WebAssembly.Module, options: HostOptions = {}): LinkHost {
  const inside: Inside = {
    host: undefined as unknown as LinkHost,
    queue: [],
    nodeId: Buffer.from(options.nodeId ?? "oven-01", "latin1"),
    startUs: options.startUs ?? 0,
    random: options.seed ?? 1,
    writes: 0,
  };
  const imports = { ...streams(inside), ...flash(inside), ...identity(inside) };
  let exports: WebAssembly.Exports;
  const call = (name: string, ...values: number[]): number =>
    (exports[name] as (...v: number[]) => number)(...values);

  function instantiate(): void {
    exports = new WebAssembly.Instance(module, { host: imports }).exports;
    host.memory = exports["memory"] as WebAssembly.Memory;
  }

  const host: LinkHost = {
    ...initialState(options),
    nowUs: () => (inside.startUs + host.nowMs * 1000) >>> 0,
    init: () => void call("init"),
    stop() {
      host.stopped = true;
      call("stop");
    },
    poll() {
      const delayMs = call("poll");
      assert.ok(delayMs <= 1000 && (delayMs >= 0 || host.stopped), `poll returned ${delayMs}`);
      host.afterPoll?.();
      return delayMs;
    },
    run: (forMs) => run(inside, forMs),
    deliver: (peer, bytes, afterMs) => deliver(inside, peer, bytes, afterMs),
    counters() {
      const view = new DataView(host.memory.buffer, call("counters"), 4 * COUNTER_COUNT);
      return Object.fromEntries(
        COUNTER_NAMES.map((name, i) => [name, view.getUint32(4 * i, true)]),
      );
    },
    waiting() {
      const address = call("memoryBytes");
      if (host.memory.buffer.byteLength < address + 4 * WAITING_MAX) host.memory.grow(1);
      const count = call("waiting", address, WAITING_MAX);
      return [...new Uint32Array(host.memory.buffer, address, count)];
    },
    waitingInto: (capacity) => call("waiting", call("memoryBytes"), capacity),
    restart() {
      host.inbox.length = 0;
      inside.queue.length = 0;
      instantiate();
      host.init();
    },
  };
  inside.host = host;
  instantiate();
  return host;
}

function initialState(options: HostOptions) {
  return {
    nowMs: 0,
    flash: options.flash ?? new Uint8Array(FLASH_BYTES).fill(0xff),
    ring: [],
    mailbox: [],
    inbox: [],
    sent: [],
    onSend: undefined,
    calls: 0,
    failCall: 0,
    netDown: false,
    flashBroken: false,
    entropyBroken: false,
    wornAt: -1,
    gateways: options.gateways ?? 1,
    hostCounters: [0, 0, 0, 0],
    hostState: [],
    cutAt: undefined,
    afterPoll: undefined,
    stopped: false,
    memory: undefined as unknown as WebAssembly.Memory,
  };
}

function deliver({ host, queue }: Inside, peer: number, bytes: Uint8Array, afterMs: number): void {
  queue.push({ atMs: host.nowMs + afterMs, order: queue.length, peer, bytes });
  queue.sort((a, b) => a.atMs - b.atMs);
}

function run({ host, queue }: Inside, forMs: number): void {
  const endMs = host.nowMs + forMs;
  let spins = 0;
  for (;;) {
    const wanted = host.poll();
    const delayMs = wanted < 0 ? Infinity : wanted;
    spins = delayMs === 0 ? spins + 1 : 0;
    assert.ok(spins < POLLS_PER_INSTANT_MAX, "link asks to be called again without end");
    const wakeMs = Math.min(host.nowMs + delayMs, endMs);
    const delivery = queue[0] !== undefined && queue[0].atMs <= wakeMs ? queue.shift() : undefined;
    if (delivery !== undefined) {
      host.nowMs = Math.max(delivery.atMs, host.nowMs);
      host.inbox.push(delivery);
      continue;
    }
    host.nowMs = wakeMs;
    if (host.nowMs >= endMs) return;
  }
}

function fails({ host }: Inside): boolean {
  return ++host.calls === host.failCall;
}

function octets({ host }: Inside, address: number, length: number): Uint8Array {
  return new Uint8Array(host.memory.buffer, address >>> 0, length);
}

function streams(inside: Inside): Imports {
  return {
    now_us: () => (inside.host.calls++, inside.host.nowUs() | 0),
    ring_take(address, capacity) {
      const { ring } = inside.host;
      if (fails(inside) || ring.length === 0) return 0;
      const record = ring.shift()!;
      assert.ok(record.length <= capacity!);
      octets(inside, address!, record.length).set(record);
      return record.length;
    },
    mailbox_put(address, length) {
      const { mailbox } = inside.host;
      assert.equal(length, MAILBOX_BYTES);
      if (fails(inside) || mailbox.length >= MAILBOX_RECORDS) return 0;
      mailbox.push(octets(inside, address!, length!).slice());
      return 1;
    },
    datagram_put(peer, address, length) {
      const { host } = inside;
      assert.ok(length! > 0 && length! <= DATAGRAM_BYTES_MAX, `a datagram of ${length} octets`);
      if (fails(inside) || host.netDown) return 0;
      const bytes = octets(inside, address!, length!).slice();
      const datagram = { atMs: host.nowMs, peer: peer!, bytes };
      host.sent.push(datagram);
      host.onSend?.(datagram);
      return 1;
    },
    datagram_take(address, capacity) {
      if (fails(inside)) return 0;
      const next = inside.host.inbox.shift();
      if (next === undefined || next.bytes.length + 4 > capacity!) return 0;
      new DataView(inside.host.memory.buffer).setUint32(address!, next.peer, true);
      octets(inside, address! + 4, next.bytes.length).set(next.bytes);
      return next.bytes.length + 4;
    },
  };
}

function flash(inside: Inside): Imports {
  // How many octets of a write happen before the power goes, and the cut itself.
  const allowed = (length: number): number => {
    const { cutAt } = inside.host;
    inside.writes++;
    return cutAt?.write === inside.writes ? Math.min(cutAt.octets, length) : length;
  };
  const done = (): number => {
    if (inside.host.cutAt?.write === inside.writes) throw new PowerCut("power cut");
    return 0;
  };
  const refused = (offset: number, length: number): boolean =>
    fails(inside) || inside.host.flashBroken || offset < 0 || offset + length > FLASH_BYTES;
  return {
    flash_read(offset, address, length) {
      if (refused(offset!, length!)) return -1;
      const source = inside.host.flash.subarray(offset, offset! + length!);
      octets(inside, address!, length!).set(source);
      return 0;
    },
    flash_erase(offset) {
      if (refused(offset!, SECTOR_BYTES) || offset! % SECTOR_BYTES !== 0) return -1;
      inside.host.flash.fill(0xff, offset, offset! + allowed(SECTOR_BYTES));
      return done();
    },
    flash_program(offset, address, length) {
      if (refused(offset!, length!)) return -1;
      const source = octets(inside, address!, allowed(length!));
      const { host } = inside;
      for (const [i, octet] of source.entries())
        if (offset! + i !== host.wornAt) host.flash[offset! + i]! &= octet;
      return done();
    },
  };
}

function identity(inside: Inside): Imports {
  const item = (number: number): Uint8Array | undefined => {
    const { gateways, hostCounters, hostState } = inside.host;
    if (number === 6) return Uint8Array.of(gateways);
    if (number === 7) return new Uint8Array(Uint32Array.from(hostCounters).buffer);
    if (number === 8)
      return hostState.length > 0 ? new Uint8Array(Uint32Array.from(hostState).buffer) : undefined;
    return [undefined, inside.nodeId, EUI64, LOOP_HASH, LINK_HASH, HOST][number];
  };
  return {
    entropy(address, length) {
      if (fails(inside) || inside.host.entropyBroken) return 0;
      const target = octets(inside, address!, length!);
      for (let i = 0; i < target.length; i++) {
        inside.random = (Math.imul(inside.random, 1664525) + 1013904223) >>> 0;
        target[i] = inside.random >>> 24;
      }
      return length!;
    },
    info(number, address, capacity) {
      const value = item(number!);
      if (fails(inside) || value === undefined || value.length > capacity!) return -1;
      octets(inside, address!, value.length).set(value);
      return value.length;
    },
  };
}

/** Checks after each poll what holds at every instant: SPEC.md §6, the order of waiting(), the memory. */
export function watchInvariants(host: LinkHost): void {
  host.waiting(); // makes room for its list
  const bytes = host.memory.buffer.byteLength;
  host.afterPoll = () => {
    const c = host.counters();
    const sum = ["acknowledged", "droppedTelemetry", "droppedAlarm", "droppedRefused", "waiting"];
    assert.equal(
      c["queued"],
      sum.reduce((total, name) => total + c[name]!, 0),
      "queued",
    );
    const waiting = host.waiting();
    assert.equal(waiting.length, c["waiting"]);
    for (let i = 1; i < waiting.length; i++)
      assert.ok(waiting[i]! > waiting[i - 1]!, "oldest first");
    assert.equal(host.memory.buffer.byteLength, bytes, "memory never grows");
  };
}
