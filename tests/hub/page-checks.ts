// SPDX-License-Identifier: MIT
// What is checked on every view of the page, by the browser's own measure.

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { until } from "../support/until.ts";
import { settled } from "./page-settled.ts";
import { DESKTOP, PHONE, TABLET } from "./page-open.ts";

/** WCAG 2 AA for text below 18.66 px bold or 24 px. */
const CONTRAST_MIN = 4.5;

/** Least height of what a finger hits, in CSS pixels. */
const TARGET_MIN = 32;

/** Roles that a person operates; each must have a name. */
const CONTROLS = ["button", "link", "textbox", "searchbox", "combobox", "checkbox", "image", "img"];

/** Asserts that a view fits, is legible and named, on a desk, in a hand and on a tablet, light and dark. */
export async function checkFits(page: Page, what: string, targetMin = TARGET_MIN): Promise<void> {
  for (const viewport of [DESKTOP, PHONE, TABLET]) {
    await page.setViewportSize(viewport);
    await settled(page);
    const where = `${what} at ${viewport.width} px`;
    await checkWidth(page, where);
    assert.deepEqual(await namelessControls(page), [], `${where} has nameless controls`);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await paleTexts(page), [], `${where}, ${colorScheme}`);
    }
    if (viewport === PHONE) assert.deepEqual(await smallTargets(page, targetMin), [], where);
  }
  await page.setViewportSize(DESKTOP);
}

/** Asserts that nothing is wider than its place, once the page has come to rest. */
export async function checkWidth(page: Page, where: string): Promise<void> {
  let wide = "";
  await until(
    () => `room for all, ${where}: ${wide}`,
    async () => {
      const texts = await cutTexts(page);
      wide = `${await overflow(page)} px too wide, cut: ${texts.join("; ")}`;
      return wide === "0 px too wide, cut: ";
    },
  );
}

/** Texts whose contrast by computed style is too low, as `text: ratio`. */
async function paleTexts(page: Page): Promise<string[]> {
  return page.evaluate((least) => {
    // Methods, since the functions of a test file are named by its loader and a page knows nothing of that.
    const colours = {
      channels(colour: string): number[] {
        return (colour.match(/[\d.]+/g) ?? []).map(Number);
      },
      light(colour: string): number {
        const linear = colours
          .channels(colour)
          .slice(0, 3)
          .map((value) => value / 255)
          .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
      },
      ground(element: Element | null): string {
        if (element === null) return "rgb(255, 255, 255)";
        const colour = getComputedStyle(element).backgroundColor;
        const isThere = (colours.channels(colour)[3] ?? 1) > 0;
        return isThere ? colour : colours.ground(element.parentElement);
      },
      ratio(one: number, other: number): number {
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      },
    };
    const pale: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = (node.textContent ?? "").trim();
      const element = node.parentElement;
      if (text === "" || element === null || element.getClientRects().length === 0) continue;
      const style = getComputedStyle(element);
      const isSvg = element.namespaceURI !== "http://www.w3.org/1999/xhtml";
      const colour = isSvg ? style.fill : style.color;
      const found = colours.ratio(colours.light(colour), colours.light(colours.ground(element)));
      if (found < least) pale.push(`${text}: ${found.toFixed(2)}`);
    }
    return pale;
  }, CONTRAST_MIN);
}

/** Controls without a name in the browser's accessibility tree, by role. */
async function namelessControls(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes
    .filter((node) => !node.ignored && CONTROLS.includes(String(node.role?.value)))
    .filter((node) => String(node.name?.value ?? "").trim() === "")
    .map((node) => String(node.role?.value));
}

/** How many pixels the page is wider than its window, or content wider than its panel. */
async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const boxes = [document.documentElement, ...document.querySelectorAll(".panel.flush")];
    return Math.max(...boxes.map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth));
  });
}

/** Elements with text that is cut at their right edge without an ellipsis or beyond the window. */
async function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("main *, .strip *")]
      .filter((element) => element.children.length === 0 && element.textContent?.trim() !== "")
      .filter((element) => element.getClientRects().length > 0)
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
      .filter((element) => element.closest(".oldest, .event-text, .tile-head") === null)
      .map((element) => element.textContent ?? ""),
  );
}

/** Controls lower than what a finger hits, in CSS pixels: navigation, buttons, fields. */
async function smallTargets(page: Page, least: number): Promise<string[]> {
  return page.evaluate(
    (height) =>
      [...document.querySelectorAll("nav a, main button:not(.plain), input, select")]
        .filter((element) => element.getClientRects().length > 0)
        .filter((element) => element.getBoundingClientRect().height < height)
        .map((element) => element.textContent ?? element.tagName),
    least,
  );
}

/** Pixels of a chart's trace colour in the left half of its plot. */
export async function traceInLeftHalf(page: Page, chart: number): Promise<number> {
  return page.evaluate((index) => {
    const canvas = document.querySelectorAll<HTMLCanvasElement>(".chart canvas")[index];
    const drawing = canvas?.getContext("2d");
    if (canvas === undefined || !drawing) return 0;
    const token = getComputedStyle(document.documentElement).getPropertyValue("--trace").trim();
    const wanted = [1, 3, 5].map((at) => Number.parseInt(token.slice(at, at + 2), 16));
    const { data } = drawing.getImageData(0, 0, canvas.width / 2, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (wanted.every((value, part) => Math.abs(value - data[at + part]!) < 24)) count++;
    }
    return count;
  }, chart);
}
