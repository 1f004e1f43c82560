// SPDX-License-Identifier: MIT
// The ring of changes that feeds the page, each change with an id.
//
// (C1) ids rise by one and go on rising over a restart of the hub: they start at wall time in µs.
// (C2) at most CHANGES_KEPT changes are held, in slots used again; a reading allocates nothing.
// A node is told as it is when it is asked for, so of one node only the newest change is given.

import type { Change, EventView, NodeView, Quality } from "./api.ts";
import { CHANGES_KEPT } from "./limits.ts";

interface Slot {
  id: number;
  kind: "reading" | "node" | "event";
  node: string;
  channel: string;
  wallMs: number;
  value: number; // NaN: none
  text: string | null;
  quality: Quality;
  cause: string; // "": none
  event: EventView | null;
}

export interface ChangeRing {
  slots: Slot[];
  oldestId: number; // of those held; one more than newestId when there is none
  newestId: number;
  newestOfNode: Map<string, number>;
}

export function createChangeRing(): ChangeRing {
  const slots = Array.from({ length: CHANGES_KEPT }, (): Slot => {
    return {
      id: 0,
      kind: "node",
      node: "",
      channel: "",
      wallMs: 0,
      value: NaN,
      text: null,
      quality: "good",
      cause: "",
      event: null,
    };
  });
  return { slots, oldestId: 1, newestId: 0, newestOfNode: new Map() };
}

/** Sets where ids start, once, before the first change; see (C1). */
export function startChanges(ring: ChangeRing, wallMs: number): void {
  ring.newestId = Math.max(0, Math.round(wallMs * 1000));
  ring.oldestId = ring.newestId + 1;
}

export function putReadingChange(
  ring: ChangeRing,
  node: string,
  channel: string,
  reading: Pick<Slot, "wallMs" | "value" | "text" | "quality" | "cause">,
): void {
  const slot = nextSlot(ring, "reading", node);
  slot.channel = channel;
  slot.wallMs = reading.wallMs;
  slot.value = reading.value;
  slot.text = reading.text;
  slot.quality = reading.quality;
  slot.cause = reading.cause;
}

export function putNodeChange(ring: ChangeRing, node: string): void {
  const slot = nextSlot(ring, "node", node);
  ring.newestOfNode.set(node, slot.id);
}

export function putEventChange(ring: ChangeRing, event: EventView): void {
  nextSlot(ring, "event", event.node ?? "").event = event;
}

/** Whether all changes after id are still held; false: a reader must start from a snapshot. */
export function holdsChangesSince(ring: ChangeRing, id: number): boolean {
  return id >= ring.oldestId - 1 && id <= ring.newestId;
}

/** Changes after id that are held, oldest first. */
export function changesSince(
  ring: ChangeRing,
  id: number,
  view: (node: string) => NodeView | null,
): Change[] {
  const changes: Change[] = [];
  for (let next = Math.max(id + 1, ring.oldestId); next <= ring.newestId; next++) {
    const slot = ring.slots[next % CHANGES_KEPT];
    const change = slot === undefined ? null : changeOf(ring, slot, view);
    if (change !== null) changes.push(change);
  }
  return changes;
}

function nextSlot(ring: ChangeRing, kind: Slot["kind"], node: string): Slot {
  const id = ++ring.newestId;
  if (id - ring.oldestId >= CHANGES_KEPT) ring.oldestId = id - CHANGES_KEPT + 1;
  const slot = ring.slots[id % CHANGES_KEPT] as Slot;
  slot.id = id;
  slot.kind = kind;
  slot.node = node;
  slot.event = null;
  return slot;
}

function changeOf(
  ring: ChangeRing,
  slot: Slot,
  view: (node: string) => NodeView | null,
): Change | null {
  if (slot.kind === "node") {
    if (ring.newestOfNode.get(slot.node) !== slot.id) return null;
    const node = view(slot.node);
    return node === null ? null : { id: slot.id, kind: "node", node };
  }
  if (slot.kind === "event")
    return slot.event === null ? null : { id: slot.id, kind: "event", event: { ...slot.event } };
  const { id, kind, node, channel, wallMs, value, text, quality, cause } = slot;
  return {
    id,
    kind,
    node,
    channel,
    wallMs,
    value: Number.isNaN(value) ? null : value,
    ...(text === null ? {} : { text }),
    quality,
    cause: cause === "" ? null : cause,
  };
}
