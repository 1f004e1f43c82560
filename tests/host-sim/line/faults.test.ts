// SPDX-License-Identifier: MIT
// Goal: faults of lines do to characters what they do on a wire, then go away.
// Method: a machine that says bursts at known times, heard with each fault, in ticks of several lengths.

import assert from "node:assert/strict";
import test from "node:test";
import { TAP_FLAG_BREAK, TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../../firmware/wire/tap.ts";
import { createNothing, type Device } from "../../../host-sim/devices/device.ts";
import { characterUs } from "../../../host-sim/devices/wire.ts";
import { createLines, type LineFault } from "../../../host-sim/faults/line.ts";
import { createPrng } from "../../../host-sim/prng.ts";

const BAUD = 9600;
const FORMAT = "8E1";
const CHARACTER_US = characterUs(BAUD, FORMAT);
const TAPS = [{ name: "bus", uart: 0, baud: BAUD, format: FORMAT }];
const BURSTS = 60;
const BURST = 10;
const PITCH_US = 60_000;
const END_US = (BURSTS + 2) * PITCH_US;

interface Entry {
  endUs: number;
  byte: number;
  flags: number;
}

/** Bursts of ten, all octets different from those beside them. */
function script(flagsOf: (index: number) => number = () => 0): Entry[] {
  return Array.from({ length: BURSTS * BURST }, (_, i) => ({
    endUs: Math.round(PITCH_US * (1 + Math.floor(i / BURST)) + CHARACTER_US * ((i % BURST) + 1)),
    byte: (i * 37) & 0xff,
    flags: flagsOf(i),
  }));
}

function machineOf(entries: readonly Entry[]): Device {
  let next = 0;
  return {
    ...createNothing(),
    advance(nowUs, sink) {
      for (; next < entries.length && entries[next]!.endUs <= nowUs; next++)
        sink(0, entries[next]!.endUs, entries[next]!.byte, entries[next]!.flags);
    },
  };
}

/** All that is heard with these faults from the beginning on; they end at `healUs`. */
function listen(faults: LineFault[], tickUs = 10_000, healUs = Infinity, said = script()): Entry[] {
  const lines = createLines(machineOf(said), TAPS, createPrng(1));
  const ends = faults.map((fault) => lines.begin(fault));
  const heard: Entry[] = [];
  let healed = false;
  for (let nowUs = 0; nowUs <= END_US; nowUs += tickUs) {
    if (!healed && nowUs >= healUs) {
      for (const end of ends) end();
      healed = true;
    }
    lines.advance(nowUs, (tap, endUs, byte, flags) => {
      assert.equal(tap, 0);
      assert.ok(endUs <= nowUs && endUs >= (heard.at(-1)?.endUs ?? 0));
      heard.push({ endUs, byte, flags });
    });
  }
  return heard;
}

const bytes = (entries: readonly Entry[]): number[] => entries.map(({ byte }) => byte);
const HARMLESS: LineFault = { kind: "jitter", amount: 0 };

test("without a fault nothing changes, nor with one of no size but the way of the bits", () => {
  // A broken stop bit only where the line rests behind it: elsewhere it hides the next start.
  const said = script((i) => {
    if (i % BURST === BURST - 1) return i % 3 === 0 ? TAP_FLAG_FRAMING : 0;
    return i % 13 === 7 ? TAP_FLAG_PARITY : 0;
  });
  assert.deepEqual(listen([], 10_000, Infinity, said), said);
  const heard = listen([HARMLESS], 10_000, Infinity, said);
  assert.equal(heard.length, said.length);
  heard.forEach(({ endUs, byte, flags }, i) => {
    const wanted = said[i]!;
    assert.deepEqual([byte, flags], [wanted.byte, wanted.flags], `character ${i}`);
    assert.ok(Math.abs(endUs - wanted.endUs) <= 0.15 * (CHARACTER_US / 11), `${endUs}`);
  });
});

const FAULTS: LineFault[] = [
  { kind: "rate", amount: 60_000 },
  { kind: "jitter", amount: 0.35 },
  { kind: "glitch", amount: 0.2 },
  { kind: "dropout", amount: 0.2 },
  { kind: "echo", amount: 0 },
  { kind: "collision", amount: 0.2 },
  { kind: "stray", amount: 0.7 },
  { kind: "inverted", amount: 0 },
];

for (const fault of FAULTS)
  test(`${fault.kind} changes what is heard, the same in every tick length, and ends`, () => {
    const heard = listen([fault]);
    assert.notDeepEqual(bytes(heard), bytes(script()));
    assert.deepEqual(listen([fault]), heard);
    if (fault.kind !== "inverted")
      for (const tickUs of [500, 3000, 100_000]) {
        const upTo = (entries: Entry[]): Entry[] =>
          entries.filter(({ endUs }) => endUs < END_US - 2 * PITCH_US);
        assert.deepEqual(upTo(listen([fault], tickUs)), upTo(heard), `${tickUs} µs`);
      }
    const healUs = 30 * PITCH_US;
    const after = (entries: Entry[]): Entry[] =>
      entries.filter(({ endUs }) => endUs > healUs + 2 * PITCH_US);
    const said = script();
    assert.deepEqual(bytes(after(listen([fault], 10_000, healUs))), bytes(after(said)));
    assert.deepEqual(after(listen([fault], 10_000, healUs)), after(said), "as it is again");
  });

test("a drop-out loses whole characters and spoils none", () => {
  const heard = bytes(listen([{ kind: "dropout", amount: 0.2 }]));
  const said = bytes(script());
  let at = 0;
  for (const byte of heard) {
    while (at < said.length && said[at] !== byte) at++;
    assert.ok(at++ < said.length);
  }
  assert.ok(heard.length < 0.9 * said.length && heard.length > 0.7 * said.length);
});

test("an echo says each burst again behind it", () => {
  const heard = bytes(listen([{ kind: "echo", amount: 0 }]));
  const said = bytes(script());
  const twice = Array.from({ length: BURSTS }, (_, i) => said.slice(i * BURST, (i + 1) * BURST));
  assert.deepEqual(
    heard,
    twice.flatMap((burst) => [...burst, ...burst]),
  );
});

test("strays are 00 without stop bit, or FE, behind bursts and nowhere else", () => {
  const heard = listen([{ kind: "stray", amount: 1 }]);
  assert.equal(heard.length, BURSTS * (BURST + 1));
  const strays = heard.filter((_, i) => i % (BURST + 1) === BURST);
  const zeros = strays.filter(({ byte, flags }) => byte === 0 && (flags & TAP_FLAG_FRAMING) !== 0);
  const fes = strays.filter(({ byte, flags }) => byte === 0xfe && flags === 0);
  assert.equal(zeros.length + fes.length, BURSTS);
  assert.ok(zeros.length > 10 && fes.length > 10);
  assert.deepEqual(bytes(heard.filter((_, i) => i % (BURST + 1) !== BURST)), bytes(script()));
});

test("swapped wires at rest are a break", () => {
  const [first] = listen([{ kind: "inverted", amount: 0 }]);
  assert.deepEqual([first!.byte, first!.flags], [0, TAP_FLAG_BREAK | TAP_FLAG_FRAMING]);
});

test("a tap without a rate is left alone", () => {
  const bare = [{ ...TAPS[0]!, baud: 0 }];
  const lines = createLines(machineOf(script()), bare, createPrng(1));
  lines.begin({ kind: "dropout", amount: 1 });
  const heard: number[] = [];
  lines.advance(END_US, (_tap, _endUs, byte) => heard.push(byte));
  assert.deepEqual(heard, bytes(script()));
});
