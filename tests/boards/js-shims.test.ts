// SPDX-License-Identifier: MIT
// What the host sides do when something goes wrong, on both engines.
//
// Goal: traps, overruns, a late timer, a full ring, storage that fails, garbage on the line and on a tap: outputs are
// safe, the other module goes on, drops are counted, boot numbers do not repeat. Method: small modules and fake engines
// in virtual time, all in Duktape.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { composeShim, SHIM_IMPORTS, type ShimPlan } from "../../boards/js/compose.ts";
import { createFrameEncoder } from "../../gateway/frame.ts";
import { program } from "../support/need.ts";
import { playIn } from "./js-rig.ts";

const PERIOD_US = 20_000;
const needsDuktape = program("duk");
const STAGE = readFileSync(join(import.meta.dirname, "./js-stage.js"), "utf8");

const PLAN: Omit<ShimPlan, "engine"> = {
  hostName: "stage",
  periodUs: PERIOD_US,
  imports: SHIM_IMPORTS,
  loopHash: new Uint8Array(32).fill(0xa5),
  linkHash: new Uint8Array(32).fill(0x5a),
  analog: { 0: 26 },
  pwm: { 0: [16, 16_384] },
  digitalIn: { 3: 6 },
  digitalOut: { 4: [7, 1] },
  pulses: { 0: 8 },
  pull: "down",
  taps: [{ port: 2, rx: 5, baud: 9600, format: "8E1" }],
  network: { kind: "serial", port: 1, tx: 0, rx: 1, baud: 115_200 },
};

const START =
  "try { start(); } catch (error) { print(JSON.stringify([error.message, levels[16]])); }";

/** What a body prints as JSON, line by line, after the node has started; `before` runs before that. */
function play(engine: "espruino" | "kaluma", body: string, before = ""): unknown[] {
  const host = composeShim({ ...PLAN, engine }).replace(/start\(\);\s*$/, START);
  const text = `var STAGE_ENGINE = "${engine}";\n${STAGE}\n${before}\n${host}\n${body}`;
  const lines = playIn("duk", text).trim().split("\n");
  return lines.filter((line) => /^[[{"\d]/.test(line)).map((line) => JSON.parse(line) as unknown);
}

const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
const arrayOf = (octets: Uint8Array): string => JSON.stringify([...octets]);

for (const engine of ["espruino", "kaluma"] as const)
  describe(engine, needsDuktape, () => {
    test("a trap in loop makes outputs safe; it starts again at the next tick", () => {
      const [at, after] = play(
        engine,
        `onTick = function (host) {
           host.pwm_write(0, 65535);
           host.digital_write(4, 0);
           if (ticks.length === 3) throw Error("trap");
         };
         passTo(${3 * PERIOD_US});
         print(JSON.stringify([levels[16], levels[7], counters, inits]));
         passTo(${4 * PERIOD_US});
         print(JSON.stringify([levels[16], levels[7], counters, inits]));`,
      );
      assert.deepEqual(at, [16_384 / 65_535, 1, [0, 1, 0, 0], { loop: 1, link: 1 }]);
      assert.deepEqual(after, [1, 0, [0, 1, 0, 0], { loop: 2, link: 1 }]);
    });

    test("a trap in link costs loop no tick; link starts again after 100 ms", () => {
      const [times, counts] = play(
        engine,
        `onPoll = function () { throw Error("trap"); };
         passTo(1000000);
         print(JSON.stringify(ticks));
         print(JSON.stringify([counters, inits.link]));`,
      ) as [number[], [number[], number]];
      assert.deepEqual(
        times,
        Array.from({ length: 50 }, (_, k) => (k + 1) * PERIOD_US),
      );
      const [counters, starts] = counts;
      assert.ok(starts >= 9 && starts <= 11, String(starts));
      assert.deepEqual(counters, [0, 0, 0, starts]);
    });

    test("a tick longer than its period is an overrun: safe outputs, a new start", () => {
      const [seen] = play(
        engine,
        `onTick = function (host) {
           host.pwm_write(0, 65535);
           if (ticks.length === 2) now += ${1.5 * PERIOD_US};
         };
         passTo(${2 * PERIOD_US});
         print(JSON.stringify([levels[16], counters, ticks.length]));`,
      );
      assert.deepEqual(seen, [16_384 / 65_535, [0, 0, 1, 0], 2]);
    });

    test("ticks that a late timer missed are counted, and the next stands where it stood", () => {
      const [times, counts] = play(
        engine,
        `passTo(${2 * PERIOD_US});
         now = ${7.5 * PERIOD_US};
         passTo(${10 * PERIOD_US});
         print(JSON.stringify(ticks));
         print(JSON.stringify(counters));`,
      );
      const at = [1, 2, 7.5, 8, 9, 10].map((k) => k * PERIOD_US);
      assert.deepEqual(times, at);
      assert.deepEqual(counts, [0, 0, 4, 0]);
    });

    test("a full ring takes no more and counts; link gets what was taken, in order", () => {
      const [taken, first] = play(
        engine,
        `var got = [], record;
         onPoll = function (host, memory) { return 1000; };
         onTick = function (host, memory) {
           for (var i = 0; i < 60; i++) { memory[100] = i; got.push(host.ring_put(100, 76)); }
           got.push(host.ring_put(100, 77));
           onTick = function () {};
         };
         passTo(${PERIOD_US});
         print(JSON.stringify([got, counters[0]]));
         onPoll = function (host, memory) {
           var lengths = [host.ring_take(8, 10), host.ring_take(8, 76)];
           print(JSON.stringify([lengths, memory[8], counters[0]]));
           return 1000;
         };
         pollDue = 0; passTo(${3 * PERIOD_US});`,
      ) as [[number[], number], unknown];
      const fits = Math.floor(4096 / 76);
      const puts = taken[0];
      assert.deepEqual(
        puts,
        Array.from({ length: 61 }, (_, i) => (i < fits ? 1 : 0)),
      );
      assert.equal(taken[1], 61 - fits);
      // 10 octets are too few for any: the whole ring is dropped and counted.
      assert.deepEqual(first, [[0, 0], 0, 61]);
    });

    test("addresses outside a module's memory trap it, and nothing is written", () => {
      const [seen] = play(
        engine,
        `var calls = 0;
         onTick = function (host) {
           var at = [[-1, 4], [1020, 8], [0, -1], [1024, 1]][calls++];
           if (at) host.ring_put(at[0], at[1]);
         };
         passTo(${5 * PERIOD_US});
         print(JSON.stringify([counters, ticks.length]));`,
      );
      assert.deepEqual(seen, [[0, 4, 0, 0], 5]);
    });

    test("boot numbers go on over failing and torn storage", () => {
      const program = `function take(host, memory, number, offset) {
           for (var i = 0; i < 8; i++) memory[i] = (i < 4 ? number : ~number) >> (8 * (i & 3));
           return host.flash_program(offset, 0, 8);
         }
         function read(host, memory, offset) {
           host.flash_read(offset, 64, 16);
           return hex(memory, 64, 16);
         }
         function hex(memory, at, length) {
           var text = "";
           for (var i = at; i < at + length; i++)
             text += (memory[i] < 16 ? "0" : "") + memory[i].toString(16);
           return text;
         }`;
      const [first, torn, outside] = play(
        engine,
        `${program}
         onPoll = function (host, memory) {
           var done = [take(host, memory, 1, 0), take(host, memory, 2, 8)];
           broken = true;
           done.push(take(host, memory, 3, 16));
           broken = false;
           done = [done, read(host, memory, 0), read(host, memory, 8)];
           print(JSON.stringify(done.concat([stored["0"], stored["1"]])));
           stored["0"] = "2 8"; // cut off: the one before holds
           boot = 0; loadBoot();
           done = [boot, read(host, memory, 0)];
           print(JSON.stringify(done.concat([host.flash_erase(4096), host.flash_erase(8)])));
           done = [take(host, memory, 9, 8192), host.flash_read(8190, 64, 16)];
           print(JSON.stringify(done.concat([take(host, memory, 1, 8)])));
           return 1000;
         };
         passTo(${PERIOD_US});`,
      ) as [unknown[], unknown[], unknown[]];
      const free = "f".repeat(16);
      assert.deepEqual(first, [
        [0, 0, -1],
        "0000000000000000" + "02000000fdffffff",
        `02000000fdffffff${free}`,
        "2 8 2",
        "1 0 1",
      ]);
      assert.deepEqual(torn, [1, `01000000feffffff${free}`, 0, -1]);
      assert.deepEqual(outside, [-1, -1, -1]);
    });

    test("storage that cannot be read starts no link: no boot number is guessed", () => {
      const [seen] = play(
        engine,
        `broken = true; linkModule = 0; pollDue = 0;
         passTo(150000);
         var during = [inits.link, counters[3]];
         broken = false;
         passTo(400000);
         print(JSON.stringify([during, inits.link]));`,
      ) as [[[number, number], number]];
      assert.equal(seen[0][0], 0);
      assert.ok(seen[0][1] >= 1);
      assert.equal(seen[1], 1);
    });

    test("frames on the line are the gateway's; what is damaged is dropped", () => {
      const encode = createFrameEncoder();
      const message = Uint8Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? 0 : i & 255));
      const small = Uint8Array.of(3, 5, 0);
      const frame = encode(message).slice();
      const good = encode(small).slice();
      const wrong = good.slice();
      wrong[3]! ^= 1;
      const garbage = Uint8Array.from([1, 2, 0, 9, 9, 0, ...new Uint8Array(700).fill(7), 0]);
      const [sent, heard] = play(
        engine,
        `var message = ${arrayOf(message)}, got = [], once = 0;
         onPoll = function (host, memory) {
           for (var i = 0; i < message.length; i++) memory[i] = message[i];
           if (!once++) host.datagram_put(1, 0, message.length);
           var length = host.datagram_take(512, 600);
           if (length) got.push([length, memory[512], memory[516], memory[517], memory[518]]);
           return 1;
         };
         passTo(5000);
         print(JSON.stringify(wrote));
         give(lineListener, ${arrayOf(garbage)}); passTo(20000);
         give(lineListener, ${arrayOf(wrong)}); passTo(40000);
         give(lineListener, ${arrayOf(good)}); passTo(60000);
         print(JSON.stringify(got));`,
      ) as [number[], unknown];
      assert.equal(hexOf(Uint8Array.from(sent)), hexOf(frame));
      assert.deepEqual(heard, [[7, 1, 3, 5, 0]]);
    });

    test("characters of a tap have their times; one that finds it full marks the next", () => {
      const [taken, late] = play(
        engine,
        `var done = 0;
         onTick = function (host, memory) {
           var n = host.tap_take(0, 0, 3), list = [];
           for (var i = 0; i < n; i++) {
             var at = 8 * i;
             list.push([memory[at] | memory[at + 1] << 8, memory[at + 4], memory[at + 5]]);
           }
           if (n) print(JSON.stringify(list));
           if (++done === 1) {
             for (i = 0; i < 300; i++) give(tapListeners.data, [i & 255]);
             while (host.tap_take(0, 0, 64));
             give(tapListeners.data, [77]);
           }
         };
         passTo(5000);
         give(tapListeners.data, [65, 0, 255]);
         passTo(${2 * PERIOD_US});`,
      ) as [number[][], number[][]];
      // 11 bits at 9,600 baud: the last ended when they came.
      assert.deepEqual(taken, [
        [2708, 65, 0],
        [3854, 0, 0],
        [5000, 255, 0],
      ]);
      assert.deepEqual(late.at(-1)?.slice(1), [77, 8]);
    });

    test("settings that are missing are named, and outputs are safe", () => {
      const seen = play(engine, "", `stored.json = '{"id": "node-1"}';`);
      assert.deepEqual(seen, [["ferrule: settings have no eui64", 16_384 / 65_535]]);
    });
  });
