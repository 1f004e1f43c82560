// SPDX-License-Identifier: MIT
// Goal: a line's rate, format and polarity are found from its edges alone.
// What is no serial line is refused. Method: detector and receiver of loop, compiled as they are, hear every channel of the shared captures and
// random lines of the wire model. Figures are printed; floors lie above what a first prototype reached.

import assert from "node:assert/strict";
import test from "node:test";
import { randomLine } from "../../host-sim/line/random.ts";
import {
  buildDetection,
  buildReceiver,
  edgeEntries,
  FRAMING_ERROR,
  readEdgeFolder,
  waveEntries,
  type EdgeChannel,
  type Verdict,
} from "../support/edge-capture.ts";
import * as need from "../support/need.ts";

const SHARED = "taps/edges";
const CHIP_UNIT_PS = 16_000;
const SURE = 90; // percent; what is wrong must stay below
const LINES = 256;
const FIRST_SEED = 1;

const detection = await buildDetection();

const channels = (): EdgeChannel[] => readEdgeFolder(need.sharedFile(SHARED));

function isRateRight({ expected }: EdgeChannel, { baud }: Verdict): boolean {
  // Where only one character was sent, another rate is right as well, and the capture says so.
  return baud === expected.baud || (expected.baud_ambiguous !== undefined && baud > 0);
}

function isRight(channel: EdgeChannel, verdict: Verdict): boolean {
  const { format_accept: formats, inverted } = channel.expected;
  const shape = formats.includes(verdict.format ?? "") && verdict.inverted === inverted;
  return isRateRight(channel, verdict) && shape;
}

const floors = [
  { edges: 60, rate: 57, all: 56 },
  { edges: 160, rate: 58, all: 58 },
  { edges: Infinity, rate: 59, all: 59 },
];

for (const { edges, rate, all } of floors)
  test(
    `${edges} edges give ${rate} rates, ${all} of 60 recorded lines, none wrong and sure`,
    need.shared(SHARED),
    async (t) => {
      const lines = channels().filter(
        ({ expected }) => expected.uart && expected.too_short_for_rate_detection !== true,
      );
      const verdicts = lines.map((channel) => ({
        channel,
        verdict: detection.judge(channel.unitPs, edgeEntries(channel, edges)),
      }));
      const wrong = verdicts.filter(({ channel, verdict }) => !isRight(channel, verdict));
      const rates = verdicts.filter(({ channel, verdict }) => isRateRight(channel, verdict));
      const right = lines.length - wrong.length;
      t.diagnostic(`${edges} edges: rate ${rates.length}, all ${right} of ${lines.length}`);
      for (const { channel, verdict } of wrong)
        t.diagnostic(`${channel.name}: ${JSON.stringify(verdict)}`);
      assert.equal(lines.length, 60);
      assert.ok(rates.length >= rate && right >= all);
      assert.ok(wrong.every(({ verdict }) => verdict.confidence < SURE));
    },
  );

test("a line that is no serial line is refused", need.shared(SHARED), () => {
  const others = channels().filter(({ expected }) => !expected.uart);
  assert.equal(others.length, 3);
  for (const channel of others)
    assert.equal(detection.judge(channel.unitPs, edgeEntries(channel)).baud, 0, channel.name);
});

test(
  "every recorded channel gives its characters, glitches or not",
  need.shared(SHARED),
  async () => {
    const receive = await buildReceiver();
    for (const channel of channels()) {
      const { uart, format, bytes_hex, framing_errors, framing_error_at } = channel.expected;
      if (!uart) continue;
      const characters = receive(channel);
      const digits = format.startsWith("9") ? 3 : 2;
      const mask = (1 << Number(format[0])) - 1;
      const hex = characters.map((c) => (c & mask).toString(16).padStart(digits, "0")).join("");
      const errors = characters.flatMap((c, i) => ((c & FRAMING_ERROR) === 0 ? [] : [i]));
      assert.equal(hex, bytes_hex, channel.name);
      assert.equal(errors.length, framing_errors, channel.name);
      if (framing_error_at !== undefined) assert.deepEqual(errors, framing_error_at, channel.name);
    }
  },
);

test(`98 % of ${LINES} random lines are right, none is wrong and sure`, async (t) => {
  let lines = 0;
  let right = 0;
  let edges = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + LINES; seed++) {
    const { truth, wave, about } = randomLine(seed);
    const verdict = detection.judge(CHIP_UNIT_PS, waveEntries(wave, CHIP_UNIT_PS));
    const say = `seed ${seed}: ${about}: ${JSON.stringify(verdict)}`;
    if (truth.baud === null) {
      assert.ok(verdict.baud === 0 || verdict.confidence < SURE, say);
      continue;
    }
    const format = truth.format.replace(/N2$/, "N1");
    const found = verdict.baud === truth.baud && verdict.inverted === truth.inverted;
    const good = found && verdict.format === format;
    lines++;
    edges += verdict.edges;
    if (good) right++;
    else t.diagnostic(say);
    assert.ok(good || verdict.confidence < SURE, say);
  }
  t.diagnostic(`${right} of ${lines} right, from ${Math.round(edges / lines)} edges in the mean`);
  assert.ok(right * 100 >= lines * 98);
});

test("a window is looked at in the steps that are promised", async () => {
  for (let seed = 1; seed <= 16; seed++)
    detection.judge(CHIP_UNIT_PS, waveEntries(randomLine(seed).wave, CHIP_UNIT_PS));
  assert.ok(detection.stepsMax() <= detection.stepsPromised);
});
