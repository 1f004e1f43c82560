// SPDX-License-Identifier: MIT
// Goal: a person writes set-points and reads the past on the machine view.
//
// Method: a real hub, a node that answers as told, Debian's Chromium by mouse, keyboard and phone.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { bundlePage } from "../../hub/web/bundle.ts";
import { TOKEN } from "../support/fixture-hub.ts";
import { program } from "../support/need.ts";
import { until } from "../support/until.ts";
import { birth, Decimal, pack } from "../support/pack.ts";
import { checkFits } from "./page-checks.ts";
import { useBrowser } from "./page-open.ts";
import { settled, showsCount } from "./page-settled.ts";
import { CLAMPED, INTERLOCK, type Oven, type OvenOptions, STALE, startOven } from "./page-oven.ts";

/** Charts, set-points, history and production, over the wire. */
const MACHINE_BYTES_MAX = 40_000;

const MACHINE = "#/machines/oven-1";
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const needs = program("chromium");
const { openAt, newPage, later } = useBrowser();

interface Opened {
  oven: Oven;
  page: Page;
  printed: string[];
}

async function open(address = MACHINE, options: OvenOptions = {}): Promise<Opened> {
  const oven = await startOven(options);
  later(() => oven.close());
  return { oven, ...(await openAt(oven.url + address)) };
}

const effective = (page: Page, text: string): Promise<unknown> =>
  page.waitForSelector(`[data-setpoint="oven-1/target"]:text-is("${text}")`);
const story = (page: Page, text: string): Promise<unknown> =>
  page.waitForSelector(`.setpoint-story:has-text("${text}")`);
const problem = (page: Page, text: string): Promise<unknown> =>
  page.waitForSelector(`.problem:has-text("${text}")`);

/** Types a value and reviews it; the page knows who writes. */
async function review(page: Page, value: string): Promise<void> {
  await page.getByLabel("New target in °C").fill(value);
  await page.keyboard.press("Enter");
}

async function signIn(page: Page): Promise<void> {
  await page.evaluate((token) => {
    localStorage.setItem("ferrule-name", "Ann");
    sessionStorage.setItem("ferrule-token", token);
  }, TOKEN);
}

/** Tabs until the focus is on an element with this accessible text. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let tabs = 0; tabs < 60; tabs++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  assert.fail(`the keyboard does not reach ${selector}`);
}

test(
  "a set-point is written by keyboard alone, in two steps, with name and token once",
  needs,
  async () => {
    const { oven, page, printed } = await open();
    await effective(page, "180.0\u00a0°C");
    const addresses: string[] = [];
    page.on("request", (request) => addresses.push(request.url()));
    await tabTo(page, "#set-target");
    await page.keyboard.type("190.5");
    await page.keyboard.press("Enter");
    await page.waitForSelector('button:text-is("Apply 190.5\u00a0°C → oven-1")');
    assert.deepEqual(oven.hub.audit(9), [], "a review writes nothing");
    await page.keyboard.type("Ann");
    await page.keyboard.press("Tab");
    await page.keyboard.type(TOKEN);
    await page.keyboard.press("Enter");
    await effective(page, "190.5\u00a0°C");
    await story(page, "Set by Ann.");
    await page.waitForSelector('.audit tr:has-text("applied"):has-text("Ann")');
    assert.equal(await page.evaluate(() => document.activeElement?.id), "set-target");
    await page.keyboard.type("170");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await effective(page, "170.0\u00a0°C");
    await page.reload();
    await page.waitForSelector('.audit tr:has-text("190.5")');
    await review(page, "171");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".staged", { state: "detached" });
    assert.equal(oven.hub.audit(9).length, 4, "two writes, each with its outcome");
    assert.ok(
      addresses.every((address) => !address.includes(TOKEN)),
      "the token is in no address",
    );
    const kept = await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }]);
    assert.deepEqual(kept, [{ "ferrule-name": "Ann" }, { "ferrule-token": TOKEN }]);
    assert.deepEqual(printed, []);
  },
);

test(
  "what the node refuses, clamps, lets go stale or does not answer is said so",
  needs,
  async () => {
    const { oven, page, printed } = await open();
    await effective(page, "180.0\u00a0°C");
    await signIn(page);
    for (const [code, value, said, mark] of [
      [INTERLOCK, "190", "refused: an interlock of the node refused it.", "refused"],
      [CLAMPED, "220", "the node applied 210.0\u00a0°C", "clamped"],
      [STALE, "200", "no write came in time", "fell back to its default"],
      [null, "150", "the node has not answered yet", "waiting for the node"],
    ] as const) {
      oven.answers(code);
      await review(page, value);
      await page.keyboard.press("Enter");
      await story(page, said);
      await story(page, mark);
      await page.waitForSelector(".staged", { state: "detached" });
    }
    oven.goTo(180);
    await effective(page, "180.0\u00a0°C");
    await page.waitForSelector('.audit td:has-text("an interlock of the node refused it")');
    assert.deepEqual(printed, []);
  },
);

test(
  "a value out of limits, too fine or no number is refused before it is sent",
  needs,
  async () => {
    const { oven, page, printed } = await open();
    await effective(page, "180.0\u00a0°C");
    for (const [value, said] of [
      ["220.1", "The most is 220.0\u00a0°C."],
      ["99", "The least is 100.0\u00a0°C."],
      ["180.25", "The smallest step is 0.1\u00a0°C."],
      ["warm", "That is no number."],
      ["", "Enter a value first."],
    ] as const) {
      await review(page, value);
      await problem(page, said);
      assert.equal(await page.locator(".staged").count(), 0);
    }
    const field = page.getByLabel("New target in °C");
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.deepEqual(oven.hub.audit(9), []);
    assert.deepEqual(printed, []);
  },
);

test("a wrong token is asked for again, forgotten, and stands in the audit", needs, async () => {
  const { oven, page } = await open();
  await effective(page, "180.0\u00a0°C");
  await page.evaluate(() => {
    localStorage.setItem("ferrule-name", "Ann");
    sessionStorage.setItem("ferrule-token", "old");
  });
  await review(page, "190");
  await page.keyboard.press("Enter");
  await problem(page, "The token is missing or wrong");
  await page.waitForSelector('.audit tr:has-text("refused")');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.keyboard.type(TOKEN);
  await page.keyboard.press("Enter");
  await effective(page, "190.0\u00a0°C");
  assert.deepEqual(
    oven.hub.audit(9).map(({ outcome }) => outcome),
    ["applied", "sent", "refused"],
  );
});

test("a page older than the node's value cannot write", needs, async () => {
  const { oven, page } = await open();
  await effective(page, "180.0\u00a0°C");
  await signIn(page);
  await review(page, "190");
  await page.waitForSelector(".staged");
  oven.goTo(175);
  await problem(page, "The value has changed since the page showed it.");
  assert.equal(await page.locator(".staged").count(), 0);
  // A page that does not know of the change: the hub refuses it.
  let seen = "";
  await page.route("**/api/setpoint", (route) => {
    const headers = route.request().headers();
    seen = headers["x-ferrule-seen"] ?? "";
    return route.continue({ headers: { ...headers, "x-ferrule-seen": "1" } });
  });
  await review(page, "190");
  await page.keyboard.press("Enter");
  await problem(
    page,
    "The value has changed since the page showed it: look at it and write again.",
  );
  await effective(page, "175.0\u00a0°C");
  const [target] = oven.hub.snapshot(0).nodes[0]!.setpoints;
  assert.equal(Number(seen), target?.effectiveAtMs, "the page tells since when its value holds");
  const outcomes = oven.hub.audit(9).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["refused"]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Space");
  await page.waitForSelector('.setpoint:has-text("The page is paused")');
  assert.ok(await page.locator('button:text-is("Review")').isDisabled(), "paused is old");
  await page.keyboard.press("Space");
  oven.say("presence", "lost");
  await page.waitForSelector('.setpoint:has-text("oven-1 is lost and would not hear a write.")');
});

/** One reading every two minutes for seven days, the last an hour ago; one of them 20,000 s is a spike. */
function week(nowMs: number, spikeAt: number): [number, number | null][] {
  const points: [number, number | null][] = [];
  for (let at = nowMs - 7 * DAY_MS + HOUR_MS; at < nowMs - HOUR_MS; at += 2 * MINUTE_MS)
    points.push([at, 180 + 5 * Math.sin(at / HOUR_MS)]);
  points.push([spikeAt, 320]);
  return points.sort(([one], [other]) => one - other);
}

/** Until dark pixels are in a row of the first chart, its height a share from the top; the grid is lighter. */
async function darkInRow(page: Page, share: number): Promise<void> {
  await page.waitForFunction((height) => {
    const canvas = document.querySelector<HTMLCanvasElement>(".chart canvas")!;
    const y = Math.round(canvas.height * height);
    const { data } = canvas.getContext("2d")!.getImageData(80, y, canvas.width - 80, 1);
    let dark = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at + 3]! > 100 && data[at]! < 190) dark++;
    return dark > 0;
  }, share);
}

test("a spike of one reading is seen in seven days, and not where it was not", needs, async () => {
  const nowMs = Date.now();
  const { oven, page, printed } = await open();
  oven.temperatures(week(nowMs, nowMs - 5 * DAY_MS));
  await page.goto(`${oven.url}${MACHINE}?range=7d&channel=temperature`);
  await page.waitForSelector('.chart[aria-label*="320.00"]');
  await page.waitForFunction(() => !document.body.textContent?.includes("Loading\u2026"));
  await darkInRow(page, 0.4); // the spike is drawn
  await page.click('a:text-is("1\u00a0d")');
  await page.waitForFunction(() =>
    /^temperature over time: 17\d\.\d\d.* to 18\d\.\d\d/.test(
      document.querySelector(".chart")?.getAttribute("aria-label") ?? "",
    ),
  );
  assert.deepEqual(printed, []);
});

test("a restart of the hub with its file shows the past and the audit", needs, async () => {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-past-"));
  later(async () => rmSync(folder, { recursive: true }));
  const historyFile = join(folder, "plant.db");
  const first = await startOven({ historyFile });
  const nowMs = Date.now();
  first.temperatures([
    [nowMs - 40 * MINUTE_MS, 111.11],
    [nowMs - 39 * MINUTE_MS, 122.22],
  ]);
  const { page } = await openAt(`${first.url}${MACHINE}?range=1h`);
  await effective(page, "180.0\u00a0°C");
  await signIn(page);
  await review(page, "190");
  await page.keyboard.press("Enter");
  await effective(page, "190.0\u00a0°C");
  await first.close();
  await page.waitForSelector(".notice");
  const again = await startOven({ historyFile, port: first.port });
  later(() => again.close());
  await page.waitForSelector(".notice", { state: "detached" });
  await page.reload();
  await page.waitForSelector('.chart[aria-label^="temperature over time: 111.11"]');
  await page.waitForSelector('.audit tr:has-text("applied"):has-text("Ann")');
  await page.waitForSelector(
    '.timeline title:text-is("target is 190, applied, asked for by Ann.")',
    {
      state: "attached",
    },
  );
  await effective(page, "190.0\u00a0°C");
});

test(
  "a stretch is zoomed to by drag, has its address, and the back button leads out",
  needs,
  async () => {
    const { oven, page, printed } = await open(`${MACHINE}?range=1h`);
    const box = (await page.locator(".chart .u-over").first().boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
    const atCursor = page.locator('.trend-label:has-text("at the cursor")');
    await atCursor.nth(1).waitFor();
    await showsCount(atCursor, (count) => count === 2); // all charts share the cursor
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + 40, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(() => location.hash.includes("since="));
    const query = new URLSearchParams(new URL(page.url()).hash.split("?")[1]);
    const lengthMs = Number(query.get("until")) - Number(query.get("since"));
    assert.ok(Math.abs(lengthMs - HOUR_MS / 2) < 2 * MINUTE_MS, `${lengthMs} ms`);
    const address = page.url();
    await page.reload();
    await page.waitForSelector(".trends");
    assert.equal(page.url(), address);
    await page.getByRole("button", { name: "Zoom out" }).click();
    await page.waitForFunction((before) => location.href !== before, address);
    await page.goBack();
    await page.goBack();
    assert.ok(page.url().endsWith("?range=1h"), page.url());
    await page.waitForSelector('.choices a[aria-current]:text-is("1\u00a0h")');
    await page.goto(`${oven.url}${MACHINE}`);
    for (const name of ["1\u00a0h", "8\u00a0h", "1\u00a0d", "7\u00a0d"]) {
      await page.getByRole("button", { name: "Zoom out" }).click();
      await page.waitForSelector(`.choices a[aria-current]:text-is("${name}")`);
    }
    await page.goto(`${oven.url}${MACHINE}?since=1000&until=9000&channel=temperature`);
    await page.waitForSelector('.trend-label:has-text("no reading in this time")');
    assert.deepEqual(printed, []);
  },
);

test(
  "CSV holds every reading of the stretch on screen, of all channels or of one",
  needs,
  async () => {
    const { oven, page } = await open();
    const nowMs = Date.now();
    const points = Array.from({ length: 100 }, (_, at): [number, number] => [
      nowMs - HOUR_MS + at * 1_000,
      100 + at / 100,
    ]);
    oven.temperatures(points);
    const [sinceMs, untilMs] = [nowMs - HOUR_MS + 10_000, nowMs - HOUR_MS + 29_000];
    const save = async (query: string): Promise<string[]> => {
      await page.goto(`${oven.url}${MACHINE}?since=${sinceMs}&until=${untilMs}${query}`);
      await page.waitForSelector(".trends");
      await settled(page);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.keyboard.press("c"),
      ]);
      return readFileSync(await download.path(), "utf8")
        .trimEnd()
        .split("\r\n");
    };
    const wanted = points.slice(10, 30).map(([at, value]) => [new Date(at).toISOString(), value]);
    const one = await save("&channel=temperature");
    assert.deepEqual(one, ["time,value", ...wanted.map((cells) => cells.join())]);
    const all = await save("");
    const lines = wanted.map(([at, value]) => `${at},oven-1,temperature,${value}`);
    assert.deepEqual(all, ["time,node,channel,value", ...lines]);
  },
);

test(
  "a pause holds the charts while readings go on, and a range can be read in it",
  needs,
  async () => {
    const { oven, page } = await open();
    const drawn = (): Promise<string> =>
      page.evaluate(() => document.querySelector<HTMLCanvasElement>(".chart canvas")!.toDataURL());
    await page.keyboard.press("Space");
    await page.waitForSelector('button:has-text("Paused")');
    await settled(page);
    const held = await drawn();
    const count = (): number => oven.hub.history("oven-1", "temperature", 0)?.length ?? 0;
    const before = count();
    await until("ten readings more", () => count() > before + 10);
    await settled(page);
    assert.equal(await drawn(), held);
    await page.click('a:text-is("1\u00a0h")');
    await page.waitForSelector('.chart[aria-label^="temperature over time: 1"]');
    await page.keyboard.press("Space");
    await page.click('a:text-is("10\u00a0min")');
    await page.waitForFunction(
      (before) =>
        document.querySelector<HTMLCanvasElement>(".chart canvas")?.toDataURL() !== before,
      held,
    );
  },
);

const PRESS_CHANNELS = [
  { name: "state", kind: 6, scale: new Decimal(0, 1), heartbeatMs: 10_000 },
  { name: "parts", kind: 4, scale: new Decimal(0, 1), heartbeatMs: 10_000 },
  { name: "rejects", kind: 4, scale: new Decimal(0, 1), heartbeatMs: 10_000 },
];

/** Presses that ran for 6 s and stood idle for 4 s, made 5 pieces, one of them bad. */
function bear(oven: Oven, id: string): void {
  const message = (topic: string, payload: Buffer): void =>
    oven.hub.message(
      { topic: `ferrule/${id}/${topic}`, payload, qos: 1, retain: false },
      Date.now(),
    );
  message("birth/0", birth({ type: "press", channels: [PRESS_CHANNELS] })[0]!);
  message("presence", Buffer.from("online"));
  const bt = Date.now() - 20_000;
  const records = [
    { n: "state", v: 2 },
    { n: "parts", v: 0 },
    { n: "rejects", v: 0 },
    { n: "state", v: 1, t: 6_000 },
    { n: "parts", v: 5, t: 6_000 },
    { n: "rejects", v: 1, t: 6_000 },
    { n: "state", v: 1, t: 10_000 },
  ];
  message("data", pack({ bt, records }));
}

test(
  "production stands against the plan; without a plan the page says what is missing",
  needs,
  async () => {
    const plan = { busyShare: 0.8, itemMs: 1_000, total: "parts", rejects: "rejects" };
    const nodes = { "press-1": { plan }, "press-3": { plan: { ...plan, total: "none" } } };
    const { oven, page } = await open(MACHINE, { nodes });
    for (const id of ["press-1", "press-2", "press-3"]) bear(oven, id);
    const text = async (id: string): Promise<string> => {
      await page.goto(`${oven.url}#/machines/${id}`);
      await page.reload();
      return (await page.locator(".production").textContent()) ?? "";
    };
    const planned = await text("press-1");
    assert.match(planned, /run · 60\.0\u00a0%6\u00a0s/);
    assert.match(planned, /availability75\.0\u00a0%/);
    assert.match(planned, /effectiveness83\.3\u00a0%/);
    assert.match(planned, /quality80\.0\u00a0%/);
    assert.match(planned, /OEE50\.0\u00a0%/);
    const without = await text("press-2");
    assert.match(without, /parts5/);
    assert.match(without, /No plan, so no effectiveness/);
    assert.doesNotMatch(without, /OEE\d|100/);
    assert.match(await text("press-3"), /availability75\.0\u00a0%effectiveness—quality—OEE—/);
  },
);

test(
  "the machine view fits, is legible and named with a write staged and a past on screen",
  needs,
  async () => {
    const plan = { busyShare: 0.8, itemMs: 1_000, total: "parts", rejects: "rejects" };
    const { oven, page, printed } = await open(MACHINE, { nodes: { "press-1": { plan } } });
    for (const id of ["press-1", "press-2"]) bear(oven, id);
    oven.answers(INTERLOCK);
    await effective(page, "180.0\u00a0°C");
    await signIn(page);
    await review(page, "190");
    await page.keyboard.press("Enter");
    await story(page, "refused");
    await page.evaluate(() => sessionStorage.clear());
    for (const address of [
      MACHINE,
      `${MACHINE}?range=7d`,
      "#/machines/press-1",
      "#/machines/press-2",
    ]) {
      await page.evaluate((hash) => void (location.hash = hash), address);
      await settled(page);
      if (address === MACHINE) await review(page, "191");
      await checkFits(page, address, 44);
    }
    assert.deepEqual(printed, []);
  },
);

test("the focus goes down the machine view as it is read", needs, async () => {
  const { page } = await open();
  await effective(page, "180.0\u00a0°C");
  await page.locator(".crumb a").focus();
  const places: { top: number; left: number; text: string }[] = [];
  for (let tabs = 0; tabs < 24; tabs++) {
    const place = await page.evaluate(() => {
      const element = document.activeElement!;
      const { top, left } = element.getBoundingClientRect();
      const text = element.textContent ?? "";
      return element.closest("main") === null ? null : { top: top + scrollY, left, text };
    });
    if (place === null) break;
    places.push(place);
    await page.keyboard.press("Tab");
  }
  assert.ok(places.length > 10, `${places.length} stops`);
  for (const [index, place] of places.entries()) {
    const before = places[index - 1];
    if (before === undefined) continue;
    const isNext =
      place.top > before.top + 4 || (place.top > before.top - 24 && place.left > before.left);
    assert.ok(isNext, `"${place.text}" comes after "${before.text}"`);
  }
});

test(
  "when the view's code does not come, the page says so and offers a reload",
  needs,
  async () => {
    const oven = await startOven();
    later(() => oven.close());
    const page = await newPage();
    await page.route("**/machine-*.js", (route) => route.abort());
    await page.goto(oven.url + MACHINE);
    await page.waitForSelector('h2:text-is("This part of the page did not come")');
    await page.unroute("**/machine-*.js");
    await page.click('button:text-is("Load the page again")');
    await page.waitForSelector(".trends");
  },
);

test("the machine view adds at most its budget to the first view", async () => {
  const { chunks, first } = await bundlePage();
  const machine = [...chunks].find(([path]) => path.startsWith("/machine-"));
  assert.ok(machine !== undefined && !first.includes(machine[0]), "it is a part of its own");
  const bytes = gzipSync(machine[1]).length;
  assert.ok(bytes <= MACHINE_BYTES_MAX, `${bytes} bytes compressed`);
});
