// SPDX-License-Identifier: MIT
// Goal: rate, format, polarity and protocol of random lines are found.
// Method: 256 seeds of the wire model through loop.wasm of a bare tap; what each is stands beside it.
// Lines that are no UART are refused; what is wrong is never sure. A line whose protocol is not known must not be
// told as another's.

import assert from "node:assert/strict";
import test from "node:test";
import { randomLine, type RandomLine } from "../../host-sim/line/random.ts";
import { detect, type Detection } from "../../scripts/tap/detect.ts";
import { buildProbe } from "../../scripts/tap/probe.ts";
import { waveDistances } from "../support/edge-capture.ts";

const LINES = 256;
const FIRST_SEED = Number(process.env["SEED"] ?? 1001); // auto.test.ts has those from 1
const UNIT_PS = 16_000;
const SURE = 90;
const RATES_MIN = 0.98;
const PROTOCOLS_MIN = 0.97;

interface Judged {
  say: string;
  truth: RandomLine["truth"];
  found: Detection;
  rate: boolean; // with format and polarity
}

const probe = await buildProbe();

function judge(seed: number): Judged {
  const { truth, wave, about } = randomLine(seed);
  const edges = waveDistances(wave, UNIT_PS);
  const found = detect(probe, { unitPs: UNIT_PS, initial: wave.initial, edges });
  const format = truth.format.replace(/N2$/, "N1"); // a second stop bit need not be found
  const same = found.format?.replace(/N2$/, "N1") === format && found.inverted === truth.inverted;
  return {
    say: `seed ${seed}: ${about}: ${JSON.stringify(found)}`,
    ...{ truth, found },
    rate: found.baud === truth.baud && (truth.baud === null || same),
  };
}

const judged = Array.from({ length: LINES }, (_, i) => judge(FIRST_SEED + i));
const lines = judged.filter(({ truth }) => truth.baud !== null);

function share(t: { diagnostic(text: string): void }, all: Judged[], right: Judged[]): number {
  for (const one of all) if (!right.includes(one)) t.diagnostic(one.say);
  t.diagnostic(`${right.length} of ${all.length}`);
  return right.length / all.length;
}

test(`of the lines ${RATES_MIN * 100} % have their rate, format and polarity found`, (t) => {
  assert.ok(lines.length > 200);
  assert.ok(
    share(
      t,
      lines,
      lines.filter(({ rate }) => rate),
    ) >= RATES_MIN,
  );
});

test(`of the protocols ${PROTOCOLS_MIN * 100} % are known`, (t) => {
  const known = lines.filter(({ truth, found }) => found.protocol === truth.protocol);
  assert.ok(share(t, lines, known) >= PROTOCOLS_MIN);
});

test("nothing that is wrong is sure, and no line has another's protocol", () => {
  for (const { say, truth, found, rate } of judged) {
    assert.ok(rate || found.baud === null || found.confidence < SURE, say);
    assert.ok(found.protocol === null || found.protocol === truth.protocol, say);
  }
});

test("what is no serial line is refused", () => {
  const others = judged.filter(({ truth }) => truth.baud === null);
  assert.ok(others.length > 20);
  for (const { say, found } of others) assert.equal(found.baud, null, say);
});
