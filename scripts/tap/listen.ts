// SPDX-License-Identifier: MIT
// What a listener sees: a line for each event, or a table of registers.
//
// The table shows what changed last on top, as many rows as the terminal has; everything stays in the inventory.

import { eventJson, kindName, registersOf, tableOf, type TapEvent } from "./event.ts";
import { kindOfCode } from "./codes.ts";
import { registerKey, type Register } from "./inventory.ts";
import { showSeconds } from "./line.ts";
import type { Named, RegisterMap } from "./map.ts";
import { TAP_EVENT_EXCEPTION, TAP_EVENT_READING, TAP_EVENT_TEXT } from "./kinds.ts";
import { table, type Heard } from "./report.ts";

const VALUES_SHOWN_MAX = 16; // of one event in a line

/** One event as a line of text. */
export function showEvent(event: TapEvent, heard: Heard, map: RegisterMap): string {
  const { atUs, kind, unit, code, address, quantity, reason, name } = event;
  const at = showSeconds(atUs).padStart(9);
  if (kind === TAP_EVENT_READING) return `${at}  ${name} = ${event.number}`;
  if (kind === TAP_EVENT_TEXT)
    return `${at}  ${name} = ${Buffer.from(event.values).toString("latin1")}`;
  const place = quantity > 0 ? ` ${address} x ${quantity}` : "";
  const what = `${at}  unit ${unit}  ${kindOfCode(code)}${place}`;
  if (kind === TAP_EVENT_EXCEPTION) return `${what}: exception ${reason}`;
  const values = registersOf(event);
  if (values.length === 0) return `${what}: ${kindName(event)}`;
  const more = values.length > VALUES_SHOWN_MAX ? " …" : "";
  const names = namedIn(event, heard, map).map((each) => `  ${each}`);
  return [`${what}: ${values.slice(0, VALUES_SHOWN_MAX).join(" ")}${more}`, ...names].join("");
}

/** One event as JSON, with the named values that it carries. */
export function jsonOf(event: TapEvent, heard: Heard, map: RegisterMap): Record<string, unknown> {
  const json = eventJson(event);
  const named = namesIn(event, map).map((each) => [each.name, valueNow(each, heard)]);
  return named.length === 0 ? json : { ...json, named: Object.fromEntries(named) };
}

function namedIn(event: TapEvent, heard: Heard, map: RegisterMap): string[] {
  return namesIn(event, map).map((each) => {
    const value = valueNow(each, heard);
    return `${each.name}=${value ?? "?"}${each.unit === "" ? "" : ` ${each.unit}`}`;
  });
}

function namesIn(event: TapEvent, map: RegisterMap): Named[] {
  const tableName = tableOf(event.code);
  if (map.size === 0 || tableName === undefined) return [];
  const first = registerKey(event.unit, tableName, event.address);
  const found = registersOf(event).flatMap((_, i) => map.get(first + i) ?? []);
  return [...new Set(found)];
}

// null: not all of its registers were heard.
function valueNow({ key, words, value }: Named, { inventory }: Heard): number | null {
  const found = Array.from({ length: words }, (_, i) => inventory.registers.get(key + i)?.value);
  return found.includes(undefined) ? null : value(found as number[]);
}

/** The screen of a terminal of this size, without its last line end. */
export function showScreen(
  heard: Heard,
  map: RegisterMap,
  nowUs: number,
  { rows, columns }: { rows: number; columns: number },
): string {
  const { source, line, protocol, inventory, counters } = heard;
  const head = [
    `${source}  ${line.baud} ${line.format}  ${protocol}  ${showSeconds(nowUs)} s`,
    `${inventory.registers.size} registers  ${counters[5] ?? 0} answers  ` +
      `${counters[4] ?? 0} exceptions  ${counters[7] ?? 0} unanswered  ${counters[9] ?? 0} junk`,
    "",
  ];
  const latest = [...inventory.registers.values()]
    .sort((a, b) => b.changes - a.changes || b.lastUs - a.lastUs)
    .slice(0, Math.max(1, rows - head.length - 2));
  const titles = ["unit", "table", "address", "value", "changes", "each s", "plausible", "name"];
  const cells = latest.map((register) => rowOf(register, heard, map));
  const lines = [...head, ...table([titles, ...cells])];
  return lines.map((text) => text.slice(0, columns)).join("\n");
}

function rowOf(register: Register, heard: Heard, map: RegisterMap): string[] {
  const { unit, table: tableName, address, value, changes, reads, firstUs, lastUs } = register;
  const key = registerKey(unit, tableName, address);
  const isWord = tableName === "holding" || tableName === "input";
  const types = isWord ? heard.inventory.types.guess(key) : [];
  const names = (map.get(key) ?? []).map((each) => `${each.name} ${valueNow(each, heard) ?? "?"}`);
  return [
    ...[String(unit), tableName, String(address), String(value), String(changes)],
    reads < 2 ? "" : ((lastUs - firstUs) / (reads - 1) / 1e6).toFixed(2),
    types.map(({ type, order }) => (order === "ABCD" ? type : `${type} ${order}`)).join(" "),
    names.join(", "),
  ];
}
