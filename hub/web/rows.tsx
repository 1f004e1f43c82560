// SPDX-License-Identifier: MIT
// Rows that stand still under a pointer; only those in sight are drawn.
//
// (W1) at most the rows of one window and 2 × OVERSCAN_ROWS are in the document, however many there are.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { OVERSCAN_ROWS } from "./limits.ts";

/** Row heights of the stylesheet, CSS pixels: one line, and two on a narrow screen. */
const ROW_HEIGHT = 36;
const ROW_HEIGHT_NARROW = 68;
const NARROW = "(max-width: 999px)";

export function rowHeight(): number {
  return matchMedia(NARROW).matches ? ROW_HEIGHT_NARROW : ROW_HEIGHT;
}

export interface Still<Item> {
  items: readonly Item[];
  onPointerEnter: () => void;
  onPointerLeave: () => void;
}

/**
 * The items in their order, which stands still while a pointer is on them: what is gone stays as it
 * was, what is new comes last.
 */
export function useStill<Item>(items: readonly Item[], keyOf: (item: Item) => string): Still<Item> {
  const [on, setOn] = useState(false);
  const last = useRef<readonly Item[]>(items);
  const shown = on ? inOrder(last.current, items, keyOf) : items;
  last.current = shown;
  return {
    items: shown,
    onPointerEnter: () => setOn(true),
    onPointerLeave: () => setOn(false),
  };
}

/** The items in the order that was, each as it is now; new ones last. */
export function inOrder<Item>(
  before: readonly Item[],
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Item[] {
  const byKey = new Map(items.map((item) => [keyOf(item), item]));
  const ordered = before.map((item) => {
    const key = keyOf(item);
    const now = byKey.get(key) ?? item;
    byKey.delete(key);
    return now;
  });
  return [...ordered, ...byKey.values()];
}

/** Draws the rows in sight; the space of the others is kept. */
export function RowsInSight<Item>(props: {
  items: readonly Item[];
  height: number; // of a row, CSS pixels
  row: (item: Item, index: number) => JSX.Element;
  onScroll?: () => void; // away from the top
}): JSX.Element {
  const { items, height, row, onScroll } = props;
  const root = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useEffect(() => {
    const measure = (): void => {
      if (scrollY > 0) onScroll?.();
      setTop(Math.max(0, -(root.current?.getBoundingClientRect().top ?? 0)));
    };
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure, { passive: true });
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [onScroll]);
  const inSight = Math.ceil(innerHeight / height) + 2 * OVERSCAN_ROWS;
  const last = items.length - inSight;
  const first = Math.max(0, Math.min(Math.floor(top / height) - OVERSCAN_ROWS, last));
  const shown = items.slice(first, first + inSight);
  const below = items.length - first - shown.length;
  return (
    <div ref={root} role="rowgroup">
      <div style={{ height: `${first * height}px` }} />
      {shown.map((item, index) => row(item, first + index))}
      <div style={{ height: `${below * height}px` }} />
    </div>
  );
}
