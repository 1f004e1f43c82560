// SPDX-License-Identifier: MIT
// A node keeps its promises whatever its two modules do.
//
// Goal: ticks without drift, safe outputs, traps kept apart, power cuts that take RAM and leave flash.
// Method: tiny modules written as text, traps planted at the n-th call, trace lines compared.

import assert from "node:assert/strict";
import { test } from "node:test";
import { POLL_DELAY_MS_MAX } from "../../firmware/limits.ts";
import { ModuleError } from "../../host-sim/engine.ts";
import { INBOX_DATAGRAMS_MAX, LINK_RESTART_US } from "../../host-sim/limits.ts";
import { countingDevice, createBench, nodePlan } from "./node-rig.ts";
import { assemble, hungLink, plantTrap, smallLink, smallLoop } from "./small-modules.ts";

const SAFE = 777;

test("ticks stand at power-on plus multiples of the period, whenever it is run", () => {
  const bench = createBench({ loopWasm: smallLoop(), periodUs: 3333 }, countingDevice());
  bench.node.powerOn(500);
  assert.equal(bench.node.nextDueUs(), 3833);
  bench.runTo(10_000);
  bench.runTo(10_000);
  bench.runTo(40_000); // late: all that were due run, each at its own time
  const times = bench.linesWith('"ring-put"').map((line) => JSON.parse(line).t as number);
  assert.deepEqual(
    times,
    Array.from({ length: 11 }, (_, i) => 500 + (i + 1) * 3333),
  );
  const stamps = bench.linesWith('"ring-put"').map((line) => JSON.parse(line).record as string);
  assert.equal(stamps[1]!.slice(8, 16), "0a1a0000"); // 6,666 µs after power, little-endian
});

test("now_us wraps at 2^32 and the node goes on", () => {
  const bench = createBench({ loopWasm: smallLoop(), periodUs: 1_000_000 }, countingDevice());
  bench.node.powerOn(0);
  bench.runTo(2 ** 32 + 1_000_000);
  const last = JSON.parse(bench.linesWith('"ring-put"').at(-1)!) as { t: number; record: string };
  const stamp = Buffer.from(last.record.slice(8, 16), "hex").readUInt32LE();
  assert.ok(last.t > 2 ** 32);
  assert.equal(stamp, last.t - 2 ** 32);
});

test("a node without power drives its outputs safe, does not tick and hears nothing", () => {
  const device = countingDevice();
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: smallLink() }, device);
  assert.deepEqual(device.duties, [SAFE]);
  assert.equal(bench.node.nextDueUs(), Infinity);
  bench.node.datagram("192.0.2.1:10000", Uint8Array.of(1), 5);
  bench.runTo(1_000_000);
  assert.equal(bench.sent.length, 0);
  bench.node.powerOn(1_000_000);
  bench.node.powerOn(1_000_000);
  bench.runTo(1_010_000);
  assert.deepEqual(bench.node.duties(), [16]);
  bench.node.powerCut(1_015_000);
  bench.node.powerCut(1_015_000);
  assert.deepEqual(bench.node.duties(), [SAFE]);
  assert.equal(bench.node.nextDueUs(), Infinity);
});

test("link is entered when a record or a datagram arrived, and at least once a second", () => {
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: smallLink(), periodUs: 400_000 });
  bench.node.powerOn(0);
  bench.runTo(400_000);
  assert.equal(bench.linesWith('"ring-take"', '"t":400000').length, 1);
  bench.node.datagram("192.0.2.1:10000", Uint8Array.of(7, 8), 450_000);
  bench.runTo(450_000);
  assert.deepEqual(bench.sent, [{ to: "192.0.2.1:10000", bytes: Uint8Array.of(7, 8) }]);
  bench.node.stopSampling();
  assert.equal(bench.node.nextDueUs(), 450_000 + POLL_DELAY_MS_MAX * 1000);
});

test("a link that always asks for 0 ms, -5 ms or a day still lets time go on", () => {
  for (const [wanted, delayUs] of [
    [0, 1000],
    [-5, 1_000_000],
    [86_400_000, 1_000_000],
  ]) {
    const link = smallLink(`(return (i32.const ${wanted}))`);
    const bench = createBench({ loopWasm: smallLoop(), linkWasm: link });
    bench.node.powerOn(0);
    bench.node.stopSampling();
    bench.runTo(0);
    assert.equal(bench.node.nextDueUs(), delayUs);
  }
});

test("loop behaves the same with link absent, hung, trapping and well", () => {
  const links = {
    well: smallLink(),
    absent: new Uint8Array(0),
    hung: hungLink(),
    trapping: smallLink("unreachable"),
    "trapping later": plantTrap(smallLink(), "poll", 7),
    "trapping at init": smallLink("", "unreachable"),
    "out of bounds": smallLink("(drop (call $info (i32.const 1) (i32.const -4) (i32.const 8)))"),
  };
  const traces = Object.entries(links).map(([name, linkWasm]) => {
    const bench = createBench({ loopWasm: smallLoop(), linkWasm }, countingDevice());
    bench.node.powerOn(0);
    bench.runTo(2_000_000);
    return { name, text: bench.linesWith('"m":"loop"').join("\n"), bench };
  });
  // Where nobody takes records the ring fills: what was taken differs, what loop did does not.
  const same = (text: string): string => text.replaceAll('"taken":false', '"taken":true');
  for (const { name, text } of traces) assert.equal(same(text), same(traces[0]!.text), name);
  const traps = traces.map(({ bench }) => bench.node.hostCounters().linkTraps);
  // Every 100 ms from 0 on; the one that traps in its 7th poll lives 60 ms and is away for 100.
  assert.deepEqual(traps, [0, 0, 0, 21, 13, 21, 21]);
  assert.equal(traces[0]!.bench.linesWith('"ring-put"').length, 200);
});

test("a trap of link is counted; link starts again after 100 ms, deaf until then", () => {
  const linkWasm = plantTrap(smallLink(), "poll", 2);
  const bench = createBench({ loopWasm: smallLoop(), linkWasm }, countingDevice());
  bench.node.powerOn(0);
  bench.runTo(10_000); // the second poll, at the first record
  assert.equal(bench.node.hostCounters().linkTraps, 1);
  assert.equal(bench.linesWith('"trap"', '"m":"link"', '"t":10000').length, 1);
  assert.ok(bench.node.waiting() > 0, "who waits for it must not think that nothing waits");
  bench.node.datagram("192.0.2.1:10000", Uint8Array.of(1), 50_000);
  bench.runTo(10_000 + LINK_RESTART_US - 1);
  assert.equal(bench.linesWith('"start"', '"m":"link"').length, 1);
  bench.runTo(10_000 + LINK_RESTART_US);
  assert.equal(bench.linesWith('"start"', '"m":"link"').length, 2);
  assert.equal(bench.sent.length, 0);
  // The ring is the host's: no record was lost.
  assert.equal(bench.linesWith('"ring-take"').length, 11);
  assert.equal(bench.node.hostCounters().ringDropped, 0);
});

test("a trap of loop drives the outputs safe at once; the next period starts it again", () => {
  const device = countingDevice();
  const bench = createBench({ loopWasm: plantTrap(smallLoop(), "tick", 3) }, device);
  bench.node.powerOn(0);
  bench.runTo(30_000);
  assert.deepEqual(bench.node.duties(), [SAFE]);
  assert.deepEqual(device.duties, [SAFE, 16, 32, SAFE]);
  assert.equal(bench.linesWith('"pwm"').at(-1), pwmLine(30_000, SAFE)); // no later than its tick
  assert.equal(bench.node.hostCounters().loopTraps, 1);
  bench.runTo(40_000);
  assert.deepEqual(bench.node.duties(), [48]);
  assert.equal(bench.linesWith('"start"', '"m":"loop"').length, 2);
});

const pwmLine = (t: number, duty: number): string =>
  JSON.stringify({ t, e: "pwm", n: "bench-1", m: "loop", output: 0, duty });

test("a loop that traps in every tick and in init never leaves its safe values", () => {
  for (const loopWasm of [smallLoop("unreachable"), trapAtInit()]) {
    const device = countingDevice();
    const bench = createBench({ loopWasm }, device);
    bench.node.powerOn(0);
    bench.runTo(100_000);
    assert.deepEqual(bench.node.duties(), [SAFE]);
    assert.ok(bench.node.hostCounters().loopTraps >= 10);
  }
});

const trapAtInit = (): Uint8Array =>
  assemble(`(module (memory (export "memory") 1)
    (func (export "init") unreachable) (func (export "tick")))`);

test("endless recursion in loop is a trap of loop", () => {
  const loopWasm = assemble(`(module (memory (export "memory") 1)
    (func $f (call $f)) (func (export "init")) (func (export "tick") (call $f)))`);
  const bench = createBench({ loopWasm });
  bench.node.powerOn(0);
  bench.runTo(20_000);
  assert.equal(bench.node.hostCounters().loopTraps, 2);
});

test("a tick longer than its period is an overrun: safe values, counted, started again", () => {
  const bench = createBench({ loopWasm: smallLoop() }, countingDevice());
  bench.node.powerOn(0);
  bench.setTickUs(10_000);
  bench.runTo(10_000);
  assert.equal(bench.node.hostCounters().loopOverruns, 0);
  bench.setTickUs(10_001);
  bench.runTo(20_000);
  assert.deepEqual(bench.node.duties(), [SAFE]);
  assert.equal(bench.node.hostCounters().loopOverruns, 1);
  bench.setTickUs(1);
  bench.runTo(30_000);
  assert.notDeepEqual(bench.node.duties(), [SAFE]);
});

test("bad pointers and lengths are traps of the module that gave them", () => {
  const calls = [
    "(drop (call $put (i32.const 65530) (i32.const 16)))",
    "(drop (call $put (i32.const -1) (i32.const 1)))",
    "(drop (call $put (i32.const 0) (i32.const -1)))",
    "(drop (call $tap (i32.const 0) (i32.const 65500) (i32.const 64)))",
    "(drop (call $tap (i32.const 0) (i32.const 64000) (i32.const -1)))",
  ];
  for (const call of calls) {
    const bench = createBench({ loopWasm: smallLoop(call) });
    bench.node.powerOn(0);
    bench.runTo(10_000);
    assert.equal(bench.node.hostCounters().loopTraps, 1, call);
  }
  const linkCalls = [
    "(drop (call $ring (i32.const 65500) (i32.const 76)))",
    "(drop (call $put (i32.const 1) (i32.const 65535) (i32.const 2)))",
    "(drop (call $take (i32.const 65535) (i32.const 516)))",
    "(drop (call $read (i32.const 0) (i32.const 65535) (i32.const 2)))",
    "(drop (call $program (i32.const 0) (i32.const -8) (i32.const 8)))",
    "(drop (call $entropy (i32.const 0) (i32.const 65537)))",
  ];
  for (const call of linkCalls) {
    const bench = createBench({ loopWasm: smallLoop(), linkWasm: smallLink(call) });
    bench.node.powerOn(0);
    bench.runTo(0);
    assert.equal(bench.node.hostCounters().linkTraps, 1, call);
  }
});

test("memory that grew is seen whole by the host", () => {
  const bench = createBench({
    loopWasm: smallLoop(`(if (i32.eq (global.get $n) (i32.const 2))
      (then (drop (memory.grow (i32.const 1)))
        (i32.store (i32.const 70000) (i32.const 0x01020304))))
      (if (i32.ge_u (global.get $n) (i32.const 2))
      (then (drop (call $put (i32.const 70000) (i32.const 12)))))`),
  });
  bench.node.powerOn(0);
  bench.runTo(30_000);
  assert.equal(bench.node.hostCounters().loopTraps, 0);
  assert.equal(bench.linesWith('"record":"04030201').length, 2);
});

test("what is not there answers -1 or 0", () => {
  const link = smallLink(`
    (global.set $x (call $put (i32.const 9) (i32.const 0) (i32.const 4)))
    (global.set $x (i32.add (global.get $x) (call $put (i32.const 1) (i32.const 0) (i32.const 0))))
    (global.set $x (i32.add (global.get $x)
      (call $put (i32.const 1) (i32.const 0) (i32.const 513))))
    (i32.store (i32.const 300) (global.get $x))
    (i32.store (i32.const 304) (call $info (i32.const 99) (i32.const 0) (i32.const 64)))
    (i32.store (i32.const 308) (call $info (i32.const 2) (i32.const 0) (i32.const 7)))
    (i32.store (i32.const 312) (call $info (i32.const 2) (i32.const 0) (i32.const 8)))
    (i32.store (i32.const 316) (call $erase (i32.const 100)))
    (drop (call $put (i32.const 1) (i32.const 300) (i32.const 20)))`);
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: link });
  bench.node.powerOn(0);
  bench.runTo(0);
  const answers = new Int32Array(Uint8Array.from(bench.sent[0]!.bytes).buffer);
  assert.deepEqual([...answers], [0, -1, -1, 8, -1]);
});

test("a power cut takes ring, RAM and host counters, and leaves the flash", () => {
  const linkWasm = smallLink(
    "",
    `(drop (call $program (i32.const 0) (i32.const 0) (i32.const 4)))`,
  );
  const trapping = plantTrap(linkWasm, "poll", 3);
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: trapping }, countingDevice());
  bench.node.powerOn(0);
  bench.runTo(50_000);
  assert.equal(bench.node.hostCounters().linkTraps, 1);
  assert.ok(bench.node.waiting() > 0);
  bench.node.powerCut(55_000);
  assert.equal(bench.node.waiting(), 0);
  assert.equal(bench.node.hostCounters().linkTraps, 0);
  assert.deepEqual([...bench.node.flash.bytes.subarray(0, 5)], [0, 0, 0, 0, 255]);
  bench.node.powerOn(1_000_000);
  bench.runTo(1_020_000);
  const last = JSON.parse(bench.linesWith('"ring-put"').at(-1)!) as { record: string };
  assert.equal(last.record.slice(0, 16), "02000000204e0000"); // its second tick, 20,000 µs after power
});

test("a cut inside a flash write stops the node there and then", () => {
  const init = `(drop (call $program (i32.const 0) (i32.const 0) (i32.const 8)))
    (drop (call $put (i32.const 1) (i32.const 0) (i32.const 8)))`;
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: smallLink("", init) });
  bench.node.flash.planCut(1, 3);
  bench.node.powerOn(0);
  assert.equal(bench.node.powered(), false);
  assert.equal(bench.sent.length, 0);
  assert.deepEqual([...bench.node.flash.bytes.subarray(0, 4)], [0, 0, 0, 255]);
  bench.node.powerOn(10);
  assert.equal(bench.sent.length, 1);
});

test("the lives of link are summed, and what waited at the end of one may be lost", () => {
  // The third poll leaves two readings waiting, sequences 41 and 42, and the fourth traps.
  const link = smallLink(`(if (i32.eq (global.get $n) (i32.const 3))
    (then (i32.store (i32.const 276) (i32.const 2))))`);
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: plantTrap(link, "poll", 4) });
  const { node } = bench;
  node.powerOn(0);
  bench.runTo(30_000); // polls at 0, 10, 20 ms, trap at 30 ms
  assert.equal(node.ledger.openCount(), 2);
  bench.runTo(130_000);
  node.powerCut(131_000);
  const { queued, acknowledged, dropped } = node.ledger.totals(node.linkCounters());
  assert.deepEqual({ queued, acknowledged, dropped }, { queued: 13, acknowledged: 13, dropped: 0 });
  assert.equal(
    node.ledger.lost(() => false),
    2,
  );
  assert.equal(
    node.ledger.lost((_boot, sequence) => sequence === 41),
    1,
  );
  node.ledger.settle((_boot, sequence) => sequence === 41, 40_000);
  assert.equal(node.ledger.openCount(), 1);
  node.ledger.settle(() => false, 30_000 + 60_000_001);
  assert.equal(node.ledger.openCount(), 0);
  assert.equal(
    node.ledger.lost(() => true),
    1,
  ); // decided: it does not come back
});

test("a full inbox drops the datagram and the node goes on", () => {
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: smallLink() });
  bench.node.powerOn(0);
  bench.runTo(0);
  for (let i = 0; i < INBOX_DATAGRAMS_MAX + 5; i++) {
    bench.node.datagram("192.0.2.1:10000", Uint8Array.of(i), 100);
  }
  bench.runTo(100);
  assert.equal(bench.sent.length, INBOX_DATAGRAMS_MAX);
  assert.equal(bench.linesWith('"datagram-drop"').length, 5);
});

test("a datagram longer than link's buffer is dropped and the next one arrives", () => {
  const bench = createBench({ loopWasm: smallLoop(), linkWasm: smallLink() });
  bench.node.powerOn(0);
  bench.runTo(0);
  bench.node.datagram("192.0.2.1:10000", new Uint8Array(513), 100);
  bench.node.datagram("192.0.2.1:10000", new Uint8Array(512), 100);
  bench.runTo(100);
  assert.deepEqual(
    bench.sent.map(({ bytes }) => bytes.length),
    [512],
  );
});

test("a module with an import outside its table, or without an export, is refused by name", () => {
  const wants = (module: string, name: string): Uint8Array =>
    assemble(`(module (import "${module}" "${name}" (func)) (memory (export "memory") 1)
      (func (export "init")) (func (export "tick")))`);
  const refuses = (loopWasm: Uint8Array, message: RegExp): void =>
    assert.throws(
      () => createBench(nodePlan({ loopWasm })),
      (error) => {
        assert.ok(error instanceof ModuleError);
        assert.match(error.message, message);
        return true;
      },
    );
  refuses(wants("host", "datagram_put"), /loop imports host\.datagram_put/);
  refuses(wants("env", "now_us"), /loop imports env\.now_us/);
  refuses(assemble(`(module (memory (export "memory") 1) (func (export "init")))`), /tick/);
});
