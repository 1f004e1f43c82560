// SPDX-License-Identifier: MIT
// A fake host for link.wasm in tests: virtual time, ring, flash, datagrams, faults.
//
// Builds the release module of a node type. Time moves only in run(); datagrams to the node are
// delivered at their instant. Every host call is counted and the n-th can be made to fail.

import assert from "node:assert/strict";
import { compile } from "../../scripts/build/compile.ts";
import { hashTexts, putCached, takeCached } from "../../scripts/build/cache.ts";
import { generateLink } from "../../scripts/build/generate-link.ts";
import { nodeSchema, type NodeType } from "../../scripts/build/schema.ts";
import { createSourceTree, LINK_ENTRY } from "../../scripts/build/sources.ts";
import { compilerVersion } from "../../scripts/build/version.ts";
import { COUNTER_COUNT, COUNTER_NAMES } from "../../firmware/wire/counters.ts";
import { DATAGRAM_BYTES_MAX } from "../../firmware/limits.ts";

export const LINK_VERSION = "1.2.3";
export const EUI64 = Uint8Array.of(0x02, 0x46, 0x45, 0x52, 0xff, 0xfe, 0x00, 0x2a);
export const BASE_NAME = "urn:dev:mac:02464552fffe002a_";
export const LOOP_HASH = new Uint8Array(32).map((_, i) => i + 1);
export const LINK_HASH = new Uint8Array(32).map((_, i) => 200 - i);
const SECTOR_BYTES = 4096;
const FLASH_BYTES = 2 * SECTOR_BYTES;
const POLLS_PER_INSTANT_MAX = 100; // more without time passing is a node that spins

/** A node.json object, checked. */
export function parseNode(node: unknown): NodeType {
  return nodeSchema.parse(node);
}

/** The release link.wasm of a node type, kept by the hash of its sources. */
export async function buildLink(node: NodeType): Promise<WebAssembly.Module> {
  const overlay = { "firmware/generated/link.ts": generateLink(node, LINK_VERSION) };
  const tree = createSourceTree({ folder: undefined, overlay });
  const key = `link-test-${hashTexts([["asc", compilerVersion()], ...tree.texts()]).slice(0, 40)}`;
  let wasm = takeCached(key);
  if (wasm === undefined) {
    const compiled = await compile(tree, LINK_ENTRY);
    assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));
    wasm = compiled.wasm;
    putCached(key, wasm);
  }
  return new WebAssembly.Module(wasm as BufferSource);
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
  inbox: { peer: number; bytes: Uint8Array }[];
  sent: SentDatagram[];
  onSend: ((datagram: SentDatagram) => void) | undefined;
  calls: number; // host calls so far
  failCall: number; // the call with this number fails; 0: none
  netDown: boolean; // datagram_put gives 0
  flashBroken: boolean;
  gateways: number;
  hostCounters: number[];
  cutAt: { write: number; octets: number } | undefined; // power cut inside a flash write, 1 the first
  memory: WebAssembly.Memory;
  init(): void;
  poll(): number;
  /** Lets time pass: polls when asked to and when a datagram is delivered. */
  run(forMs: number): void;
  /** Delivers a datagram to the node after a delay. */
  deliver(peer: number, bytes: Uint8Array, afterMs: number): void;
  counters(): Counters;
  waiting(): number[];
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

/** Instantiates the module; the test calls init() or restart(). */
export function createLinkHost(module: WebAssembly.Module, options: HostOptions = {}): LinkHost {
  const queue: { atMs: number; order: number; peer: number; bytes: Uint8Array }[] = [];
  const nodeId = Buffer.from(options.nodeId ?? "oven-01", "latin1");
  let random = options.seed ?? 1;
  let order = 0;
  let writes = 0;
  let exports: WebAssembly.Exports;

  const fails = (): boolean => ++host.calls === host.failCall;
  const at = (address: number, length: number): Uint8Array =>
    new Uint8Array(host.memory.buffer, address >>> 0, length);
  const write = (length: number): number => {
    writes++;
    return host.cutAt?.write === writes ? Math.min(host.cutAt.octets, length) : length;
  };
  const written = (): number => {
    if (host.cutAt?.write === writes) throw new PowerCut("power cut");
    return 0;
  };
  const infoItem = (item: number): Uint8Array | undefined => {
    const items = [, nodeId, EUI64, LOOP_HASH, LINK_HASH, Buffer.from("test host")];
    if (item === 6) return Uint8Array.of(host.gateways);
    if (item === 7) return new Uint8Array(Uint32Array.from(host.hostCounters).buffer);
    return items[item];
  };

  const imports = {
    now_us: () => (host.calls++, ((options.startUs ?? 0) + host.nowMs * 1000) | 0),
    ring_take(address: number, capacity: number) {
      if (fails() || host.ring.length === 0) return 0;
      const record = host.ring.shift()!;
      assert.ok(record.length <= capacity);
      at(address, record.length).set(record);
      return record.length;
    },
    datagram_put(peer: number, address: number, length: number) {
      assert.ok(length > 0 && length <= DATAGRAM_BYTES_MAX, `a datagram of ${length} octets`);
      if (fails() || host.netDown) return 0;
      const datagram = { atMs: host.nowMs, peer, bytes: at(address, length).slice() };
      host.sent.push(datagram);
      host.onSend?.(datagram);
      return 1;
    },
    datagram_take(address: number, capacity: number) {
      if (fails()) return 0;
      const next = host.inbox.shift();
      if (next === undefined || next.bytes.length + 4 > capacity) return 0;
      new DataView(host.memory.buffer).setUint32(address, next.peer, true);
      at(address + 4, next.bytes.length).set(next.bytes);
      return next.bytes.length + 4;
    },
    flash_read(offset: number, address: number, length: number) {
      if (fails() || host.flashBroken || offset < 0 || offset + length > FLASH_BYTES) return -1;
      at(address, length).set(host.flash.subarray(offset, offset + length));
      return 0;
    },
    flash_erase(offset: number) {
      if (fails() || host.flashBroken || offset % SECTOR_BYTES !== 0) return -1;
      host.flash.fill(0xff, offset, offset + write(SECTOR_BYTES));
      return written();
    },
    flash_program(offset: number, address: number, length: number) {
      if (fails() || host.flashBroken || offset < 0 || offset + length > FLASH_BYTES) return -1;
      const source = at(address, write(length));
      for (const [i, octet] of source.entries()) host.flash[offset + i]! &= octet;
      return written();
    },
    entropy(address: number, length: number) {
      if (fails()) return 0;
      for (let i = 0; i < length; i++) {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        at(address, length)[i] = random >>> 24;
      }
      return length;
    },
    info(item: number, address: number, capacity: number) {
      const value = infoItem(item);
      if (fails() || value === undefined || value.length > capacity) return -1;
      at(address, value.length).set(value);
      return value.length;
    },
  };

  const call = (name: string, ...values: number[]): number =>
    (exports[name] as (...v: number[]) => number)(...values);

  function instantiate(): void {
    exports = new WebAssembly.Instance(module, { host: imports }).exports;
    host.memory = exports["memory"] as WebAssembly.Memory;
  }

  /** Earliest delivery that is due by a time, taken out of the queue. */
  function takeDelivery(byMs: number): (typeof queue)[number] | undefined {
    queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    const next = queue[0];
    return next !== undefined && next.atMs <= byMs ? queue.shift() : undefined;
  }

  const host: LinkHost = {
    nowMs: 0,
    flash: options.flash ?? new Uint8Array(FLASH_BYTES).fill(0xff),
    ring: [],
    inbox: [],
    sent: [],
    onSend: undefined,
    calls: 0,
    failCall: 0,
    netDown: false,
    flashBroken: false,
    gateways: options.gateways ?? 1,
    hostCounters: [0, 0, 0, 0],
    cutAt: undefined,
    afterPoll: undefined,
    memory: undefined as unknown as WebAssembly.Memory,
    init: () => void call("init"),
    poll() {
      const delayMs = call("poll");
      assert.ok(delayMs >= 0 && delayMs <= 1000, `poll returned ${delayMs}`);
      host.afterPoll?.();
      return delayMs;
    },
    run(forMs) {
      const endMs = host.nowMs + forMs;
      let spins = 0;
      for (;;) {
        const delayMs = host.poll();
        spins = delayMs === 0 ? spins + 1 : 0;
        assert.ok(spins < POLLS_PER_INSTANT_MAX, "link asks to be called again without end");
        const wakeMs = Math.min(host.nowMs + delayMs, endMs);
        const delivery = takeDelivery(wakeMs);
        host.nowMs = delivery === undefined ? wakeMs : Math.max(delivery.atMs, host.nowMs);
        if (delivery !== undefined) host.inbox.push(delivery);
        else if (host.nowMs >= endMs) break;
      }
    },
    deliver(peer, bytes, afterMs) {
      queue.push({ atMs: host.nowMs + afterMs, order: order++, peer, bytes });
    },
    counters() {
      const view = new DataView(host.memory.buffer, call("counters"), 4 * COUNTER_COUNT);
      return Object.fromEntries(
        COUNTER_NAMES.map((name, i) => [name, view.getUint32(4 * i, true)]),
      );
    },
    waiting() {
      const address = call("scratch");
      const count = call("waiting", address, 1024);
      return [...new Uint32Array(host.memory.buffer, address, count)];
    },
    restart() {
      host.inbox.length = 0;
      queue.length = 0;
      instantiate();
      host.init();
    },
  };
  instantiate();
  return host;
}
