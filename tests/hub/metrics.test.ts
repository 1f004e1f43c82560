// SPDX-License-Identifier: MIT
// Goal: /metrics says what the hub knows, in a form that Prometheus takes.
//
// Method: the text of a scripted plant, parsed line by line under the rules of the format and of promtool,
// which judges too where it is installed.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { createMetrics } from "../../hub/outputs/metrics.ts";
import { type FixtureHub, startFixtureHub } from "../support/fixture-hub.ts";
import { findProgram } from "../support/need.ts";
import { Decimal, pack } from "../support/pack.ts";

async function played(): Promise<{ fixture: FixtureHub; text: string }> {
  const fixture = await startFixtureHub();
  fixture.step();
  fixture.say(
    "ferrule/oven-1/event",
    pack({ q: 500, records: [{ n: "temperature/too-hot", vb: true }] }),
  );
  fixture.say("ferrule/oven-1/data", pack({ q: 501, records: [{ n: "heater", vs: "stale" }] }));
  fixture.say("ferrule/oven-1/data", pack({ q: 501, records: [{ n: "heater", vs: "stale" }] }));
  fixture.say("ferrule/oven-1/data", "nonsense");
  fixture.say("ferrule/meter-1/presence", "lost");
  const text = await (await fetch(`${fixture.url}/metrics`)).text();
  await fixture.close();
  return { fixture, text };
}

const SAMPLE = /^([a-z_][a-z0-9_]*)(?:\{([^}]*)\})? (-?[0-9.e+-]+)$/;
const LABEL = /^[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\["\\n])*"$/;

function parse(text: string): {
  samples: Map<string, number>;
  types: Map<string, string>;
  helps: Set<string>;
} {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  const helps = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, what, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (what === "HELP") helps.add(name);
    else if (what === "TYPE") types.set(name, rest);
    else {
      const [, metric, labels = "", value] = SAMPLE.exec(line) ?? [];
      assert.ok(metric !== undefined && value !== undefined, line);
      for (const label of labels === "" ? [] : labels.split(",")) assert.match(label, LABEL);
      assert.ok(!samples.has(`${metric}{${labels}}`), `twice: ${line}`);
      samples.set(`${metric}{${labels}}`, Number(value));
    }
  }
  return { samples, types, helps };
}

test("the numbers are those of the hub", async () => {
  const { fixture, text } = await played();
  const { samples } = parse(text);
  const expected: [string, number][] = [
    ["ferrule_hub_messages_total{}", fixture.hub.totals().messages],
    ["ferrule_hub_ingested_total{}", 14],
    ["ferrule_hub_duplicates_total{}", 1],
    ["ferrule_hub_readings_total{}", 13],
    ["ferrule_hub_events_total{}", 1],
    ['ferrule_hub_refused_total{reason="truncated"}', 1],
    ['ferrule_node_state{node="oven-1",state="online"}', 1],
    ['ferrule_node_state{node="meter-1",state="online"}', 0],
    ['ferrule_node_state{node="meter-1",state="lost"}', 1],
    ['ferrule_node_boot{node="oven-1"}', 1],
    ['ferrule_node_uptime_seconds{node="oven-1"}', 1],
    ['ferrule_node_counted{node="oven-1",name="queued"}', 0],
    ['ferrule_tap_counted{node="meter-1",tap="bus",name="bytes"}', 8],
    ['ferrule_channel_value{node="meter-1",channel="voltage",unit="V"}', 230.1],
    ['ferrule_channel_quality{node="oven-1",channel="heater",unit="/"}', 2],
    ['ferrule_alarm_active{node="oven-1",channel="temperature",alarm="too-hot"}', 1],
  ];
  for (const [name, value] of expected) assert.equal(samples.get(name), value, name);
  assert.ok(!samples.has('ferrule_channel_value{node="oven-1",channel="heater",unit="/"}'));
});

test("asked twice it counts nothing twice", async () => {
  const { fixture } = await played();
  const metrics = createMetrics(fixture.hub, fixture.nowMs);
  assert.equal(await metrics(), await metrics());
});

test("every metric has help and type, and names that promtool's linter takes", async () => {
  const { samples, types, helps } = parse((await played()).text);
  for (const [name, type] of types) {
    assert.ok(helps.has(name), name);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.match(name, /^ferrule_[a-z]+(_[a-z]+)*$/);
    assert.doesNotMatch(name, /(^|_)(counter|gauge|histogram|summary|count|sum|bucket|info)($|_)/);
    assert.doesNotMatch(name, /_(ms|milliseconds|minutes|hours|kilobytes|percent)($|_)/);
  }
  for (const key of samples.keys()) assert.ok(types.has(key.slice(0, key.indexOf("{"))), key);
});

test("a value with an odd name or size is still a line that parses", async () => {
  const fixture = await startFixtureHub();
  const records = [
    { n: "a:b./c", v: new Decimal(22, 9) },
    { n: "tiny", v: new Decimal(-22, -1) },
  ];
  fixture.say("ferrule/x/data", pack({ records }));
  const { samples } = parse(await (await fetch(`${fixture.url}/metrics`)).text());
  assert.equal(samples.get('ferrule_channel_value{node="x",channel="a:b./c",unit=""}'), 9e22);
  assert.equal(samples.get('ferrule_channel_value{node="x",channel="tiny",unit=""}'), -1e-22);
  await fixture.close();
});

test("promtool, where it is installed, has nothing to say", async (context) => {
  const promtool = findProgram("promtool");
  if (promtool === undefined) return context.diagnostic("promtool is not installed");
  const { text } = await played();
  const result = spawnSync(promtool, ["check", "metrics"], { input: text });
  assert.equal(result.status, 0, result.stderr.toString());
});
