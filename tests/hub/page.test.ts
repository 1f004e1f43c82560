// SPDX-License-Identifier: MIT
// Goal: the page shows a living plant by mouse, keyboard and phone, silently.
//
// Method: a scripted hub, Debian's Chromium, and the browser's own measure of sizes, colours and names.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { gzipSync } from "node:zlib";
import { bundlePage } from "../../hub/web/bundle.ts";
import { takePicture } from "../../scripts/steps/picture.ts";
import { program } from "../support/need.ts";
import { until } from "../support/until.ts";
import { checkFits, checkWidth, traceInLeftHalf } from "./page-checks.ts";
import { startFixture } from "./page-fixture.ts";
import { useBrowser } from "./page-open.ts";
import { ovenNode, valueAt } from "./page-plant.ts";
import { settled, showsCount, showsText } from "./page-settled.ts";

/** The first view over the wire: page, script, style. */
const FIRST_VIEW_BYTES_MAX = 60_000;

/** Where the layout changes, and a tablet. */
const BETWEEN = [640, 820, 999, 1000, 1180].map((width) => ({ width, height: 800 }));

const ADDRESSES = [
  "#/plant",
  "#/machines",
  "#/machines?show=values",
  "#/machines/oven-1",
  "#/machines/meter-1",
  "#/taps",
  "#/path",
  "#/events",
];

const needs = program("chromium");
const { open, later } = useBrowser();
const tile = (id: string): string => `article.tile:has(a:text-is("${id}"))`;

test("the first view is small, has nothing inline and asks nobody else", async () => {
  const { html, js, css, icon, chunks, first } = await bundlePage();
  const scripts = [js, ...first.map((path) => chunks.get(path)!)];
  const bytes = [html, css, ...scripts].reduce((sum, part) => sum + gzipSync(part).length, 0);
  assert.ok(bytes <= FIRST_VIEW_BYTES_MAX, `${bytes} bytes compressed`);
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=/);
  const code = [js, ...chunks.values()].map((part) => new TextDecoder().decode(part)).join("");
  const texts = `${html}${code}${css}${icon}`;
  const others = [...texts.matchAll(/https?:\/\/[\w.-]+/g)].map(([address]) => address);
  assert.deepEqual([...new Set(others)], ["http://www.w3.org"]);
});

/** Until the temperature of the oven is another one. */
async function showsMoving(page: Page): Promise<void> {
  const value = page.locator('[data-value="oven-1/temperature"]').first();
  const first = await value.textContent();
  await until("another value", async () => (await value.textContent()) !== first);
}

test("values move, and the number has its unit beside it", needs, async () => {
  const { page, printed } = await open("#/plant");
  const value = page.locator('[data-value="oven-1/temperature"]').first();
  await showsText(value, /^\d{3}\.\d\d°C$/);
  await showsMoving(page);
  assert.deepEqual(printed, []);
});

test(
  "after a reload the chart has the history since the start, and the file agrees",
  needs,
  async () => {
    const { page, fixture, printed } = await open("#/machines/oven-1", { historyMs: 100_000 });
    const reloadMs = Date.now();
    await page.reload();
    await page.waitForFunction(() =>
      document.querySelector(".chart")?.getAttribute("aria-label")?.includes(" to "),
    );
    await until("a trace in the left half", async () => (await traceInLeftHalf(page, 0)) > 50);
    await settled(page);
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("c")]);
    const lines = readFileSync(await download.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    assert.equal(lines[0], "time,node,channel,value");
    const oven = ovenNode(0);
    const points = lines.slice(1).map((line) => line.split(","));
    const hot = points.filter(([, , channel]) => channel === "temperature");
    assert.ok(hot.length > 400, `${hot.length} points`);
    for (const [time, , , value] of hot) {
      const wallMs = Date.parse(time!);
      assert.equal(Number(value), valueAt(oven, oven.channels[0]!, wallMs));
    }
    const ages = hot.map(([time]) => reloadMs - Date.parse(time!));
    assert.ok(Math.max(...ages) > 95_000 && Math.min(...ages) < 3_000, "from the start to now");
    assert.ok(fixture.requests().some((path) => path.startsWith("/api/history?node=oven-1")));
    assert.deepEqual(printed, []);
  },
);

test(
  "a killed node turns to lost with old values, and comes back with its next boot",
  needs,
  async () => {
    const { page, fixture, printed } = await open("#/plant");
    await page.waitForSelector(`${tile("oven-1")} .mark:has-text("running")`);
    fixture.kill("oven-1");
    await page.waitForSelector(`${tile("oven-1")} .mark:has-text("lost")`);
    await page.waitForSelector('.strip .mark:has-text("1 lost")');
    await page.waitForSelector(`${tile("oven-1")} .note:has-text("old")`);
    fixture.revive("oven-1");
    await page.waitForSelector(`${tile("oven-1")} .mark:has-text("running")`);
    await page.waitForSelector('.events:has-text("boot 4")');
    await page.waitForSelector(`${tile("oven-1")} .note`, { state: "detached" });
    assert.deepEqual(printed, []);
  },
);

test("a bad value is a dash with its cause, never a number", needs, async () => {
  const { page, fixture } = await open("#/machines/oven-1");
  fixture.setBad("oven-1", "temperature", "open-wire");
  await page.waitForSelector('.trend:has-text("temperature") .note:has-text("open wire")');
  const value = page.locator('[data-value="oven-1/temperature"]').first();
  await showsText(value, /^\u2014$/);
  fixture.setBad("oven-1", "temperature", null);
  await page.waitForFunction(() =>
    document.querySelector('[data-value="oven-1/temperature"]')?.textContent?.endsWith("°C"),
  );
});

test(
  "an alarm comes to the strip and to the top of the plant, and says that it returned",
  needs,
  async () => {
    const { page, fixture } = await open("#/plant");
    await page.waitForSelector('.strip .mark:has-text("1 alarm")');
    fixture.raise("oven-1", "temperature", "too-hot", true);
    await page.waitForSelector('.strip .mark:has-text("2 alarms")');
    const line = page.locator('.alarm:has-text("too-hot")');
    await showsText(line, /limit above 200.*normal below 197/);
    fixture.raise("oven-1", "temperature", "too-hot", false);
    await line.locator('.since:has-text("returned")').waitFor();
    await page.waitForSelector('.strip .mark:has-text("1 alarm")');
  },
);

test("each view fits, is legible and named: 1280 and 360 px, light and dark", needs, async () => {
  const { page, fixture, printed } = await open("#/plant", { crowd: 4 });
  fixture.kill("sensor-001");
  fixture.setBad("meter-1", "current", "stale");
  for (const address of ADDRESSES) {
    await page.evaluate((hash) => void (location.hash = hash), address);
    await settled(page);
    await checkFits(page, address);
  }
  assert.deepEqual(printed, []);
});

test("no view is cut on a tablet or where the layout changes", needs, async () => {
  const { page } = await open("#/plant");
  for (const address of ADDRESSES) {
    await page.evaluate((hash) => void (location.hash = hash), address);
    await settled(page);
    for (const viewport of BETWEEN) {
      await page.setViewportSize(viewport);
      await checkWidth(page, `${address} at ${viewport.width} px`);
    }
  }
});

test(
  "each address works after a reload and with the back button, and has a title",
  needs,
  async () => {
    const { page } = await open("#/plant");
    const titles: string[] = [];
    for (const address of ADDRESSES) {
      await page.goto(page.url().replace(/#.*/, address));
      await page.reload();
      await page.waitForSelector("main h1");
      await settled(page);
      titles.push(await page.title());
    }
    assert.equal(new Set(titles).size, ADDRESSES.length);
    assert.ok(titles.includes("oven-1 · Machines · Ferrule"));
    await page.goBack();
    await page.waitForSelector('h1:text-is("Path")');
    await until("its title", async () => (await page.title()) === "Path · Ferrule");
  },
);

test("the keyboard alone reaches everything", needs, async () => {
  const { page, printed } = await open("#/plant");
  const press = (key: string): Promise<void> => page.keyboard.press(key);
  // Again where so much time passed between the two keys that they were no pair.
  const go = (key: string, title: string): Promise<void> =>
    until(title, async () => {
      for (const each of ["g", key]) await press(each);
      await settled(page);
      return page.locator(`h1:text-is("${title}")`).isVisible();
    });
  await go("m", "Machines");
  await press("/");
  await page.keyboard.type("oven gm?c");
  assert.equal(new URL(page.url()).hash, "#/machines?text=oven+gm%3Fc");
  await page.waitForSelector('h2:text-is("No machine matches")');
  await page.locator("[data-search]").fill("oven");
  await press("Escape");
  await page.locator("tbody tr").waitFor();
  for (let tabs = 0; tabs < 20; tabs++) {
    await press("Tab");
    if ((await page.evaluate(() => document.activeElement?.textContent)) === "oven-1") break;
  }
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
  assert.equal(outline, "solid");
  await press("Enter");
  await page.waitForSelector('h1:text-is("oven-1")');
  await press("?");
  await page.waitForSelector("dialog[open]");
  await press("Escape");
  await page.waitForSelector("dialog[open]", { state: "detached" });
  for (const [key, title] of [
    ["t", "Taps"],
    ["a", "Path"],
    ["e", "Events"],
    ["p", "Plant"],
  ]) {
    await go(key!, title!);
  }
  assert.deepEqual(printed, []);
});

test("a pause holds the numbers, and going on fetches what was missed", needs, async () => {
  const { page } = await open("#/plant");
  await page.keyboard.press("Space");
  await page.waitForSelector('button:has-text("Paused")');
  const texts = (): Promise<string[]> => page.locator("[data-value], time").allTextContents();
  await settled(page);
  const held = await texts();
  await page.waitForTimeout(1_200); // six readings of each channel
  assert.deepEqual(await texts(), held);
  await page.keyboard.press("Space");
  await page.waitForFunction(
    (text) => document.querySelector('[data-value="oven-1/temperature"]')?.textContent !== text,
    held[0],
  );
});

test(
  "a lost stream says since when, values are old, and it recovers by itself",
  needs,
  async () => {
    const { page, fixture } = await open("#/machines/oven-1");
    await showsMoving(page);
    fixture.cut();
    await page.waitForSelector('.notice:has-text("Connection lost since")');
    await page.waitForSelector(".app.stale");
    await page.waitForTimeout(1_000); // an attempt or more in vain
    fixture.heal();
    await page.waitForSelector(".notice", { state: "detached" });
    await page.waitForSelector(".app:not(.stale)");
    await showsMoving(page);
    const resumed = fixture.lastEventIds();
    assert.ok(
      resumed.length > 0 && Number(resumed[0]) > 0,
      "the stream was resumed by its last id",
    );
  },
);

test(
  "events are filtered by address, sorted, exported, and new ones wait while one reads",
  needs,
  async () => {
    const { page, fixture, printed } = await open("#/events?kind=alarm", { events: 900 });
    const rows = page.locator(".event-row");
    await page.waitForFunction(() => document.querySelectorAll(".event-row").length === 2);
    await page.getByLabel("Kind").selectOption("");
    await page.waitForFunction(() => document.querySelectorAll(".event-row").length > 20);
    await showsCount(rows, (count) => count < 100); // only the rows in sight are drawn
    await page.mouse.move(700, 400);
    await page.mouse.wheel(0, 3_000);
    await page.waitForFunction(() => scrollY > 2_000);
    const seen = await rows.first().textContent();
    fixture.event("A late message was refused.");
    await page.waitForSelector('button:has-text("1 new")');
    assert.equal(await rows.first().textContent(), seen);
    await page.click('button:has-text("1 new")');
    await page.waitForSelector('.event-row:has-text("A late message was refused.")');
    await page.getByRole("button", { name: "Time" }).click();
    await page.waitForSelector('[aria-sort="ascending"]');
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click('button:has-text("Export CSV")'),
    ]);
    const lines = readFileSync(await download.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    assert.equal(lines[0], "time,node,kind,channel,alarm,value,count,text");
    assert.match(lines[1]!, /^\d{4}-\d\d-\d\dT[\d:.]+Z,/);
    assert.deepEqual(printed, []);
  },
);

test("what comes from the network is text, whatever it says", needs, async () => {
  const { page, fixture, printed } = await open("#/events");
  fixture.event("<img src=x onerror=alert(1)><b>bold</b>");
  await page.waitForSelector('.event-text:has-text("<img src=x onerror=alert(1)>")');
  assert.equal(await page.locator(".event-text img, .event-text b").count(), 0);
  assert.deepEqual(printed, []);
});

test("a register table shows what changed, and by how much", needs, async () => {
  const { page } = await open("#/taps/meter-1/bus");
  const row = page.locator('tr:has-text("current")');
  await row.locator(".change.fresh .difference").waitFor();
  await showsText(row.locator(".difference"), /^[+\u2212]\d\.\d\d$/);
  await showsText(row, /17.*holding FC 3.*107.*u16 ABCD/);
  await showsText(page.locator(".figures"), /99\.8\u00a0%/);
});

test(
  "an empty plant, an unknown machine and a filter without matches say what to do",
  needs,
  async () => {
    const { page, fixture } = await open("#/plant", { empty: true });
    await page.waitForSelector('.empty code:text-is("npx ferrule up")');
    const other = await startFixture();
    later(() => other.close());
    await page.goto(`${other.url}#/machines/nobody`);
    await page.waitForSelector('.empty h2:has-text("nobody")');
    await page.goto(`${other.url}#/events?kind=trap`);
    await page.click('a:text-is("Clear the filters")');
    await page.waitForSelector(".event-row");
    assert.ok(fixture.requests().length > 0);
  },
);

test("a picture of the page is taken once its values moved", needs, async () => {
  const fixture = await startFixture();
  later(() => fixture.close());
  const folder = mkdtempSync(join(tmpdir(), "ferrule-page-"));
  later(async () => rmSync(folder, { recursive: true }));
  const file = join(folder, "docs/page.png");
  await takePicture(fixture.url, file);
  const header = readFileSync(file).subarray(0, 24);
  assert.equal(header.readUInt32BE(16), 1280);
  assert.equal(header.readUInt32BE(20), 1010);
});
