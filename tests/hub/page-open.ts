// SPDX-License-Identifier: MIT
// The page in a browser before a scripted hub, closed after each test.

import { after, afterEach, before } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { BROWSER_ARGS } from "../../scripts/steps/picture.ts";
import { findProgram } from "../support/need.ts";
import { PATIENCE_MS } from "../support/until.ts";
import { settled } from "./page-settled.ts";
import { startFixture, type Fixture, type FixtureOptions } from "./page-fixture.ts";

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };
export const TABLET = { width: 820, height: 800 };

export interface Opened {
  page: Page;
  fixture: Fixture;
  printed: string[]; // all that the page wrote to the console
}

export interface Opener {
  /** Before a scripted hub of its own. */
  open(address: string, options?: FixtureOptions): Promise<Opened>;
  /** Wherever it is served. */
  openAt(url: string): Promise<Omit<Opened, "fixture">>;
  /** An empty page of a context of its own. */
  newPage(): Promise<Page>;
  /** Is closed after the test, the latest first. */
  later(close: () => Promise<void>): void;
}

/** Opens pages in one browser of this test file. */
export function useBrowser(): Opener {
  let browser: Browser | undefined;
  const closers: (() => Promise<void>)[] = [];
  before(async () => {
    const executablePath = findProgram("chromium");
    if (executablePath === undefined) return;
    browser = await chromium.launch({ executablePath, args: [...BROWSER_ARGS] });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  after(async () => {
    await browser?.close();
  });
  const newPage: Opener["newPage"] = async () => {
    const context = await browser!.newContext({ viewport: DESKTOP });
    closers.push(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return page;
  };
  const openAt: Opener["openAt"] = async (url) => {
    const page = await newPage();
    const printed: string[] = [];
    page.on("console", (message) => printed.push(message.text()));
    page.on("pageerror", (error) => printed.push(error.message));
    await page.goto(url);
    await page.waitForSelector("main h1, main .empty h2");
    await settled(page);
    return { page, printed };
  };
  return {
    openAt,
    newPage,
    later: (close) => void closers.push(close),
    open: async (address, options = {}) => {
      const fixture = await startFixture(options);
      closers.push(() => fixture.close());
      return { fixture, ...(await openAt(fixture.url + address)) };
    },
  };
}
