// SPDX-License-Identifier: MIT
// What a decoded message does to channels, history, changes and outputs.
//
// Spec: SPEC.md §3, §4. All times are wall milliseconds; arrival is an argument.
// (I1) each (node, boot, sequence) changes something once; a second time it is counted, nothing more.
// (I2) the value shown is the newest by (boot, sequence), not by a clock that may step.

import { COUNTER_NAMES } from "../firmware/wire/counter-names.ts";
import { moveAlarm } from "./acknowledge.ts";
import { putNodeChange, putReadingChange } from "./changes.ts";
import { type Core, countRefused, tell, touch } from "./core.ts";
import { type Entry, type Pack, type PackKind, qualityName } from "./decode.ts";
import type { Status } from "./decode-birth.ts";
import { ALARMS_MAX, CLOCK_AHEAD_MS } from "./limits.ts";
import { noticeText, noticeView } from "./notices.ts";
import {
  changeHardware,
  type ChannelRecord,
  channelOf,
  gapMs,
  isTextChannel,
  type NodeRecord,
} from "./registry.ts";
import { offerSequence, SEQUENCE_DUPLICATE, SEQUENCE_TOO_OLD } from "./sequence.ts";
import { takeEffective } from "./setpoints.ts";
import {
  addCount,
  addStateTime,
  type CountTotal,
  countWentOn,
  emptyTimes,
  STATES,
} from "./totals.ts";

/** How a message came. */
export interface Arrival {
  wallMs: number;
  qos: number;
}

/** Takes all that is new in a pack. */
export function ingestPack(
  core: Core,
  node: NodeRecord,
  pack: Pack,
  kind: PackKind,
  arrival: Arrival,
): void {
  meetHardware(core, node, pack.baseName, arrival.wallMs);
  meetBoot(core, node, pack.boot, arrival.wallMs);
  const baseMs = Number.isNaN(pack.baseMs) ? arrival.wallMs : pack.baseMs;
  for (let index = 0; index < pack.count; index++) {
    const entry = pack.entries[index];
    if (entry === undefined) return;
    if (entry.notice !== null) {
      if (isNewEntry(core, node, pack, entry)) takeNotice(core, node, entry, baseMs, arrival);
      continue;
    }
    const channel = isNew(core, node, pack, entry);
    if (channel === null) continue;
    if (arrival.qos > 0) core.counts.ingested++;
    else core.counts.unconfirmed++;
    const atMs = baseMs + entry.offsetMs;
    if (atMs > arrival.wallMs + CLOCK_AHEAD_MS) tellClock(core, node, atMs, arrival.wallMs);
    if (kind === "data")
      takeReading(core, { node, channel, boot: pack.boot }, entry, atMs, arrival);
    else takeEvent(core, { node, channel, boot: pack.boot }, entry, atMs, arrival);
  }
}

/** Takes a status; one of an earlier boot, still under way, is passed over. */
export function ingestStatus(core: Core, node: NodeRecord, status: Status, wallMs: number): void {
  if (status.boot < node.boot) return;
  meetBoot(core, node, status.boot, wallMs);
  const before = node.status;
  node.status = status;
  node.statusAtMs = wallMs;
  if (status.boot > (before?.boot ?? -1)) settleCounts(node, before, status);
  touch(core, node, null);
  if (before !== null) {
    tellCounters(core, node, { before, status, kind: "trap", counters: TRAP_COUNTERS }, wallMs);
    tellCounters(core, node, { before, status, kind: "dropped", counters: DROP_COUNTERS }, wallMs);
    tellHost(core, node, before.host, status.host, wallMs);
  }
  putNodeChange(core.changes, node.id);
}

/** The hardware that speaks under a node id; a change is told, since it may be another board. */
export function meetHardware(core: Core, node: NodeRecord, baseName: string, wallMs: number): void {
  if (node.baseName === baseName) return;
  if (node.baseName !== "") {
    const text = `${node.id} now speaks as ${eui64(baseName)}, before as ${eui64(node.baseName)}.`;
    tell(core, node, { kind: "identity", text, atMs: wallMs }, wallMs);
  }
  changeHardware(node, baseName);
  touch(core, node, null);
  putNodeChange(core.changes, node.id);
}

/** A boot number seen in a message; a larger one means that the node started again. */
export function meetBoot(core: Core, node: NodeRecord, boot: number, wallMs: number): void {
  if (boot <= node.boot) return;
  const text = `${node.id} started again: boot ${boot}, before ${node.boot}.`;
  if (node.boot >= 0) tell(core, node, { kind: "boot", text, atMs: wallMs }, wallMs);
  node.boot = boot;
  touch(core, node, null);
  putNodeChange(core.changes, node.id);
}

// Counters of SPEC.md §6 whose rise is worth a line.
const TRAP_COUNTERS = ["loopTraps", "loopOverruns", "linkTraps"];
const DROP_COUNTERS = [
  "droppedTelemetry",
  "droppedAlarm",
  "droppedRefused",
  "unconfirmedDropped",
  "ringDropped",
];
const LINK_TRAPS = COUNTER_NAMES.indexOf("linkTraps");
const EUI64_AT = "urn:dev:mac:".length;

interface Place {
  node: NodeRecord;
  channel: ChannelRecord;
  boot: number;
}

/** The channel of an entry that was not seen before; null: counted and not to be taken. */
function isNew(core: Core, node: NodeRecord, pack: Pack, entry: Entry): ChannelRecord | null {
  const channel = channelOf(core.registry, node, entry.name);
  if (channel === null) {
    countRefused(core.counts, "too-many-channels");
    return null;
  }
  touch(core, node, channel);
  return isNewEntry(core, node, pack, entry) ? channel : null;
}

function isNewEntry(core: Core, node: NodeRecord, pack: Pack, entry: Entry): boolean {
  const judged = offerSequence(node.sequences, pack.baseName, pack.boot, entry.sequence);
  if (judged === SEQUENCE_DUPLICATE) core.counts.duplicates++;
  if (judged === SEQUENCE_TOO_OLD) countRefused(core.counts, "too-old");
  return judged !== SEQUENCE_DUPLICATE && judged !== SEQUENCE_TOO_OLD;
}

/** A security event of a line; each notice of a tap has a flood window of its own, as has its unit. */
function takeNotice(
  core: Core,
  node: NodeRecord,
  entry: Entry,
  baseMs: number,
  arrival: Arrival,
): void {
  if (arrival.qos > 0) core.counts.ingested++;
  else core.counts.unconfirmed++;
  core.counts.events++;
  touch(core, node, null);
  const notice = noticeView(entry);
  const known = notice.rule !== null && node.taps.some(({ name }) => name === notice.tap);
  core.events.add(
    {
      place: `notice/${node.id}/${known ? `${notice.tap}/${notice.word}/${notice.unit}` : ""}`,
      kind: "notice",
      node: node.id,
      text: `${node.id} ${noticeText(notice)}`,
      atMs: baseMs + entry.offsetMs,
      notice,
    },
    arrival.wallMs,
  );
}

function takeReading(core: Core, place: Place, entry: Entry, atMs: number, arrival: Arrival): void {
  const { node, channel } = place;
  const { birth } = channel;
  const quality = qualityName(entry.quality);
  core.counts.readings++;
  const newest = isNewest(channel, place.boot, entry.sequence);
  const { value, text, cause } = entry;
  if (text !== null || (isTextChannel(channel) && Number.isNaN(value))) {
    // Only what changed is kept of texts: a heartbeat says nothing new.
    if (!newest || channel.atMs === null || text !== channel.text)
      channel.series.putText(atMs, text);
  } else channel.series.put(atMs, value);
  if (text !== null) core.uns.value(node, channel, atMs, text);
  else if (!Number.isNaN(value)) core.uns.value(node, channel, atMs, value);
  const reading = { wallMs: atMs, value, text, quality, cause };
  putReadingChange(core.changes, node.id, channel.name, reading);
  if (!newest) return;
  if (takeTotals(place, value, atMs)) {
    core.oee.add(node);
    touch(core, node, null);
    if (birth?.kind === "state") takeMachineState(core, node, value, atMs);
  }
  if (birth?.kind === "setpoint" && !Number.isNaN(value)) {
    const before = channel.setpoint?.effective;
    takeEffective(channel, value, atMs);
    if (before !== value) putNodeChange(core.changes, node.id);
  }
  const changed = channel.atMs === null || channel.quality !== quality || channel.cause !== cause;
  channel.boot = place.boot;
  channel.sequence = entry.sequence;
  channel.value = value;
  channel.text = text;
  channel.atMs = atMs;
  channel.quality = quality;
  channel.cause = cause;
  if (birth === null && quality !== "bad" && text === null)
    channel.decimals = entry.decimals < 0 ? null : entry.decimals;
  if (changed) {
    channel.qualitySinceMs = atMs;
    core.uns.meta(node, channel);
  }
  if (quality === "good") returnForgottenAlarms(core, place, atMs, arrival);
}

/** Adds a newest reading to the totals of its machine, before it becomes the channel's; true: it did. */
function takeTotals({ node, channel, boot }: Place, value: number, atMs: number): boolean {
  const { birth } = channel;
  if (birth?.kind === "state") {
    // The first state channel is the machine's.
    if (node.channels.find((one) => one.birth?.kind === "state") !== channel) return false;
    node.stateMs ??= emptyTimes();
    addStateTime(node.stateMs, channel, { value, atMs, boot }, gapMs(channel));
    return true;
  }
  if (birth?.kind !== "counter" || Number.isNaN(value)) return false;
  channel.count = addCount(channel.count, boot, Math.round(value / birth.step));
  if (node.status?.boot === boot) settleCount(node, channel.count);
  return true;
}

/** Since when the machine is in its state; a bad reading tells none. */
function takeMachineState(core: Core, node: NodeRecord, value: number, atMs: number): void {
  const state = STATES[value];
  if (node.machine?.state === state) return;
  node.machine = state === undefined ? null : { state, sinceMs: atMs };
  putNodeChange(core.changes, node.id);
}

/** Link traps that rose, by the first status of a boot, tell that loop and its counts went on. */
function settleCounts(node: NodeRecord, before: Status | null, status: Status): void {
  const wentOn = (status.counters[LINK_TRAPS] ?? 0) > (before?.counters[LINK_TRAPS] ?? 0);
  if (wentOn) node.wentOnBoot = status.boot;
  for (const { count } of node.channels)
    if (count !== null && count.boot === status.boot) settleCount(node, count);
}

function settleCount(node: NodeRecord, count: CountTotal): void {
  if (node.wentOnBoot === count.boot) countWentOn(count);
  count.doubtful = 0;
}

function takeEvent(core: Core, place: Place, entry: Entry, atMs: number, arrival: Arrival): void {
  const { node, channel, boot } = place;
  const { alarm, active, sequence } = entry;
  core.counts.events++;
  const limit = channel.birth?.alarms.find(({ name }) => name === alarm);
  const value = Number.isNaN(entry.value) ? null : entry.value;
  const what = `${node.id} ${channel.name} ${alarm}`;
  const values = value === null ? "" : `, value ${value}`;
  const limits = limit === undefined ? "" : `, limit ${limit.limit}`;
  const text = `${what}: ${active ? "raised" : "returned to normal"}${values}${limits}.`;
  const kind = active ? "alarm" : "returned";
  // A name that was not announced gets no flood window of its own: there is no end to such names.
  const known = channel.alarms.has(alarm) || limit !== undefined;
  const flood = known ? `${channel.name}/${alarm}` : "";
  core.events.add(
    {
      place: `${kind}/${node.id}/${flood}`,
      kind,
      node: node.id,
      text,
      atMs,
      channel: channel.name,
      alarm,
      value,
    },
    arrival.wallMs,
  );
  const state = channel.alarms.get(alarm);
  if (state === undefined && !known && channel.alarms.size >= ALARMS_MAX) return;
  if (state !== undefined && !follows(state, boot, sequence)) return;
  channel.alarms.set(alarm, moveAlarm(state, { active, atMs, boot, sequence }));
  putNodeChange(core.changes, node.id);
}

/**
 * A loop that started anew tells no return of an alarm that it never raised. So an alarm of an
 * earlier boot has returned when a good reading of a later one lies inside its hysteresis.
 */
function returnForgottenAlarms(core: Core, place: Place, atMs: number, arrival: Arrival): void {
  const { node, channel, boot } = place;
  if (channel.alarms.size === 0) return;
  for (const { name, above, limit, hysteresis } of channel.birth?.alarms ?? []) {
    const state = channel.alarms.get(name);
    if (state === undefined || !state.active || state.boot >= boot) continue;
    const inside = above
      ? channel.value <= limit - hysteresis
      : channel.value >= limit + hysteresis;
    if (!inside) continue;
    channel.alarms.set(name, moveAlarm(state, { ...state, active: false, atMs }));
    const what = `${node.id} ${channel.name} ${name}`;
    const text = `${what}: normal after the restart, value ${channel.value}.`;
    const event = { kind: "returned" as const, channel: channel.name, alarm: name };
    tell(core, node, { ...event, text, atMs, value: channel.value }, arrival.wallMs);
    putNodeChange(core.changes, node.id);
  }
}

function isNewest(channel: ChannelRecord, boot: number, sequence: number): boolean {
  return follows(channel, boot, sequence);
}

function follows(
  before: { boot: number; sequence: number },
  boot: number,
  sequence: number,
): boolean {
  return boot > before.boot || (boot === before.boot && sequence > before.sequence);
}

function tellClock(core: Core, node: NodeRecord, atMs: number, wallMs: number): void {
  const ahead = Math.round((atMs - wallMs) / 1000);
  const text = `${node.id} stamps readings ${ahead} s ahead of the hub's clock.`;
  tell(core, node, { kind: "clock", text, atMs: wallMs }, wallMs);
}

/** One line about the counters that rose since the status before. */
function tellCounters(
  core: Core,
  node: NodeRecord,
  rise: { before: Status; status: Status; kind: "trap" | "dropped"; counters: string[] },
  wallMs: number,
): void {
  const { before, status, kind, counters } = rise;
  const risen: string[] = [];
  for (const name of counters) {
    const index = COUNTER_NAMES.indexOf(name);
    const now = status.counters[index] ?? 0;
    const then = before.counters[index] ?? 0;
    // A smaller count means that counting started again.
    const more = now >= then ? now - then : now;
    if (more > 0) risen.push(`${name} +${more}`);
  }
  if (risen.length === 0) return;
  const text = `${node.id} counted ${risen.join(", ")}.`;
  tell(core, node, { kind, text, atMs: wallMs }, wallMs);
}

// Causes of a restart, SPEC.md §1.5.
const RESTART_CAUSES = ["", "a fault", "link made no progress", "the watchdog bit"];

/** One line each about a host that restarted since the status before, and about entropy that failed. */
function tellHost(
  core: Core,
  node: NodeRecord,
  before: readonly number[],
  [restarts = 0, cause = 0, pc = 0, , faults = 0]: readonly number[],
  wallMs: number,
): void {
  const at = pc === 0 ? "" : ` at 0x${pc.toString(16)}`;
  const why = RESTART_CAUSES[cause] ?? `cause ${cause}`;
  const texts: string[] = [];
  if (restarts > (before[0] ?? 0)) texts.push(`${node.id} restarted: ${why}${at}.`);
  if ((faults & ~(before[4] ?? 0) & 1) !== 0)
    texts.push(`${node.id} has no entropy: its source failed its tests.`);
  for (const text of texts) tell(core, node, { kind: "trap", text, atMs: wallMs }, wallMs);
}

function eui64(baseName: string): string {
  return baseName.slice(EUI64_AT, -1);
}
