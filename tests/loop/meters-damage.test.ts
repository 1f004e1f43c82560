// SPDX-License-Identifier: MIT
// Goal: nothing is said of a damaged telegram, and the next good one is taken.
// Method: telegrams of our own are cut at each octet, turned in each bit, blown up, drowned in noise (1 MiB);
// checks are reckoned by other code than the firmware's and agree with the published check values.

import assert from "node:assert/strict";
import test from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import * as decoders from "../support/decoder.ts";
import { obisOf } from "../support/meter.ts";
import * as make from "../support/telegrams.ts";

const MIB = 1 << 20;
const CHARACTER_US = 1042;
const READING = 8;

test("the checks of the telegrams are those of the catalogue", () => {
  const digits = Buffer.from("123456789");
  assert.equal(make.crcArc(digits), 0xbb3d);
  assert.equal(make.crcX25(digits), 0x906e);
  assert.equal(make.crcKermit(digits), 0x2189);
});

interface Line {
  name: string;
  decoder: decoders.DecoderName;
  wanted: decoders.WantedObject[];
  good: Uint8Array;
  other: Uint8Array; // says something else
  bits: number; // of an octet
  lostMax: number; // octets that may be missing: an XOR does not see two equal ones
}

const wanted = ["1-0:1.8.0", "1-0:1.7.0"].map((id) => ({ obis: obisOf(id), part: 0 }));
const text = (energy: string, power: string): string[] => [
  "0-0:1.0.0(250101120000W)",
  `1-0:1.8.0(${energy}*kWh)`,
  `1-0:1.7.0(${power}*kW)`,
];
const sml = (energy: bigint, power: bigint): Uint8Array =>
  make.smlTelegram([
    { obis: [1, 0, 0, 0, 9, 255], value: "\x1b\x1b\x1b\x1b\x1b" },
    { obis: [1, 0, 1, 8, 0, 255], value: energy, unit: 30, scaler: -1 },
    { obis: [1, 0, 1, 7, 0, 255], value: power, bytes: 4, unit: 27, scaler: 0 },
  ]);
const mbus = (records: string): Uint8Array =>
  Uint8Array.from([
    ...make.shortFrame(0x7b, 5),
    ...make.longFrame(0x08, 5, 0x72, make.meterData("12345678", records)),
  ]);

const LINES: Line[] = [
  {
    name: "P1",
    decoder: decoders.P1,
    wanted,
    good: make.p1Telegram(text("000123.456", "01.193")),
    other: make.p1Telegram(text("000777.000", "00.500")),
    bits: 8,
    lostMax: 3,
  },
  {
    name: "IEC 62056-21, mode C",
    decoder: decoders.IEC,
    wanted,
    good: make.readOut(text("000123.456", "01.193")),
    other: make.readOut(text("000777.000", "00.500")),
    bits: 7,
    lostMax: 1,
  },
  {
    name: "SML",
    decoder: decoders.SML,
    wanted,
    good: sml(1_234_560n, 1193n),
    other: sml(7_770_000n, -500n),
    bits: 8,
    lostMax: 3,
  },
  {
    name: "M-Bus",
    decoder: decoders.M_BUS,
    wanted: [],
    good: mbus("040613000000" + "0c1315310000"),
    other: mbus("0406ff000000" + "0c1342000000"),
    bits: 8,
    lostMax: 3,
  },
];

interface Player {
  say(octets: ArrayLike<number>, flags?: (index: number) => number): string[];
  rest(): string[]; // what silence brings
  counters(): Record<string, number>;
}

function player(module: WebAssembly.Module, line: Line): Player {
  const decoder = decoders.createDecoder(module, line.wanted, CHARACTER_US);
  let nowUs = 1_000_000;
  const numbers = (events: decoders.DecoderEvent[]): string[] =>
    events
      .filter(({ kind }) => kind === READING)
      .map(({ digits, decimals, unitCode }) => `${digits}e${-decimals} ${unitCode}`);
  return {
    say: (octets, flags = () => 0) =>
      Array.from(octets).flatMap((octet, i) =>
        numbers(decoder.put(octet, flags(i), (nowUs += CHARACTER_US) >>> 0)),
      ),
    rest() {
      const events = Array.from({ length: 40 }, () => decoder.idle((nowUs += 100_000) >>> 0));
      return numbers(events.flat());
    },
    counters: () => decoder.counters(),
  };
}

for (const line of LINES) {
  const built = decoders.buildDecoder(line.decoder);
  const { good, other } = line;
  const says = async (octets: Uint8Array): Promise<string[]> =>
    player(await built, line).say(octets);

  test(`${line.name}: every prefix says nothing, and the telegram behind it is taken`, async () => {
    const [right, next] = [await says(good), await says(other)];
    assert.equal(right.length, 2);
    assert.notDeepEqual(right, next);
    for (let cut = 1; cut < good.length; cut++)
      for (const quiet of [true, false]) {
        const one = player(await built, line);
        assert.deepEqual(one.say(good.subarray(0, cut)), [], `prefix of ${cut}`);
        if (quiet) assert.deepEqual(one.rest(), [], `prefix of ${cut}`);
        // Without silence a telegram may be swallowed by the length of the one that was cut, never two.
        const said = [...one.say(other), ...one.say(other), ...one.rest()];
        assert.deepEqual(
          said.slice(-2),
          next,
          `after a prefix of ${cut}, ${quiet ? "" : "not "}quiet`,
        );
        assert.ok(said.length === 4 || !quiet, `after a prefix of ${cut} and silence`);
      }
  });

  test(`${line.name}: no turned bit becomes a number`, async () => {
    const [right, next] = [await says(good), await says(other)];
    for (let at = 0; at < good.length; at++)
      for (let bit = 0; bit < line.bits; bit++) {
        const turned = Uint8Array.from(good);
        turned[at]! ^= 1 << bit;
        const one = player(await built, line);
        const said = [...one.say(turned), ...one.rest()];
        // In the sign-on, or in the case of a digit of the check, the values are not touched.
        if (said.length > 0) assert.deepEqual(said, right, `octet ${at}, bit ${bit}`);
        if (said.length > 0) assert.ok(isOutside(line, at, bit), `octet ${at}, bit ${bit}`);
        assert.deepEqual(one.say(other), next, `the telegram after octet ${at}, bit ${bit}`);
      }
  });

  test(`${line.name}: a flagged octet spoils its telegram`, async () => {
    const next = await says(other);
    const first =
      line.decoder === decoders.IEC ? good.indexOf(2) : line.decoder === decoders.M_BUS ? 5 : 0;
    for (let at = first; at < good.length; at++) {
      const one = player(await built, line);
      assert.deepEqual(
        one.say(good, (i) => (i === at ? 2 : 0)),
        [],
        `octet ${at}`,
      );
      assert.deepEqual([...one.rest(), ...one.say(other)], next, `after octet ${at}`);
    }
  });

  test(`${line.name}: 1 MiB of noise is junk, the next telegram is taken`, async (t) => {
    const prng = createPrng(42);
    const one = player(await built, line);
    const next = await says(other);
    const noise = Uint8Array.from({ length: MIB }, () => prng.below(256));
    assert.deepEqual(one.say(noise), []);
    assert.deepEqual(one.rest(), []);
    const { bytes, junk_bytes, frames } = one.counters();
    t.diagnostic(`${frames} frames, ${bytes! - junk_bytes!} octets in them`);
    assert.equal(bytes, MIB);
    assert.ok(bytes! - junk_bytes! < MIB / 1000);
    assert.deepEqual(one.say(other), next);
  });

  test(`${line.name}: octets lost, doubled and turned at random never make a number`, async () => {
    const prng = createPrng(7);
    const sent = new Set([...(await says(good)), ...(await says(other))]);
    const one = player(await built, line);
    let taken = 0;
    for (let i = 0; i < 1000; i++) {
      const telegram = damage(i % 2 === 0 ? good : other, prng, line);
      for (const number of one.say(telegram)) {
        assert.ok(sent.has(number), `${number} was never sent`);
        taken++;
      }
      if (prng.chance(0.5)) for (const number of one.rest()) assert.ok(sent.has(number), number);
    }
    assert.ok(taken > 400, `${taken} numbers of 2000`);
  });
}

/** Whether a turned bit lies where it changes no value: before the block, or the case of a digit of the CRC. */
function isOutside({ decoder, good }: Line, at: number, bit: number): boolean {
  if (decoder === decoders.IEC) return at < good.indexOf(2);
  if (decoder === decoders.M_BUS) return at < 5;
  return decoder === decoders.P1 && bit === 5 && at > good.lastIndexOf(0x21) && good[at]! > 0x40;
}

/** Three telegrams of four are damaged in one or two octets. */
function damage(
  telegram: Uint8Array,
  prng: ReturnType<typeof createPrng>,
  { bits, lostMax }: Line,
): number[] {
  const octets = [...telegram];
  if (prng.chance(0.25)) return octets;
  const at = prng.below(octets.length);
  const how = prng.below(3);
  if (how === 0) octets.splice(at, 1 + prng.below(lostMax));
  else if (how === 1) octets.splice(at, 0, octets[at]!);
  else octets[at]! ^= 1 << prng.below(bits);
  return octets;
}
