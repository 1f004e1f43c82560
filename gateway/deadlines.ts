// SPDX-License-Identifier: MIT
// Deadlines of many things in one heap: the earliest first, ties by order.
//
// An item stands in the heap once and knows its place, so the heap is as large as the number of items.
// (I1) heap[item.heapIndex] is the item. (I2) a parent is not later than its children.

export interface Timed {
  dueMs: number; // absolute; not later than the item's true deadline
  heapIndex: number; // -1: not in the heap
  readonly order: number; // breaks ties
}

export type Deadlines<Item extends Timed> = Item[];

/** Adds an item that is not in the heap. */
export function addDeadline<Item extends Timed>(heap: Deadlines<Item>, item: Item): void {
  item.heapIndex = heap.length;
  heap.push(item);
  siftUp(heap, item);
}

/** Makes an item due at `dueMs`, earlier or later than before. */
export function moveDeadline<Item extends Timed>(
  heap: Deadlines<Item>,
  item: Item,
  dueMs: number,
): void {
  const earlier = dueMs < item.dueMs;
  item.dueMs = dueMs;
  if (earlier) siftUp(heap, item);
  else siftDown(heap, item);
}

/** Takes an item out; nothing happens when it is not in the heap. */
export function removeDeadline<Item extends Timed>(heap: Deadlines<Item>, item: Item): void {
  const index = item.heapIndex;
  if (index < 0) return;
  item.heapIndex = -1;
  const last = heap.pop()!;
  if (last === item) return;
  heap[index] = last;
  last.heapIndex = index;
  siftUp(heap, last);
  siftDown(heap, last);
}

function isBefore(a: Timed, b: Timed): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function put<Item extends Timed>(heap: Deadlines<Item>, index: number, item: Item): void {
  heap[index] = item;
  item.heapIndex = index;
}

function siftUp<Item extends Timed>(heap: Deadlines<Item>, item: Item): void {
  let index = item.heapIndex;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex]!;
    if (!isBefore(item, parent)) break;
    put(heap, index, parent);
    index = parentIndex;
  }
  put(heap, index, item);
}

function siftDown<Item extends Timed>(heap: Deadlines<Item>, item: Item): void {
  let index = item.heapIndex;
  for (;;) {
    const left = 2 * index + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const next = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
    const child = heap[next]!;
    if (!isBefore(child, item)) break;
    put(heap, index, child);
    index = next;
  }
  put(heap, index, item);
}
