// SPDX-License-Identifier: MIT
// A binary heap of armed alarms in typed arrays, the earliest on top.
//
// Ordered by (dueUs, sequence). An alarm is a small number, its id, so that moving one touches neither an
// object nor the collector. Arrays double when they are full; ids that are given back are used again.
// (H1) position[id] is where id stands, -1: nowhere.

const CAPACITY_MIN = 64;

export interface AlarmHeap {
  dueUs: Float64Array; // by position
  sequence: Float64Array; // by position: up to 2^53
  id: Int32Array; // by position
  position: Int32Array; // by id (H1)
  size: number;
  ids: number; // given out so far
  readonly freeIds: number[];
}

export function createAlarmHeap(): AlarmHeap {
  return {
    dueUs: new Float64Array(CAPACITY_MIN),
    sequence: new Float64Array(CAPACITY_MIN),
    id: new Int32Array(CAPACITY_MIN),
    position: new Int32Array(CAPACITY_MIN).fill(-1),
    size: 0,
    ids: 0,
    freeIds: [],
  };
}

/** An id that is not in the heap. */
export function takeId(heap: AlarmHeap): number {
  const free = heap.freeIds.pop();
  if (free !== undefined) return free;
  const id = heap.ids++;
  if (id >= heap.position.length) grow(heap);
  return id;
}

/** The id is not in the heap and may become another alarm. */
export function giveId(heap: AlarmHeap, id: number): void {
  heap.freeIds.push(id);
}

/** Puts an id in; it is not inside. */
export function insert(heap: AlarmHeap, id: number, dueUs: number, sequence: number): void {
  rise(heap, heap.size++, id, dueUs, sequence);
}

/** Takes an id out, wherever it stands; it is inside. */
export function remove(heap: AlarmHeap, id: number): void {
  const hole = heap.position[id]!;
  heap.position[id] = -1;
  const end = --heap.size;
  if (hole === end) return;
  const [last, dueUs, sequence] = [heap.id[end]!, heap.dueUs[end]!, heap.sequence[end]!];
  const parent = (hole - 1) >> 1;
  if (hole > 0 && isAfter(heap, parent, dueUs, sequence)) rise(heap, hole, last, dueUs, sequence);
  else sink(heap, hole, last, dueUs, sequence);
}

// There are never more positions than ids, so one size fits all arrays.
function grow(heap: AlarmHeap): void {
  const capacity = 2 * heap.position.length;
  const larger = <T extends Float64Array | Int32Array>(to: T, from: T): T => (to.set(from), to);
  heap.dueUs = larger(new Float64Array(capacity), heap.dueUs);
  heap.sequence = larger(new Float64Array(capacity), heap.sequence);
  heap.id = larger(new Int32Array(capacity), heap.id);
  heap.position = larger(new Int32Array(capacity).fill(-1), heap.position);
}

// Whether what stands there is later than this.
function isAfter(heap: AlarmHeap, at: number, dueUs: number, sequence: number): boolean {
  const there = heap.dueUs[at]!;
  return there > dueUs || (there === dueUs && heap.sequence[at]! > sequence);
}

function put(heap: AlarmHeap, at: number, id: number, dueUs: number, sequence: number): void {
  heap.id[at] = id;
  heap.dueUs[at] = dueUs;
  heap.sequence[at] = sequence;
  heap.position[id] = at;
}

function move(heap: AlarmHeap, from: number, to: number): void {
  put(heap, to, heap.id[from]!, heap.dueUs[from]!, heap.sequence[from]!);
}

function rise(heap: AlarmHeap, from: number, id: number, dueUs: number, sequence: number): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isAfter(heap, parent, dueUs, sequence)) break;
    move(heap, parent, at);
    at = parent;
  }
  put(heap, at, id, dueUs, sequence);
}

function sink(heap: AlarmHeap, from: number, id: number, dueUs: number, sequence: number): void {
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.size) break;
    const right = child + 1;
    const later = isAfter(heap, child, heap.dueUs[right]!, heap.sequence[right]!);
    if (right < heap.size && later) child = right;
    if (isAfter(heap, child, dueUs, sequence)) break;
    move(heap, child, at);
    at = child;
  }
  put(heap, at, id, dueUs, sequence);
}
