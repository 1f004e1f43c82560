// SPDX-License-Identifier: MIT
// The machines of the simulator behave like machines, and repeat themselves.
//
// Goal: heat, doors and recorded lines that firmware can be judged against. Method: energy balance,
// golden counts of one seed, and a capture played back against its own lines.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../firmware/wire/tap.ts";
import { createNothing } from "../../host-sim/devices/device.ts";
import { createOven } from "../../host-sim/devices/oven.ts";
import { CaptureError, createReplay, parseTrace } from "../../host-sim/devices/replay.ts";
import { REPLAY_PAUSE_US } from "../../host-sim/devices/replay.ts";
import { createPrng } from "../../host-sim/prng.ts";

const CAPTURE = new URL("../vectors/modbus-libmodbus-mbpoll.jsonl", import.meta.url);
const ignore = (): void => undefined;

test("a cold oven reads room temperature within its noise, and has no other input", () => {
  const oven = createOven(createPrng(1));
  const room = Math.round(((22 + 50) / 400) * 4095);
  const counts = Array.from({ length: 200 }, () => oven.adc(0));
  assert.ok(counts.every((count) => Math.abs(count - room) <= 2));
  assert.ok(new Set(counts).size > 3);
  assert.equal(oven.adc(1), -1);
  assert.equal(oven.adc(-1), -1);
});

test("heat, loss and an open door move the temperature as energy demands", () => {
  const oven = createOven(createPrng(1));
  oven.pwm(0, 65_535);
  oven.pwm(1, 0); // not there
  oven.advance(1_000_000, ignore);
  assert.ok(Math.abs(oven.temperatureC() - (22 + 2400 / 400)) < 0.1); // 6 K in the first second
  oven.pwm(0, 0);
  const hot = oven.temperatureC();
  oven.advance(20_000_000, ignore);
  assert.ok(oven.temperatureC() < hot && oven.temperatureC() > 22);
});

test("full power settles where heater and loss balance, unless the door is open", () => {
  const oven = createOven(createPrng(2));
  oven.pwm(0, 32_768);
  let seen = 0;
  for (let t = 1; t <= 1200; t++) {
    oven.advance(t * 1_000_000, ignore);
    if (oven.doorOpen()) seen++;
  }
  assert.ok(seen > 20 && seen < 200, `door open ${seen} of 1200 s`);
  assert.ok(oven.temperatureC() <= 22 + 1200 / 5 + 0.1);
});

test("the door opens when the seed says, however often it is looked at", () => {
  const doors = (seed: number, stepUs: number): string => {
    const oven = createOven(createPrng(seed));
    let text = "";
    for (let t = 0; t <= 600_000_000; t += stepUs) {
      oven.advance(t, ignore);
      if (t % 1_000_000 === 0) text += oven.doorOpen() ? "o" : ".";
    }
    return text;
  };
  assert.equal(doors(3, 10_000), doors(3, 1_000_000));
  assert.notEqual(doors(3, 1_000_000), doors(4, 1_000_000));
});

test("a capture plays back as its lines say, both directions on one wire", () => {
  const text = readFileSync(CAPTURE, "utf8");
  const trace = parseTrace(text);
  const replay = createReplay(1, trace, false);
  const heard: string[] = [];
  for (let t = 0; t < 4_000_000; t += 10_000) {
    replay.advance(t, (tap, endUs, byte, flags) => {
      assert.ok(endUs > t - 10_000 && endUs <= t);
      heard.push(`${tap} ${endUs} ${byte.toString(16).padStart(2, "0")} ${flags}`);
    });
  }
  const lines = text.split("\n").slice(1).filter(Boolean);
  const expected = lines.map((line) => {
    const { t_us, hex } = JSON.parse(line) as { t_us: number; hex: string };
    return `1 ${t_us} ${hex} 0`;
  });
  assert.equal(expected.length, 481);
  assert.deepEqual(heard, expected);
});

test("repeated, each round starts a pause after the last character of the one before", () => {
  const trace = parseTrace('{"kind":"bytes"}\n{"t_us":100,"hex":"01"}\n{"t_us":300,"hex":"02"}\n');
  const heard: number[] = [];
  const replay = createReplay(0, trace, true);
  replay.advance(2 * (300 + REPLAY_PAUSE_US) + 100, (_tap, endUs) => heard.push(endUs));
  const round = 300 + REPLAY_PAUSE_US;
  assert.deepEqual(heard, [100, 300, round + 100, round + 300, 2 * round + 100]);
  createReplay(0, [], true).advance(1e12, () => assert.fail("an empty capture says nothing"));
});

test("characters that a receiver would flag are flagged", () => {
  const trace = parseTrace(
    [
      '{"kind":"bytes"}',
      '{"t_us":1,"hex":"Aa","err":"framing"}',
      "",
      '{"t_us":1,"hex":"00","err":"parity"}',
    ].join("\n"),
  );
  assert.deepEqual(trace, [
    { tUs: 1, byte: 0xaa, flags: TAP_FLAG_FRAMING },
    { tUs: 1, byte: 0, flags: TAP_FLAG_PARITY },
  ]);
});

test("a capture that is not as described is refused with the number of its line", () => {
  const good = '{"kind":"bytes"}\n{"t_us":5,"hex":"01"}\n';
  const bad: [string, RegExp][] = [
    ["", /line 1 .*not JSON/],
    ["[]\n", /line 1 .*header/],
    ["null\n", /line 1 .*not an object/],
    ['{"kind":"edges"}\n', /line 1 .*"kind":"bytes"/],
    [`${good}nonsense\n`, /line 3 .*not JSON/],
    [`${good}{"t_us":4,"hex":"01"}\n`, /line 3 .*backwards/],
    [`${good}{"t_us":6.5,"hex":"01"}\n`, /line 3 .*t_us/],
    [`${good}{"t_us":-1,"hex":"01"}\n`, /line 3 .*t_us/],
    [`${good}{"hex":"01"}\n`, /line 3 .*t_us/],
    [`${good}{"t_us":6,"hex":"0"}\n`, /line 3 .*hex/],
    [`${good}{"t_us":6,"hex":7}\n`, /line 3 .*hex/],
    [`${good}{"t_us":6,"hex":"00","err":"noise"}\n`, /line 3 .*err/],
  ];
  for (const [text, message] of bad) {
    assert.throws(
      () => parseTrace(text),
      (error) => error instanceof CaptureError && message.test(error.message),
      text,
    );
  }
});

test("nothing at the pins has no input", () => {
  const nothing = createNothing();
  nothing.advance(1, () => assert.fail());
  nothing.pwm(0, 1);
  assert.equal(nothing.adc(0), -1);
});
