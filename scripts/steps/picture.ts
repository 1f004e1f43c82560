// SPDX-License-Identifier: MIT
// Takes the picture of the page that the README shows: docs/page.png.
//
// `npm run picture` starts the example plant and waits until its charts have something to show; with an address
// (`npm run picture -- http://127.0.0.1:8080`) it takes that page. Needs Debian's chromium.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import type { Snapshot } from "../../hub/api.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const PICTURE = join(PROJECT, "docs/page.png");
const CHROMIUM = "/usr/bin/chromium";
const SIZE = { width: 1280, height: 1010 }; // two alarms and six tiles

/** Flags of a browser that runs as root, without a screen, and calls nobody. */
export const BROWSER_ARGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long the example plant runs before its picture: the charts fill their shortest axis. */
const PLANT_MS = 112_000;
const WAIT_MS = 30_000;

/** How long a standing alarm is waited for after that: the scale is loaded too heavily about 225 s after the start. */
const ALARM_MS = 150_000;
const POLL_MS = 500;

/** Saves the page at `url` as a PNG once its values have moved; throws when they do not within 30 s. */
export async function takePicture(url: string, file: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...BROWSER_ARGS] });
  try {
    const context = await browser.newContext({ viewport: SIZE, deviceScaleFactor: 1 });
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForSelector("[data-value]", { timeout: WAIT_MS });
    const before = await page.locator("[data-value]").allTextContents();
    await page.waitForFunction(
      (texts) =>
        [...document.querySelectorAll("[data-value]")].some(
          (element, index) => element.textContent !== texts[index],
        ),
      before,
      { timeout: WAIT_MS },
    );
    mkdirSync(dirname(file), { recursive: true });
    await page.screenshot({ path: file });
  } finally {
    await browser.close();
  }
}

/** Runs the example plant for as long as `work` takes. */
async function withPlant(work: (url: string) => Promise<void>): Promise<void> {
  const args = [join(PROJECT, "scripts/ferrule.js"), "up", "--page", "0"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const url = new Promise<string>((told, fail) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("page ")) told(line.slice("page ".length));
    });
    void ended.then(() => fail(new Error("the example plant ended by itself")));
  });
  try {
    await work(await url);
  } finally {
    child.kill("SIGINT");
    await ended;
  }
}

/** Whether an alarm stands in the plant. */
async function hasAlarm(url: string): Promise<boolean> {
  const { nodes } = (await (await fetch(new URL("/api/snapshot", url))).json()) as Snapshot;
  const alarms = nodes.flatMap(({ channels }) => channels.flatMap((channel) => channel.alarms));
  return alarms.some(({ active }) => active);
}

async function pause(delayMs: number): Promise<void> {
  await new Promise((done) => setTimeout(done, delayMs));
}

async function main(url: string | undefined): Promise<void> {
  if (url !== undefined) return takePicture(url, PICTURE);
  await withPlant(async (page) => {
    await pause(PLANT_MS);
    for (let waitedMs = 0; waitedMs < ALARM_MS && !(await hasAlarm(page)); waitedMs += POLL_MS)
      await pause(POLL_MS);
    await takePicture(page, PICTURE);
  });
}

/** True when this file was started, and not imported for `takePicture`. */
const isTool = /(start\.js|picture\.ts)$/.test(process.argv[1] ?? "");
if (isTool) {
  await main(process.argv[2]);
  process.stdout.write(`${PICTURE}\n`);
}
