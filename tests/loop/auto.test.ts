// SPDX-License-Identifier: MIT
// Goal: a tap that nobody configured finds its line and its protocol.
// It says when they change. Method: loop.wasm of a node with nothing but such a tap hears recorded waves, random lines and octets alone.

import assert from "node:assert/strict";
import test from "node:test";
import { formatOf } from "../../host-sim/line/format.ts";
import { randomLine } from "../../host-sim/line/random.ts";
import { inARow, transmit } from "../../host-sim/line/sender.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { detect, detectOctets, octetHost, runToEnd, waveHost } from "../../scripts/tap/detect.ts";
import { buildProbe, type LineFinding, type ProbeCharacter } from "../../scripts/tap/probe.ts";
import { readCapture } from "../support/capture.ts";
import { readEdgeFolder, waveDistances, type EdgeChannel } from "../support/edge-capture.ts";
import { readRegisters } from "../support/modbus.ts";
import * as need from "../support/need.ts";

const SHARED = "taps/edges";
const UNIT_PS = 16_000;
const SURE = 90;
const LINES = 256;

const probe = await buildProbe();

const channels = (): EdgeChannel[] => readEdgeFolder(need.sharedFile(SHARED));

for (const { edges, floor } of [
  { edges: 60, floor: 56 },
  { edges: Infinity, floor: 59 },
])
  test(
    `of 60 recorded lines the node finds ${floor} in ${edges} edges, and is never wrong and sure`,
    need.shared(SHARED),
    (t) => {
      let lines = 0;
      let right = 0;
      for (const { name, expected, ...wave } of channels()) {
        if (expected.too_short_for_rate_detection === true) continue;
        const found = detect(probe, { ...wave, edges: wave.edges.slice(0, edges) });
        const say = `${name}: ${JSON.stringify(found)}`;
        if (!expected.uart) {
          assert.equal(found.baud, null, say);
          continue;
        }
        const rate = found.baud === expected.baud || expected.baud_ambiguous !== undefined;
        const shape =
          expected.format_accept.includes(found.format ?? "") &&
          found.inverted === expected.inverted;
        lines++;
        if (rate && shape && found.baud !== null) right++;
        else {
          t.diagnostic(say);
          assert.ok(found.baud === null || found.confidence < SURE, say);
        }
      }
      t.diagnostic(`${edges} edges: ${right} of ${lines}`);
      assert.equal(lines, 60);
      assert.ok(right >= floor);
    },
  );

test("recorded waves of Modbus are known as Modbus", need.shared(SHARED), () => {
  const both = ["RXTX", "BA+"]; // wires that carry requests and answers
  for (const { name, expected, ...wave } of channels()) {
    if (!name.startsWith("modbus-")) continue;
    const found = detect(probe, wave);
    const heard = both.some((wire) => name.endsWith(` ${wire}`));
    assert.equal(found.protocol, heard ? "modbus-rtu" : null, `${name} ${expected.format}`);
  }
});

test(
  "recorded waves of text are known as text, vendors' own are unknown",
  need.shared(SHARED),
  () => {
    const wanted: Record<string, string | null> = {
      "gps-mtk3339-edges TX": "nmea",
      "kern-various-values-and-overflow-edges TX": "ascii-line",
      "edges-ut61e-voltage-dc-1-8v SDO": "ascii-line",
      "edges-amulet-menu Pin 1": null,
      "edges-vc820-5v RX": null,
      "edges-lin-stress LIN": null,
    };
    for (const { name, expected, ...wave } of channels())
      if (name in wanted)
        assert.equal(detect(probe, wave).protocol, wanted[name], `${name} ${expected.format}`);
  },
);

test(`98 % of ${LINES} random lines are found, none is wrong and sure`, (t) => {
  let [lines, right, known] = [0, 0, 0];
  for (let seed = 1; seed <= LINES; seed++) {
    const { truth, wave, about } = randomLine(seed);
    const edges = waveDistances(wave, UNIT_PS);
    const found = detect(probe, { unitPs: UNIT_PS, initial: wave.initial, edges });
    const say = `seed ${seed}: ${about}: ${JSON.stringify(found)}`;
    const line = found.baud === truth.baud && found.inverted === truth.inverted;
    const good =
      line && (truth.baud === null || found.format === truth.format.replace(/N2$/, "N1"));
    assert.ok(good || found.baud === null || found.confidence < SURE, say);
    if (truth.baud === null) continue;
    lines++;
    if (good) right++;
    else t.diagnostic(say);
    if (found.protocol === truth.protocol) known++;
    assert.ok(found.protocol === null || found.protocol === truth.protocol, say);
  }
  t.diagnostic(`lines ${right} of ${lines}, protocols ${known} of ${lines}`);
  assert.ok(right >= lines * 0.98 && known >= lines * 0.97);
});

const OWN = new URL("../vectors/modbus-libmodbus-mbpoll.jsonl", import.meta.url).pathname;
const OWN_ASCII = new URL("../vectors/modbus-ascii-two-units.jsonl", import.meta.url).pathname;

function recorded(file = OWN): ProbeCharacter[] {
  const { octets, timesUs } = readCapture(file);
  return Array.from(octets, (octet, i) => ({ octet, flags: 0, atUs: timesUs[i]! }));
}

test("octets without edges are known by their protocol", () => {
  const found = detectOctets(probe, recorded());
  assert.equal(found.protocol, "modbus-rtu");
  assert.equal(found.baud, null);
  assert.equal(detectOctets(probe, recorded(OWN_ASCII)).protocol, "modbus-ascii");
});

test("where there are no edges rates are tried until one has no errors", () => {
  const line = octetHost(recorded());
  const { characters } = line.host;
  let right = false;
  let opened = 0;
  line.host.open = (baud, format) => {
    opened++;
    right = baud === 19_200 && format === "8E1";
    return true;
  };
  line.host.characters = (capacity, nowUs) =>
    characters(capacity, nowUs).map((one) => (right ? one : { ...one, flags: 1 }));
  const known = runToEnd(probe, line).find(({ phase }) => phase === "protocol");
  assert.deepEqual([known?.baud, known?.format, known?.protocol], [19_200, "8E1", "modbus-rtu"]);
  assert.ok(opened > 1);
});

function polls(baud: number, count: number): { initial: number; edges: number[] } {
  const format = formatOf(baud, "8N1");
  const said = Array.from({ length: count }, (_, i) =>
    readRegisters(9, 4, 100, [i, 0x4142]).flatMap((frame, answer) =>
      inARow(frame, 50e6 + i * 200e6 + answer * 60e6),
    ),
  ).flat();
  const wave = transmit(said, { format, clockPpm: 0, jitterBits: 0.01 }, createPrng(1));
  return { initial: wave.initial, edges: waveDistances(wave, UNIT_PS) };
}

test("when the rate changes the line is told as changed and found again", () => {
  const [first, second] = [polls(9600, 40), polls(38_400, 40)];
  const line = waveHost({ unitPs: UNIT_PS, ...first });
  const later = waveHost({ unitPs: UNIT_PS, ...second });
  const { host } = line;
  let [baudNow, changed, switched] = [0, false, 0];
  const told = runToEnd(probe, {
    nextUs: () => (changed ? later.nextUs() : Math.min(line.nextUs(), 0)),
    host: {
      ...host,
      edges: (capacity, nowUs) => (changed ? later : line).host.edges(capacity, nowUs),
      open(baud, ...rest) {
        baudNow = baud;
        return (changed ? later : line).host.open(baud, ...rest);
      },
      characters(capacity, nowUs) {
        const heard = (changed ? later : line).host.characters(capacity, nowUs);
        if (!changed && heard.length === 0 && line.nextUs() === Infinity) {
          changed = true;
          switched = nowUs;
          later.host.open(baudNow, "8N1", false, nowUs); // the UART still has the old rate
        }
        return heard;
      },
    },
  });
  const phases = told.map(({ phase, baud }) => `${phase} ${baud}`);
  const again = told.findLast(({ phase }) => phase === "protocol") as LineFinding;
  assert.ok(
    phases.includes("protocol 9600") && phases.some((p) => p.startsWith("changed")),
    phases.join(", "),
  );
  assert.equal(again.baud, 38_400, phases.join(", "));
  assert.ok(again.atUs > switched);
});
