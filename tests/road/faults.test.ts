// SPDX-License-Identifier: MIT
// Goal: `ferrule up` carries out the faults of a plant, and refuses the others.
//
// Method: the command on plants of an oven; gateway and built-in broker go away and come back while it samples, and
// the last line says that everything arrived.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule, PROJECT, startUp } from "../support/ferrule.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule-faults-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function plant(name: string, faults: Record<string, string | number>[]): string {
  const file = join(folder, `${name}.json`);
  const place = { enterprise: "e", site: "s", area: "a", line: "l", cell: "c" };
  const node = join(PROJECT, "firmware/nodes/oven");
  writeFileSync(file, JSON.stringify({ ...place, nodes: [{ id: "oven-1", node }], faults }));
  return file;
}

const SUMS = /^1 nodes, (\d+) readings sent, (\d+) acknowledged, (\d+) ingested, 0 dropped$/;

async function ingested(page: string): Promise<number> {
  const text = await (await fetch(`${page}/metrics`)).text();
  return Number(/^ferrule_hub_ingested_total (\d+)/m.exec(text)?.[1] ?? 0);
}

for (const fault of ["gateway-restart", "broker-down"])
  test(`up with ${fault}: what was sampled meanwhile arrives after it`, async (t) => {
    const file = plant(fault, [{ at: "2s", fault, for: "3s" }]);
    const road = await startUp([file, "--page", "0"]);
    t.after(() => road.end());
    await road.said.says(new RegExp(`${fault} ended`));
    const atEnd = await ingested(road.page);
    await until("a reading after it", async () => (await ingested(road.page)) > atEnd);
    const run = await road.end();
    assert.equal(run.code, 130, run.stderr);
    const [, sent, acknowledged, arrived] =
      SUMS.exec(run.stdout.trimEnd().split("\n").at(-1)!) ?? [];
    assert.ok(Number(sent) > 10, run.stdout);
    assert.deepEqual([acknowledged, arrived], [sent, sent]);
  });

test("faults that cannot strike are refused by name before anything starts", async (t) => {
  const server = createServer().listen(0, "127.0.0.1"); // whoever listens there is another's broker
  t.after(() => server.close());
  await once(server, "listening");
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const next = "  next: take them out of the file, or run it in virtual time with ferrule sim\n";
  const down = plant("down", [{ at: 1, fault: "broker-down", for: 1 }]);
  const slow = plant("slow", [{ at: 1, fault: "broker-slow", for: 1 }]);
  const foreign = await ferrule(["up", down, "--broker", url]);
  assert.deepEqual([foreign.code, foreign.stdout], [1, ""]);
  const cannot = "ferrule: faults that cannot strike in real time";
  assert.equal(foreign.stderr, `${cannot} with another's broker: broker-down\n${next}`);
  const run = await ferrule(["sim", "--realtime", slow]);
  assert.deepEqual([run.code, run.stdout], [1, ""]);
  assert.equal(run.stderr, `${cannot}: broker-slow\n${next}`);
});

function scenario(name: string, written: object): string {
  const file = join(folder, `${name}.scenario.json`);
  const whole = { name, plant: plant(name, []), for: "6s", ...written };
  writeFileSync(file, JSON.stringify(whole));
  return file;
}

test("sim --realtime runs a scenario by the clock and judges it", async () => {
  const file = scenario("cut", {
    faults: [{ at: "2s", fault: "power-cut", node: "oven-1", for: "1s" }],
    expect: [
      { node: "oven-1", counts: "boot", atLeast: 2 },
      { node: "oven-1", counts: "loopTraps", atLeast: 1 },
      { sums: true },
    ],
  });
  const run = await ferrule(["sim", "--realtime", "--scenario", file]);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /\nferrule: 1 of 3 expectations were not met\n/);
  const verdicts = run.stdout.trimEnd().split("\n").slice(-3);
  assert.deepEqual(verdicts.slice(0, 2), [
    "ok     oven-1 counts boot: at least 2: 2",
    "FAILED oven-1 counts loopTraps: at least 1: 0",
  ]);
  assert.match(verdicts[2]!, /^ok {5}queued = ingested \+ dropped \+ lost, all within 120 s: /);
});

test("a scenario writes its set-points at the hub in real time", async () => {
  const file = scenario("write", {
    commands: [{ at: "2s", setpoint: "oven-1/target", value: 150 }],
    expect: [{ sums: true }],
  });
  const run = await ferrule(["sim", "--realtime", "--scenario", file, "--json"]);
  assert.equal(run.code, 0, run.stderr);
  const result = JSON.parse(run.stdout.trimEnd().split("\n").at(-1)!) as {
    writes: Record<string, number>;
    verdicts: { met: boolean }[];
  };
  assert.deepEqual(result.writes, { applied: 1, sent: 1 });
  assert.deepEqual(
    result.verdicts.map(({ met }) => met),
    [true],
  );
});

test("what a scenario cannot have in real time is refused by name", async () => {
  const next = "  next: change the file, or run it in virtual time, without --realtime and --pty\n";
  const past = { at: 1, setpoint: "oven-1/target", value: 150, by: "broker" };
  const cases: [object, string][] = [
    [{ faults: "by-seed" }, "faults by seed are for virtual time alone"],
    [{ commands: [past] }, "in real time commands are written at the hub alone"],
  ];
  for (const [i, [written, message]] of cases.entries()) {
    const file = scenario(`refused-${i}`, { ...written, expect: [{ sums: true }] });
    const run = await ferrule(["sim", "--realtime", "--scenario", file]);
    assert.equal(run.stderr, `ferrule: ${message}\n${next}`);
    assert.deepEqual([run.code, run.stdout], [1, ""]);
  }
});
