// SPDX-License-Identifier: MIT
// JavaScript engines do what WebAssembly does, host call by host call.
//
// Goal: oven and meter for Kaluma and for the ESP32-C3 print the same lines, every host function with its arguments,
// octets and result, in WebAssembly, as packed and as shrunk JavaScript in Node, in Duktape, and there without what
// Espruino's Math lacks. Nothing in memory is reached that typed arrays would get wrong. Method: a tape recorded with a gateway and a line, then tapes with spoiled input.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CHECK_TICKS } from "../../boards/js/compose.ts";
import { lowered } from "../../boards/js/bundle.ts";
import { watchedFactory } from "../../boards/js/known.ts";
import { minify } from "../../boards/js/minify.ts";
import { write } from "../../boards/js/tree.ts";
import { instrumentCached } from "../../scripts/build/js-pack.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { program } from "../support/need.ts";
import {
  type JsNode,
  jsNode,
  nodeScript,
  playFactories,
  playIn,
  playInNode,
  playScript,
  playWasm,
  recordTape,
  type Tape,
  type TapeEvent,
} from "./js-rig.ts";

const TICKS = 2000;
const SEEDS = 50;
const WATCHED_SEEDS = 10;
const SPOILED_US = 2_000_000;
const SPOILED_TICKS_MIN = 20;
const EXTRAS = "Math.imul = Math.clz32 = Math.trunc = Math.fround = undefined;\n";
const needsDuktape = program("duk");

/** Engines that are in no registry: their path in the environment, else scripts/test.ts says that they did not run. */
const { JERRY = "", ESPRUINO = "" } = process.env;

for (const board of ["kaluma-pico", "espruino-esp32c3"])
  for (const name of ["oven", "meter"])
    describe(`${name} on ${board}`, () => {
      let node: JsNode;
      let packed: string;
      let small: string; // as in a bundle: shrunk, without labels, minified
      let tape: Tape;
      let wasm: string;

      before(async () => {
        node = await jsNode(name, board);
        packed = nodeScript(node, node.factories.join("\n"));
        const body = lowered(...node.factories);
        small = await minify(nodeScript(node, write({ type: "Program", body })));
        tape = recordTape(node, TICKS, 7);
        wasm = playWasm(node, [tape]);
      });

      test("2,000 ticks are the same lines in Node, packed, shrunk and minified", () => {
        assert.equal(ticksOf(wasm), TICKS + CHECK_TICKS);
        assert.match(wasm, /link\.datagram_take\(\d+,\d+,\)=[1-9]/);
        same(playInNode(packed, [tape]), wasm);
        same(playInNode(small, [tape]), wasm);
      });

      test("they are in Duktape, with and without the Math extras", needsDuktape, () => {
        same(playIn("duk", packed + playScript([tape])), wasm);
        same(playIn("duk", EXTRAS + small + playScript([tape])), wasm);
      });

      test("50 tapes with spoiled input are the same lines everywhere", needsDuktape, () => {
        const ticks = ticksSpoiled(node);
        const sound = recordTape(node, ticks, 11);
        const tapes = Array.from({ length: SEEDS }, (_, seed) => spoiled(sound, seed));
        const expected = playWasm(node, tapes);
        assert.equal(ticksOf(expected), SEEDS * (ticks + CHECK_TICKS));
        same(playInNode(small, tapes), expected);
        same(playIn("duk", EXTRAS + small + playScript(tapes)), expected);
      });

      test("nothing is loaded or stored between two elements or behind the end", () => {
        const loop = watchedFactory("loop", instrumentCached(node.built.loop.wasm));
        const link = watchedFactory("link", instrumentCached(node.built.link.wasm));
        const sound = recordTape(node, ticksSpoiled(node), 11);
        const tapes = Array.from({ length: WATCHED_SEEDS }, (_, seed) => spoiled(sound, seed));
        const all = [tape, ...tapes];
        same(playFactories(node, all, loop.factory, link.factory), playWasm(node, all));
        assert.ok(loop.accesses() > 10 * TICKS && link.accesses() > 10 * TICKS);
        assert.deepEqual([...loop.problems(), ...link.problems()], []);
      });

      if (JERRY !== "")
        test("2,000 ticks are the same lines in JerryScript", () =>
          same(playIn(JERRY, packed + playScript([tape])), wasm));
      if (ESPRUINO !== "")
        test("2,000 ticks are the same lines in Espruino", () =>
          same(playIn(ESPRUINO, small + playScript([tape])), wasm));
    });

function ticksSpoiled({ plan }: JsNode): number {
  return Math.max(SPOILED_TICKS_MIN, SPOILED_US / plan.periodUs);
}

function ticksOf(lines: string): number {
  return lines.match(/^tick /gm)?.length ?? 0;
}

// The first line that differs, not megabytes.
function same(lines: string, expected: string): void {
  if (lines === expected) return;
  const [got, wanted] = [lines.split("\n"), expected.split("\n")];
  const at = wanted.findIndex((line, i) => line !== got[i]);
  assert.equal(got[at]?.slice(0, 400), wanted[at]?.slice(0, 400), `line ${at + 1}`);
  assert.equal(got.length, wanted.length);
}

/** A tape whose datagrams and characters are lost, doubled, cut and changed, with storage that fails now and then. */
function spoiled(tape: Tape, seed: number): Tape {
  const prng = createPrng(seed).fork("spoiled");
  const events = tape.events.flatMap((event): TapeEvent[] => {
    const [us, kind, tap, flags, hex] = event;
    const octets = Buffer.from(hex, "hex");
    const change = prng.below(12);
    if (change === 0) return [];
    if (change === 1) return [event, event];
    if (change === 2) return [[us, kind, tap, flags, hex.slice(0, 2 * prng.below(octets.length))]];
    if (change === 3) octets[prng.below(octets.length)]! ^= 1 << prng.below(8);
    if (change === 4) prng.fill(octets);
    return [[us, kind, tap, change === 5 && kind === 1 ? 2 : flags, octets.toString("hex")]];
  });
  const faults = [0, 1, 2].filter(() => prng.below(4) === 0);
  return { ...tape, seed: seed + 1, events, faults };
}
