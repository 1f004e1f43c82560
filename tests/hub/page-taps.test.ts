// SPDX-License-Identifier: MIT
// Goal: the page shows what a meter says, and what a bare tap found out.
//
// Method: a real hub with its real page in Debian's Chromium, fed with births, packs and findings as nodes send them; the proposed
// node.json is loaded as the page's link loads it, and checked as a build does.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { LINE_FORMATS, LINE_PROTOCOLS } from "../../firmware/wire/line-names.ts";
import { bundlePage } from "../../hub/web/bundle.ts";
import { startFixtureHub, type FixtureHub } from "../support/fixture-hub.ts";
import { parseNode } from "../support/link-host.ts";
import { program } from "../support/need.ts";
import {
  birth,
  Decimal,
  encode,
  pack,
  status,
  type Item,
  type RecordSpec,
} from "../support/pack.ts";
import { PHONE, useBrowser } from "./page-open.ts";
import { showsCount, showsText } from "./page-settled.ts";

const { openAt, later } = useBrowser();
const needs = program("chromium");
const BUNDLE = bundlePage();
const OBJECT = 9; // kind of a channel
const [LINE_FOUND, REGISTER, QUESTION] = [0, 1, 2]; // forms of findings
const [LISTENING, KNOWN] = [0, 2]; // phases of a line

async function start(): Promise<FixtureHub> {
  const hub = await startFixtureHub(await BUNDLE);
  later(() => hub.close());
  return hub;
}

async function show(hub: FixtureHub, address: string): Promise<{ page: Page; printed: string[] }> {
  return openAt(`${hub.url}/${address}`);
}

type Born = Parameters<typeof birth>[0];

function bear(hub: FixtureHub, id: string, spec: Born, counters: number[]): void {
  birth(spec).forEach((part, i) => hub.say(`ferrule/${id}/birth/${i}`, part, true));
  hub.say(`ferrule/${id}/presence`, "online");
  hub.say(`ferrule/${id}/status`, status({ taps: [counters] }));
}

const find = (hub: FixtureHub, id: string, items: Item[]): void =>
  hub.say(
    `ferrule/${id}/tap`,
    encode(
      new Map<number, Item>([
        [0, 1],
        [2, items],
      ]),
    ),
  );

type Format = (typeof LINE_FORMATS)[number];
type Protocol = (typeof LINE_PROTOCOLS)[number];

function lineFound(baud: number, format: Format, protocol: Protocol, phase = KNOWN): Item {
  const codes = [LINE_FORMATS.indexOf(format), 1, LINE_PROTOCOLS.indexOf(protocol)];
  return [LINE_FOUND, 0, baud, ...codes, 97, 99, phase, 41, 900];
}

const object = (name: string, unit: string | undefined, scale: Decimal, code: string) => ({
  ...{ name, kind: OBJECT, scale, periodMs: 0, heartbeatMs: 0 },
  ...(unit !== undefined && { unit }),
  object: [0, code, 0] as [number, string, number],
});

test("the objects of a meter: values in one unit, a bad one with its cause", needs, async () => {
  const hub = await start();
  const eui64 = "02fe0a00000000b1";
  const channels = [
    object("energy", "J", new Decimal(2, 36), "1-0:1.8.1"),
    object("power", "W", new Decimal(0, 1), "1-0:1.7.0"),
    { ...object("gas", "m3", new Decimal(-3, 1), "0-1:24.2.1"), object: [0, "0-1:24.2.1", 2] },
    object("tariff", undefined, new Decimal(0, 1), "0-0:96.14.0"),
    object("voltage", "V", new Decimal(-1, 1), "1-0:32.7.0"),
  ] as Born["channels"][0];
  const tap: [string, string, number, string] = ["p1", "dsmr-p1", 115_200, "8N1"];
  const counters = [13_600, 40, 0, 0, 1, 0, 0, 0, 0, 340];
  bear(hub, "p1-1", { type: "p1", eui64, channels: [channels], taps: [tap] }, counters);
  const records: RecordSpec[] = [
    { n: "energy", v: new Decimal(2, 36 * 4428) },
    { n: "power", v: new Decimal(0, 1193) },
    { n: "gas", v: new Decimal(-3, 107_248) },
    { n: "tariff", v: 1 },
    { n: "voltage", vs: "stale" },
  ];
  hub.say("ferrule/p1-1/data", pack({ eui64, bt: hub.nowMs(), q: 1, records }));

  const { page, printed } = await show(hub, "#/taps/p1-1/p1");
  await showsCount(page.locator(".objects tbody tr"), (count) => count === 5);
  await showsText(page.locator('tr:has-text("1-0:1.8.1")'), /^energy15.940.800.?J.*only one$/);
  await showsText(page.locator('tr:has-text("1-0:1.7.0")'), /^power1.?193.?W/);
  await showsText(page.locator('tr:has-text("0-1:24.2.1")'), /gas107\.248.*value 2/);
  await showsText(page.locator('tr:has-text("1-0:32.7.0")'), /voltage.*stale/);
  await showsText(
    page.locator(".figures"),
    /telegrams40wrong check1cut off0octets13\D?600noise2\.5/,
  );
  await page.waitForSelector('.tap-head :text("hears the line")');
  await page.setViewportSize(PHONE);
  await assertFits(page);
  assert.deepEqual(printed, []);
});

test("the meters of a bus are told apart by their address", needs, async () => {
  const hub = await start();
  const eui64 = "02fe0a00000000b2";
  const heat = (name: string, code: string, meter: string) => ({
    ...object(name, "m3", new Decimal(-3, 1), code),
    object: [0, code, 0, meter] as [number, string, number, string],
  });
  const channels = [heat("volume", "0C13", "1"), heat("cold", "0C13", "24681012")];
  const tap: [string, string, number, string] = ["bus", "m-bus", 2400, "8E1"];
  const counters = [900, 16, 8, 8, 0, 8, 0, 0, 0, 0];
  bear(hub, "heat-1", { type: "heat", eui64, channels: [channels], taps: [tap] }, counters);
  const { page } = await show(hub, "#/taps/heat-1/bus");
  await showsText(page.locator('.objects tr:has-text("volume")'), /never.*0C131$/);
  await showsText(page.locator('.objects tr:has-text("cold")'), /0C1324681012$/);
});

function bare(hub: FixtureHub, id: string, eui64: string): void {
  const tap: [string, string, number, string] = ["bus", "auto", 9600, "8N1"];
  const counters = [4100, 82, 41, 41, 1, 41, 0, 1, 0, 12];
  bear(hub, id, { type: "tapped", eui64, channels: [[]], taps: [tap] }, counters);
}

/** What the link of the panel loads. */
async function proposed(page: Page, hub: FixtureHub): Promise<ReturnType<typeof parseNode>> {
  const link = page.locator('a:has-text("Proposed node.json")');
  assert.equal(await link.getAttribute("download"), "node.json");
  const answer = await fetch(new URL((await link.getAttribute("href"))!, hub.url));
  assert.equal(answer.status, 200);
  return parseNode(await answer.json());
}

test(
  "a bare tap on Modbus: line, units, registers, and a node.json that builds",
  needs,
  async () => {
    const hub = await start();
    bare(hub, "tapped-1", "02fe0a00000000b3");
    find(hub, "tapped-1", [lineFound(19_200, "8E1", "", LISTENING)]);
    const { page, printed } = await show(hub, "#/taps/tapped-1/bus");
    await showsText(page.locator(".figures").first(), /statelistening/);
    assert.equal(await page.locator('a:has-text("Proposed node.json")').count(), 0);

    const registers = Array.from({ length: 12 }, (_, i): Item => {
      return [REGISTER, 0, 17, 3, 100 + i, 500 + i, 480, 520 + i, 0, i % 3, 40];
    });
    const question: Item = [QUESTION, 0, 17, 3, 100, 12, 0, 40, 1, 2, 1000, 5200, 9100];
    find(hub, "tapped-1", [lineFound(19_200, "8E1", "modbus-rtu"), ...registers, question]);
    await showsText(page.locator(".figures").first(), /found.*19\D?200.*8E1.*inverted/);
    await showsText(page.locator(".learned-head"), /12 registers of 1 unit/);
    await showsText(page.locator("table.learned").first(), /unit 17/);
    await showsCount(page.locator("table.learned").nth(1).locator("tbody tr"), (n) => n === 12);
    const node = await proposed(page, hub);
    assert.deepEqual(node.taps["bus"]!.protocol, "modbus-rtu");
    assert.deepEqual([node.taps["bus"]!.baud, node.taps["bus"]!.format], [19_200, "8E1"]);
    assert.equal(Object.keys(node.channels).length, 8, "those that changed");
    await page.setViewportSize(PHONE);
    await assertFits(page);
    assert.deepEqual(printed, []);
  },
);

for (const [protocol, baud, format, first] of [
  ["dsmr-p1", 115_200, "8N1", "energy-tariff1"],
  ["sml", 9600, "8N1", "energy"],
  ["iec62056-21", 300, "7E1", "energy"],
  ["nmea", 4800, "8N1", "latitude"],
] as const)
  test(`a bare tap on ${protocol} proposes what all such lines say`, needs, async () => {
    const hub = await start();
    bare(hub, "tapped-1", "02fe0a00000000b4");
    find(hub, "tapped-1", [lineFound(baud, format, protocol)]);
    const { page } = await show(hub, "#/taps/tapped-1/bus");
    await showsText(page.locator(".learned-head"), /\d channels that lines of this kind usually/);
    const node = await proposed(page, hub);
    assert.equal(Object.keys(node.channels)[0], first);
    assert.deepEqual([node.taps["bus"]!.baud, node.taps["bus"]!.format], [baud, format]);
  });

test("a bare tap on text is known and has no proposal", needs, async () => {
  const hub = await start();
  bare(hub, "tapped-1", "02fe0a00000000b5");
  find(hub, "tapped-1", [lineFound(1200, "8N2", "ascii-line")]);
  const { page } = await show(hub, "#/taps/tapped-1/bus");
  await showsText(page.locator(".figures").first(), /ascii-line/);
  assert.equal(await page.locator(".learned-head").count(), 0);
});

async function assertFits(page: Page): Promise<void> {
  const [wide, seen] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(wide! <= seen!, `${wide} px in ${seen}`);
}
