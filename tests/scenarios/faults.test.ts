// SPDX-License-Identifier: MIT
// Each fault of the vocabulary does what it says, and the sums still match.
//
// Goal: every word has an effect that can be seen, ends, and loses nothing uncounted. Method: one short run
// of an oven and a meter a fault, its trace and its result.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { FAULT_NAMES, type FaultName } from "../../host-sim/faults/vocabulary.ts";
import type { FaultPlan, PlantPlan } from "../../host-sim/plan.ts";
import { runSimulation } from "../../host-sim/simulation.ts";
import { buildPair, calm } from "./plants.ts";
import { assertAccounted, traced, type Run } from "./runs.ts";

const AT_MS = 15_000;
const FOR_MS = 20_000;
let pair: PlantPlan;
let calmRun: Run;

before(async () => {
  pair = await buildPair();
  calmRun = traced(pair, calm(50_000));
});

function withFaults(faults: Partial<FaultPlan>[]): PlantPlan {
  const whole = faults.map((fault) => ({ atMs: AT_MS, forMs: FOR_MS, ...fault }) as FaultPlan);
  return { ...pair, faults: whole };
}

const run = (...faults: Partial<FaultPlan>[]): Run => traced(withFaults(faults), calm(50_000));

// Nodes whose readings the hub found stamped in the future.
function clockEvents(...faults: Partial<FaultPlan>[]): (string | null)[] {
  const found = new Set<string | null>();
  runSimulation(withFaults(faults), {
    ...calm(50_000),
    watch(hub, virtualMs) {
      if (virtualMs % 5000 !== 0) return;
      for (const { kind, node } of hub.snapshot(virtualMs).events) {
        if (kind === "clock") found.add(node);
      }
    },
  });
  return [...found];
}

interface Reading {
  tMs: number;
  bad: boolean;
  cause: number;
  value: number;
}

// Records that the oven's loop gave away for its temperature: quality, cause and value of SPEC.md §1.4.
function temperatures({ lines }: Run): Reading[] {
  return lines
    .filter(({ e, n }) => e === "ring-put" && n === "oven-1")
    .map(({ t, record }) => ({ t, bytes: Buffer.from(String(record), "hex") }))
    .filter(({ bytes }) => bytes[0] === 1 && bytes[1] === 0)
    .map(({ t, bytes }) => ({
      tMs: t / 1000,
      bad: bytes[2] === 2,
      cause: bytes[3]!,
      value: bytes[9]! >= 4 ? bytes.readInt32LE(12) : NaN,
    }));
}

const during = (readings: Reading[]): Reading[] =>
  readings.filter(({ tMs }) => tMs >= AT_MS && tMs < AT_MS + FOR_MS);
const count = ({ lines }: Run, event: string, field = "", value = ""): number =>
  lines.filter((line) => line.e === event && (field === "" || line[field] === value)).length;
const sent = ({ result }: Run): number => result.network.sent;

// The meter's tap at the end of a run, in the order of SPEC.md §6, and all that it published.
interface Tap {
  bytes: number;
  pairs: number;
  junk: number;
  values: Set<string>;
}

function tapOf({ lines }: Run): Tap {
  const records = lines
    .filter(({ e, n }) => e === "ring-put" && n === "meter-1")
    .map(({ record }) => Buffer.from(String(record), "hex"));
  const state = records.filter(([kind]) => kind === 3).at(-1)!;
  const [bytes, pairs, junk] = [0, 5, 9].map((place) => state.readUInt32LE(12 + 4 * place));
  const readings = records.filter(([kind, , quality]) => kind === 1 && quality === 0);
  const values = new Set(readings.map((r) => `${r[1]} ${r.subarray(12).toString("hex")}`));
  return { bytes: bytes!, pairs: pairs!, junk: junk!, values };
}

/** What the tap heard with a fault of its line and without; whatever it was, no wrong value comes of it. */
function lineRun(fault: FaultName): { seen: Run; heard: Tap; sound: Tap } {
  const seen = run({ fault, node: "meter-1" });
  const [heard, sound] = [tapOf(seen), tapOf(calmRun)];
  assert.ok(sound.values.size > 3 && sound.pairs > 10);
  assert.ok([...heard.values].every((value) => sound.values.has(value)));
  return { seen, heard, sound };
}

/** What shows that the fault was there. */
const EFFECTS: Record<FaultName, () => Run> = {
  loss() {
    const seen = run({ fault: "loss", amount: 0.5 });
    assert.ok(seen.result.network.lost > 5);
    return seen;
  },
  duplicate() {
    const seen = run({ fault: "duplicate", amount: 0.5 });
    assert.ok(seen.result.network.duplicated > 20);
    return seen;
  },
  reorder() {
    const seen = run({ fault: "reorder", amount: 0.5 });
    assert.ok(seen.result.network.late > 20);
    return seen;
  },
  truncate() {
    const seen = run({ fault: "truncate", amount: 0.5 });
    assert.ok(seen.result.network.truncated > 5);
    return seen;
  },
  corrupt() {
    const seen = run({ fault: "corrupt", amount: 0.5 });
    assert.ok(seen.result.network.corrupted > 5);
    return seen;
  },
  delay() {
    const seen = run({ fault: "delay", amount: 3000, node: "oven-1" });
    assert.ok(seen.result.network.delivered > 0 && sent(seen) !== sent(calmRun));
    return seen;
  },
  partition() {
    const seen = run({ fault: "partition", node: "oven-1" });
    const gone = seen.lines.filter(({ e, copies }) => e === "net" && copies === 0);
    assert.ok(gone.length > 0);
    const oven = "192.0.2.2:10001";
    assert.ok(gone.every(({ from, to }) => from === oven || to === oven));
    assert.equal(
      count(seen, "broker", "client", "meter-1"),
      count(calmRun, "broker", "client", "meter-1"),
    );
    return seen;
  },
  "power-cut"() {
    const seen = run({ fault: "power-cut", node: "oven-1" });
    assert.equal(seen.result.perNode[0]!.boot, 2);
    return seen;
  },
  "flash-torn"() {
    const seen = run(
      { fault: "power-cut", node: "oven-1", forMs: 2000 },
      { fault: "flash-torn", node: "oven-1", amount: 3 },
    );
    const power = seen.lines.filter(({ e, n }) => e === "power" && n === "oven-1");
    assert.deepEqual(
      power.slice(1).map(({ t, on }) => [Math.floor(t / 1e6), on]),
      [
        [15, false],
        [17, true],
        [17, false], // inside the write
        [35, true],
      ],
    );
    return seen;
  },
  "clock-drift"() {
    const seen = run({ fault: "clock-drift", node: "oven-1", amount: 50_000 });
    const last = seen.lines.filter(({ e, n }) => e === "ring-put" && n === "oven-1").at(-1)!;
    const same = calmRun.lines.filter(({ e, n }) => e === "ring-put" && n === "oven-1").at(-1)!;
    const clock = (line: typeof last): number =>
      Buffer.from(String(line["record"]), "hex").readUInt32LE(4) - line.t;
    const fastUs = clock(last) - clock(same);
    assert.ok(Math.abs(fastUs - FOR_MS * 50) < 5000, `${fastUs} µs fast`);
    return seen;
  },
  overrun() {
    const seen = run({ fault: "overrun", node: "oven-1" });
    const { loopOverruns } = seen.result.perNode[0]!;
    assert.equal(loopOverruns, FOR_MS / 10);
    const duty = seen.lines.filter(
      ({ e, t }) => e === "pwm" && t > (AT_MS + 10) * 1000 && t < (AT_MS + FOR_MS) * 1000,
    );
    assert.ok(duty.length > 0 && duty.at(-1)!["duty"] === 0);
    return seen;
  },
  "mailbox-garbled"() {
    const commands = Array.from({ length: 20 }, (_, i) => ({
      ...{ atMs: AT_MS + 500 * i, node: "oven-1", setpoint: "target", value: 150 },
      by: "hub" as const,
    }));
    const garbled = { fault: "mailbox-garbled" as const, node: "oven-1" };
    const seen = traced(withFaults([garbled]), { ...calm(50_000), commands });
    const taken = seen.lines
      .filter(({ e, n }) => e === "mailbox-take" && n === "oven-1")
      .map(({ record }) => Buffer.from(String(record), "hex").readInt32LE(8));
    assert.ok(taken.length === 20 && taken.every((mantissa) => mantissa !== 1500), taken.join());
    assert.equal(seen.result.perNode[0]!.beyondLimits, 0);
    assert.ok((seen.result.writes["clamped"] ?? 0) >= 15, JSON.stringify(seen.result.writes));
    return seen;
  },
  "sensor-stuck"() {
    const seen = run({ fault: "sensor-stuck", node: "oven-1", input: 0 });
    const values = during(temperatures(seen)).filter(({ tMs }) => tMs > AT_MS + 5000);
    assert.equal(new Set(values.map(({ value }) => value)).size, 1);
    return seen;
  },
  "sensor-noise"() {
    const seen = run({ fault: "sensor-noise", node: "oven-1", input: 0, amount: 1500 });
    const unrest = (values: Reading[]): number =>
      values.reduce(
        (sum, { value }, i) => sum + Math.abs(value - (values[i - 1]?.value ?? value)),
        0,
      );
    const noisy = unrest(during(temperatures(seen)).filter(({ bad }) => !bad));
    assert.ok(noisy > 2 * unrest(during(temperatures(calmRun))), `${noisy}`);
    return seen;
  },
  "sensor-drift"() {
    const seen = run({ fault: "sensor-drift", node: "oven-1", input: 0, amount: 200 });
    assert.ok(during(temperatures(seen)).some(({ bad, cause }) => bad && cause > 0));
    return seen;
  },
  "sensor-open-wire"() {
    const seen = run({ fault: "sensor-open-wire", node: "oven-1", input: 0 });
    const bad = temperatures(seen).filter((reading) => reading.bad);
    assert.ok(bad.length > 0 && bad.every(({ cause }) => cause === 1));
    assert.ok(bad.every(({ tMs }) => tMs >= AT_MS && tMs < AT_MS + FOR_MS + 100));
    return seen;
  },
  "sensor-spike"() {
    const seen = run({ fault: "sensor-spike", node: "oven-1", input: 0, amount: 0.2 });
    assert.ok(during(temperatures(seen)).some(({ bad }) => bad));
    return seen;
  },
  "line-rate"() {
    const { seen, heard, sound } = lineRun("line-rate");
    assert.ok(heard.pairs < sound.pairs && heard.junk > sound.junk);
    return seen;
  },
  "line-jitter"() {
    const { seen, heard, sound } = lineRun("line-jitter");
    assert.ok(heard.pairs < sound.pairs);
    return seen;
  },
  "line-glitch"() {
    const { seen, heard, sound } = lineRun("line-glitch");
    assert.ok(heard.pairs < sound.pairs && heard.pairs > 0);
    return seen;
  },
  "line-dropout"() {
    const { seen, heard, sound } = lineRun("line-dropout");
    assert.ok(heard.bytes < sound.bytes && heard.bytes > 0.8 * sound.bytes);
    return seen;
  },
  "line-inverted"() {
    const { seen, heard, sound } = lineRun("line-inverted");
    assert.ok(heard.pairs < sound.pairs);
    return seen;
  },
  "line-echo"() {
    const { seen, heard, sound } = lineRun("line-echo");
    assert.ok(heard.bytes > 1.2 * sound.bytes);
    return seen;
  },
  "line-collision"() {
    const { seen, heard, sound } = lineRun("line-collision");
    assert.ok(heard.pairs < sound.pairs && heard.pairs > 0);
    return seen;
  },
  "line-stray"() {
    const { seen, heard, sound } = lineRun("line-stray");
    assert.ok(heard.junk > sound.junk + 5);
    assert.equal(heard.pairs, sound.pairs, "a stray between frames costs none");
    return seen;
  },
  "clock-step"() {
    const cut = { fault: "power-cut" as const, node: "oven-1", forMs: 2000 };
    const step = { fault: "clock-step" as const, amount: 3_600_000 };
    assert.deepEqual(clockEvents(step, cut), ["oven-1"]); // it asks for the time again
    assert.deepEqual(clockEvents({ ...step, amount: 0 }, cut), []);
    return run(step, cut);
  },
  "broker-down"() {
    const seen = run({ fault: "broker-down" });
    const silent = seen.lines.filter(
      ({ e, t }) => e === "broker" && t > (AT_MS + 10) * 1000 && t < (AT_MS + FOR_MS) * 1000,
    );
    assert.equal(silent.length, 0);
    assert.equal(
      seen.lines.filter(({ e, hex }) => e === "broker" && hex === "6c6f7374").length,
      0,
      "a broker that ends publishes no will",
    );
    return seen;
  },
  "broker-slow"() {
    const seen = run({ fault: "broker-slow", amount: 5000 });
    assert.ok(count(seen, "broker") !== count(calmRun, "broker") || sent(seen) !== sent(calmRun));
    return seen;
  },
  "gateway-restart"() {
    const seen = run({ fault: "gateway-restart", forMs: 3000 });
    const connects = seen.lines.filter(
      ({ e, hex, n }) => e === "datagram-put" && n === "oven-1" && /^..04/.test(String(hex)),
    );
    assert.ok(connects.length >= 2, "the new gateway wants a CONNECT");
    const ids = (after: boolean): Set<string> =>
      new Set(
        seen.lines
          .filter(({ e, hex, t }) => {
            const regack = e === "net" && String(hex).startsWith("070b");
            return regack && t > AT_MS * 1000 === after;
          })
          .map(({ hex }) => String(hex).slice(4, 8)),
      );
    assert.ok(ids(false).size > 0 && ids(true).size > 0);
    assert.ok(
      [...ids(true)].every((id) => !ids(false).has(id)),
      "a topic id of before",
    );
    return seen;
  },
};

for (const name of FAULT_NAMES) {
  test(`${name}: it shows, it ends, and each reading is once in the hub or counted`, () => {
    const seen = EFFECTS[name]();
    assertAccounted(seen.result, name);
    assert.equal(count(seen, "fault", "fault", name), 1);
    assert.equal(count(seen, "fault-end", "fault", name), 1);
    assert.ok(seen.result.queued > 100);
  });
}
