// SPDX-License-Identifier: MIT
// Goal: alarms, the table of values and the path show what they promise.
//
// Method: a scripted hub, Debian's Chromium; each fault must end in the picture that a person looks for.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { bundlePage } from "../../hub/web/bundle.ts";
import { START_MS, startFixtureHub, TOKEN as HUB_TOKEN } from "../support/fixture-hub.ts";
import { program } from "../support/need.ts";
import { pack } from "../support/pack.ts";
import { checkFits } from "./page-checks.ts";
import { TOKEN } from "./page-fixture.ts";
import { useBrowser } from "./page-open.ts";
import { settled, showsCount, showsText } from "./page-settled.ts";

const needs = program("chromium");
const { open, openAt } = useBrowser();

/** The file that a click or a key saves, in lines. */
async function saved(page: Page, act: () => Promise<void>): Promise<string[]> {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return readFileSync(await download.path(), "utf8")
    .trimEnd()
    .split("\r\n");
}

test(
  "an alarm is acknowledged with a name that is asked once, and stays while it stands",
  needs,
  async () => {
    const { page, fixture } = await open("#/plant");
    const line = page.locator('.alarm:has-text("voltage low")');
    await line.getByRole("button").click();
    const dialog = page.locator("dialog[open]");
    await dialog.getByLabel("Your name").fill("Ann");
    await dialog.getByLabel(/^Token/).fill("wrong");
    await dialog.getByLabel("Comment").fill("line 3 is off");
    await dialog.getByRole("button", { name: "Acknowledge" }).click();
    await dialog.locator('[role="alert"]:has-text("token is missing or wrong")').waitFor();
    await page.waitForSelector('.strip .mark:has-text("1 alarm")');
    await dialog.getByLabel(/^Token/).fill(TOKEN);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await line.locator('.since:has-text("acknowledged by Ann")').waitFor();
    assert.equal(await line.getByRole("button").count(), 0, "once is enough");
    await page.waitForSelector('.strip .mark:has-text("1 acknowledged")');
    assert.deepEqual(fixture.acknowledged().at(-1), {
      ...{ node: "meter-1", channel: "voltage", alarm: "low" },
      ...{ by: "Ann", comment: "line 3 is off" },
    });

    fixture.raise("oven-1", "temperature", "too-hot", true);
    await page.getByRole("button", { name: "Acknowledge oven-1 temperature too-hot" }).click();
    assert.equal(await dialog.getByLabel(/^Token/).count(), 0, "known in this tab");
    assert.equal(await dialog.getByLabel("Your name").inputValue(), "Ann");
    await page.keyboard.press("Enter");
    await page.waitForSelector('.strip .mark:has-text("2 acknowledged")');
    fixture.raise("oven-1", "temperature", "too-hot", false);
    await page.mouse.move(5, 5);
    await page.locator('.alarm:has-text("too-hot")').waitFor({ state: "detached" });
  },
);

test(
  "an alarm that returned unseen is hollow with its time struck out until it is acknowledged",
  needs,
  async () => {
    const { page, fixture, printed } = await open("#/plant");
    fixture.raise("oven-1", "temperature", "too-hot", true);
    fixture.raise("oven-1", "temperature", "too-hot", false);
    const line = page.locator('.alarm:has-text("too-hot")');
    await line.locator("s").waitFor();
    await showsText(line, /limit above 200.*normal below 197.*returned/);
    assert.equal(await line.locator(".shape .hollow").count(), 1);
    await page.waitForSelector('.strip .mark:has-text("1 returned")');
    await line.getByRole("button").click();
    const dialog = page.locator("dialog[open]");
    await dialog.getByLabel("Your name").fill("Bo");
    await dialog.getByLabel(/^Token/).fill(TOKEN);
    await checkFits(page, "the dialog");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.mouse.move(5, 5);
    await line.waitFor({ state: "detached" });
    assert.deepEqual(printed, []);
  },
);

test(
  "a flood of alarms is a few lines with counts, and each alarm is in one of them",
  needs,
  async () => {
    const { page, fixture, printed } = await open("#/plant", { crowd: 30, crowdChannels: 4 });
    for (let index = 1; index <= 30; index++) {
      const id = `sensor-${String(index).padStart(3, "0")}`;
      for (const channel of index % 2 === 0 ? ["level", "level-2", "level-3"] : ["level"])
        fixture.raise(id, channel, "high", true);
    }
    await page.waitForSelector('.strip .mark:has-text("61 alarms")');
    const lines = page.locator(".alarms > li");
    await showsCount(lines, (count) => count === 12);
    const single = await page.locator(".alarms > .alarm").count();
    const floods = page.locator(".alarms > .flood");
    let collapsed = 0;
    for (const text of await floods.allTextContents())
      collapsed += Number(/\d+(?= alarms)/.exec(text));
    assert.equal(single + collapsed, 61);
    await checkFits(page, "a flood");
    await floods.last().locator("summary").click();
    const inside = floods.last().locator(".alarm");
    await inside.first().waitFor();
    const [said] = /\d+(?= alarms)/.exec((await floods.last().textContent()) ?? "") ?? [];
    await showsCount(inside, (count) => count === Number(said));
    await page.getByRole("button", { name: /^Acknowledge these \d+$/ }).click();
    const dialog = page.locator("dialog[open]");
    await dialog.getByLabel("Your name").fill("Ann");
    await dialog.getByLabel(/^Token/).fill(TOKEN);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    assert.equal(fixture.acknowledged().length, Number(said));
    await page.waitForSelector(`.strip .mark:has-text("${said} acknowledged")`);
    assert.deepEqual(printed, []);
  },
);

test("no alarm moves or goes while a pointer is on the list", needs, async () => {
  const { page, fixture } = await open("#/plant");
  fixture.raise("oven-1", "temperature", "too-hot", true);
  await page.waitForSelector('.strip .mark:has-text("2 alarms")');
  const lines = page.locator(".alarms > .alarm .word");
  const order = (): Promise<string[]> => lines.allTextContents();
  assert.deepEqual(await order(), ["voltage low", "temperature too-hot"]);
  await lines.first().hover();
  // Somebody else acknowledges it: it belongs below the other one now.
  const low = fixture.alarmOf("meter-1", "voltage", "low");
  Object.assign(low, { acknowledged: true, acknowledgedBy: "Bo" });
  fixture.change("meter-1", {});
  await page.waitForSelector('.strip .mark:has-text("1 acknowledged")');
  await page.waitForSelector('.alarm .since:has-text("acknowledged by Bo")');
  assert.deepEqual(await order(), ["voltage low", "temperature too-hot"]);
  fixture.raise("meter-1", "voltage", "low", false);
  await page.waitForSelector('.strip .mark:has-text("1 acknowledged")', { state: "detached" });
  assert.deepEqual(await order(), ["voltage low", "temperature too-hot"], "it does not go either");
  await page.mouse.move(5, 5);
  await page.waitForFunction(() => document.querySelectorAll(".alarms > .alarm").length === 1);
  assert.deepEqual(await order(), ["temperature too-hot"]);
});

test("the hub itself takes what the page acknowledges", needs, async () => {
  const hub = await startFixtureHub(await bundlePage());
  try {
    const records = [{ n: "temperature/too-hot", vb: true, x: 201 }];
    hub.say("ferrule/oven-1/event", pack({ bt: START_MS, q: 1, records }));
    const { page, printed } = await openAt(hub.url);
    const line = page.locator('.alarm:has-text("too-hot")');
    await line.getByRole("button").click();
    const dialog = page.locator("dialog[open]");
    await dialog.getByLabel("Your name").fill("Ann");
    await dialog.getByLabel(/^Token/).fill(HUB_TOKEN);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    hub.flush();
    await line.locator('.since:has-text("acknowledged by Ann")').waitFor();
    await page.waitForSelector('.events:has-text("Ann acknowledged oven-1 temperature too-hot.")');
    assert.deepEqual(hub.hub.audit(1)[0]?.outcome, "acknowledged");
    assert.deepEqual(printed, []);
  } finally {
    await hub.close();
  }
});

/** Places of the rows in sight: number, name, machine and distance from the top. */
async function places(page: Page): Promise<string[]> {
  return page.locator(".value-row:not(.value-header)").evaluateAll((rows) =>
    rows.map((row) => {
      const [name, machine] = [...row.children].map(({ textContent }) => textContent);
      const { top } = row.getBoundingClientRect();
      return [row.getAttribute("aria-rowindex"), name, machine, top].join(" ");
    }),
  );
}

test(
  "a thousand values are sorted and filtered, and no row moves while they do",
  needs,
  async () => {
    const { page, fixture, printed } = await open("#/machines?show=values", {
      crowd: 50,
      crowdChannels: 20,
    });
    assert.equal(await page.title(), "Values · Machines · Ferrule");
    await page.waitForSelector('.sub:has-text("1006 of 1006")');
    const rows = page.locator(".value-row:not(.value-header)");
    await showsCount(rows, (count) => count < 60); // only the rows in sight are drawn

    await page.getByRole("button", { name: "value" }).click();
    await page.waitForSelector('[aria-sort="ascending"]:has-text("value")');
    const before = await places(page);
    const numbers = await page.locator(".column-value .number").allTextContents();
    await page.waitForFunction(
      (texts) =>
        [...document.querySelectorAll(".column-value .number")].some(
          (each, index) => each.textContent !== texts[index],
        ),
      numbers,
    );
    assert.deepEqual(await places(page), before, "values move, rows do not");

    await page.getByLabel("Filter values").fill("sensor-01");
    await page.waitForSelector('.sub:has-text("200 of 1006")');
    await showsCount(rows, (count) => count < 60); // only the rows in sight are drawn
    fixture.setBad("sensor-015", "level-7", "open-wire");
    await page.locator('select[aria-label="Quality"]').selectOption("bad");
    await page.waitForFunction(() => {
      const again = [...document.querySelectorAll("button")].find(
        (each) => each.textContent === "Sort again",
      );
      again?.click();
      return document.querySelectorAll(".value-row:not(.value-header)").length === 1;
    });
    await showsText(rows.first(), /level-7sensor-015—.*open wire.*below 60/);
    const lines = await saved(page, () => page.getByRole("button", { name: "Export CSV" }).click());
    assert.deepEqual(lines[0], "node,channel,time,value,unit,quality,cause");
    assert.match(lines[1]!, /^sensor-015,level-7,\d{4}-.*Z,,mm,bad,open-wire$/);
    assert.equal(lines.length, 2);
    assert.deepEqual(printed, []);
  },
);

test("scrolling through the values draws them in their place, without a shift", needs, async () => {
  const { page } = await open("#/machines?show=values&without=age", {
    crowd: 50,
    crowdChannels: 20,
  });
  await page.waitForSelector('.sub:has-text("1006 of 1006")');
  assert.equal(await page.locator(".column-age").count(), 0, "a column that was left out");
  await page.evaluate(() => {
    const shifts: number[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) =>
      list
        .getEntries()
        .forEach((entry) => shifts.push((entry as unknown as { value: number }).value)),
    ).observe({ type: "layout-shift" });
  });
  const tall = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.mouse.move(700, 400);
  await page.mouse.wheel(0, 20_000);
  await page.waitForFunction(() => scrollY > 15_000);
  const seen = page.locator(".value-row:not(.value-header)");
  await showsCount(seen, (count) => count > 20 && count < 60);
  await settled(page);
  assert.equal(await page.evaluate(() => document.documentElement.scrollHeight), tall);
  const shifts = await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts);
  assert.deepEqual(shifts, []);
  await checkFits(page, "the values");
});

test("the columns are chosen in the address", needs, async () => {
  const { page } = await open("#/machines");
  await page.getByRole("link", { name: "All values" }).click();
  await page.waitForSelector('h1:text-is("Values")');
  await page.locator("summary").click();
  await page.getByLabel("limits").uncheck();
  await page.waitForFunction(() => document.querySelectorAll(".column-limits").length === 0);
  assert.equal(new URL(page.url()).hash, "#/machines?show=values&without=limits");
  await page.getByLabel("limits").check();
  await page.waitForSelector(".column-limits");
});

test("the path has the noisiest node first, and a dash for what nobody told", needs, async () => {
  const { page, fixture, printed } = await open("#/path", { crowd: 2 });
  const link = { roundTripMs: 40, sent: 1_000, retransmissions: 200 };
  fixture.change("sensor-002", { link });
  fixture.change("sensor-001", {
    link: { roundTripMs: null, sent: 0, retransmissions: 0 },
    counters: {},
  });
  fixture.change("oven-1", { link: { ...link, roundTripMs: 90 } });
  const rows = page.locator(".table tbody tr");
  await page.waitForFunction(() =>
    document.querySelector(".table tbody tr")?.textContent?.includes("oven-1"),
  );
  const texts = await rows.allTextContents();
  assert.match(texts[0]!, /^oven-1running90\u00a0ms20\.0\u00a0%/);
  assert.match(texts[1]!, /^sensor-002running40\u00a0ms20\.0\u00a0%/);
  assert.match(texts.at(-1)!, /^sensor-001running———/, "not told is not 0");
  await page.getByRole("button", { name: "Round trip" }).click();
  await page.waitForSelector('[aria-sort="descending"]:has-text("Round trip")');
  assert.deepEqual(printed, []);
});

test("a broker outage says since when, what is not known, and what comes next", needs, async () => {
  const { page, fixture } = await open("#/path");
  const stop = (title: string): string => `.stop:has(h2:text-is("${title}"))`;
  await page.waitForSelector(`${stop("Broker")} .mark:has-text("connected")`);
  await page.waitForSelector(`${stop("Gateway")} .mark:has-text("passes messages")`);
  fixture.setBroker(false);
  await page.waitForSelector(`${stop("Broker")} .mark:has-text("away")`);
  await page.waitForSelector(`${stop("Gateway")} .mark:has-text("not known")`);
  const notice = page.locator(".notice");
  await showsText(notice, /^Broker lost since \d\d:\d\d:\d\d \(\d+\u00a0s\)\. Values are old/);
  await checkFits(page, "a broker outage");
  fixture.setBroker(true);
  await notice.waitFor({ state: "detached" });
  fixture.kill("oven-1");
  fixture.kill("meter-1");
  await page.waitForSelector(`${stop("Gateway")} .mark:has-text("no machine connected")`);
});

test("a press shows its state, mm/s, and what it ran and counted", needs, async () => {
  const { page, fixture } = await open("#/plant", { presses: 3 });
  const press = page.locator('article.tile:has(a:text-is("press-1"))');
  await showsText(press, /running.*mm\/s.*below 4\.5\smm\/s/);
  await showsText(press, /ran\u00a085\u00a0%parts\u00a03137rejects\u00a063/);
  fixture.change("press-1", { machine: { state: "fault", sinceMs: Date.now() - 61_000 } });
  await press.locator('.mark.tone-warning:has-text("fault")').waitFor();
  await page.waitForSelector('.strip .mark:has-text("1 fault")');
  await checkFits(page, "six tiles");
});
