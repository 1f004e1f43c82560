// SPDX-License-Identifier: MIT
// Goal: the page shows the real road: values, history, a node that died.
//
// Method: `ferrule up` with the example plant, and with one whose oven loses its power, in Debian's Chromium.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { PROJECT, startUp, type Running } from "../support/ferrule.ts";
import { findProgram, program } from "../support/need.ts";
import { PATIENCE_MS } from "../support/until.ts";

const ARGS =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
  "--disable-component-update --disable-sync";

const folder = mkdtempSync(join(tmpdir(), "ferrule page "));
let road: Running | undefined;
let browser: Browser | undefined;

before(async () => {
  const executablePath = findProgram("chromium");
  if (executablePath === undefined) return;
  writeFileSync(join(folder, "plant.json"), JSON.stringify(plant()));
  road = await startUp([folder, "--page", "0", "--seed", "5"]);
  browser = await chromium.launch({ executablePath, args: ARGS.split(" ") });
});

after(async () => {
  await browser?.close();
  await road?.end();
  rmSync(folder, { recursive: true, force: true });
});

test(
  "a node without power turns to lost and comes back, and its values move on",
  program("chromium"),
  async () => {
    const page = await browser!.newPage();
    const errors: string[] = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(road!.page);
    await states(page, "oven-1", "online");
    const before = await value(page, "oven-1", "temperature");
    await states(page, "oven-1", "lost");
    await states(page, "oven-1", "online");
    await page.waitForFunction(
      async ([was]) => {
        const answer = await fetch("/api/snapshot");
        const snapshot = await answer.json();
        const oven = snapshot.nodes.find((node: { id: string }) => node.id === "oven-1");
        const now = oven.channels.find((c: { name: string }) => c.name === "temperature").value;
        return now !== null && now !== was;
      },
      [before],
      { timeout: PATIENCE_MS },
    );
    assert.deepEqual(errors, []);
  },
);

test(
  "history since the start is on the server for a page opened late",
  program("chromium"),
  async () => {
    const answer = await fetch(`${road!.page}/api/history?node=oven-1&channel=temperature&since=0`);
    const { points } = (await answer.json()) as { points: [number, number | null][] };
    assert.ok(points.length > 5);
    assert.ok(new Set(points.map(([, v]) => v)).size > 3, "the temperature never moved");
  },
);

test(
  "the example plant is six tiles of four types, each with values, at both widths",
  program("chromium"),
  async () => {
    const example = await startUp(["--page", "0", "--seed", "5"]);
    const page = await browser!.newPage({ viewport: { width: 1280, height: 800 } });
    try {
      const printed: string[] = [];
      page.on("console", (message) => printed.push(message.text()));
      page.on("pageerror", (error) => printed.push(error.message));
      await page.goto(example.page);
      const tiles = page.locator(".tile", { has: page.locator("[data-value] .number") });
      await page.waitForFunction(
        () => {
          const numbers = [...document.querySelectorAll(".tile")].map(
            (tile) => tile.querySelector("[data-value] .number")?.textContent ?? "",
          );
          return numbers.length === 6 && numbers.every((text) => /[0-9]/.test(text));
        },
        null,
        { timeout: PATIENCE_MS },
      );
      const texts = await tiles.allTextContents();
      const kinds = texts.map((text) => /(meter|oven|press|scale) \u00b7 line-1/.exec(text)?.[1]);
      assert.deepEqual(kinds, ["meter", "oven", "press", "press", "press", "scale"]);
      assert.deepEqual(await cutTexts(page), []);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.deepEqual(await cutTexts(page), []);
      assert.deepEqual(printed, []);
    } finally {
      await page.close();
      await example.end();
    }
  },
);

/** Texts of the tiles that do not fit, and the page itself when it is wider than the screen. */
async function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll(".tile *:not(svg, svg *)")]
      .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
      .map((element) => element.textContent ?? ""),
  );
}

/** Waits until the page's own text says the state beside the node's name. */
async function states(page: Page, node: string, state: string): Promise<void> {
  await page.waitForFunction(
    ([id, word]) => {
      const places = [...document.querySelectorAll("main *")].filter(
        (element) => element.textContent?.includes(id!) && element.textContent.length < 600,
      );
      return places.some((element) => element.textContent!.toLowerCase().includes(word!));
    },
    [node, state === "online" ? "running" : state],
    { timeout: PATIENCE_MS },
  );
}

async function value(page: Page, node: string, channel: string): Promise<number | null> {
  const snapshot = await page.evaluate(async () => (await fetch("/api/snapshot")).json());
  type Node = { id: string; channels: { name: string; value: number | null }[] };
  const found = (snapshot.nodes as Node[]).find(({ id }) => id === node)!;
  return found.channels.find(({ name }) => name === channel)!.value;
}

function plant(): object {
  const place = { enterprise: "acme", site: "north", area: "hall", line: "one", cell: "a" };
  return {
    ...place,
    nodes: [
      { id: "oven-1", node: join(PROJECT, "firmware/nodes/oven") },
      { id: "meter-1", node: join(PROJECT, "firmware/nodes/meter") },
    ],
    faults: [{ at: "6s", node: "oven-1", fault: "power-cut", for: "20s" }],
  };
}
