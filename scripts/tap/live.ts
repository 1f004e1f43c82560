// SPDX-License-Identifier: MIT
// The screen of a listener: registers, objects of a meter, or lines.
//
// Registers that changed most stand on top, objects in the order in which they are said, lines as they came. Everything
// stays in the inventory.

import type { Reading, Register } from "./inventory.ts";
import { registerKey } from "./inventory.ts";
import { showSeconds } from "./line.ts";
import { valueNow } from "./listen.ts";
import type { RegisterMap } from "./map.ts";
import type { Heard } from "./report.ts";
import { showNumber, showText } from "./report-readings.ts";
import { table } from "./table.ts";

export interface Size {
  rows: number;
  columns: number;
}

/** The screen of a terminal of this size, without its last line end; `said` are the latest lines of text. */
export function showScreen(
  heard: Heard,
  map: RegisterMap,
  said: readonly string[],
  nowUs: number,
  { rows, columns }: Size,
): string {
  const { source, line, protocol, inventory } = heard;
  const head = [
    `${source}  ${line.baud} ${line.format}  ${protocol}  ${showSeconds(nowUs)} s`,
    showCounts(heard),
    "",
  ];
  const left = Math.max(1, rows - head.length - 2);
  const body =
    inventory.readings.size > 0
      ? showReadings(heard, left)
      : inventory.texts.size > 0
        ? said.slice(-left - 1).map(showText)
        : showRegisters(heard, map, left);
  return [...head, ...body].map((text) => text.slice(0, columns)).join("\n");
}

function showCounts({ inventory, counters }: Heard): string {
  const { registers, readings, texts } = inventory;
  const junk = `${counters[9] ?? 0} octets of junk`;
  if (readings.size > 0) return `${readings.size} objects  ${counters[1] ?? 0} telegrams  ${junk}`;
  if (texts.size > 0) return `${counters[1] ?? 0} lines of ${texts.size} kinds  ${junk}`;
  return (
    `${registers.size} registers  ${counters[5] ?? 0} answers  ` +
    `${counters[4] ?? 0} exceptions  ${counters[7] ?? 0} unanswered  ${junk}`
  );
}

function showRegisters(heard: Heard, map: RegisterMap, rows: number): string[] {
  const latest = [...heard.inventory.registers.values()]
    .sort((a, b) => b.changes - a.changes || b.lastUs - a.lastUs)
    .slice(0, rows);
  const titles = ["unit", "table", "address", "value", "changes", "each s", "plausible", "name"];
  return table([titles, ...latest.map((register) => registerRow(register, heard, map))]);
}

function registerRow(register: Register, heard: Heard, map: RegisterMap): string[] {
  const { unit, table: tableName, address, value, changes, reads, firstUs, lastUs } = register;
  const key = registerKey(unit, tableName, address);
  const isWord = tableName === "holding" || tableName === "input";
  const types = isWord ? heard.inventory.types.guess(key) : [];
  const names = (map.get(key) ?? []).map((each) => `${each.name} ${valueNow(each, heard) ?? "?"}`);
  return [
    ...[String(unit), tableName, String(address), String(value), String(changes)],
    everyS(reads, firstUs, lastUs),
    types.map(({ type, order }) => (order === "ABCD" ? type : `${type} ${order}`)).join(" "),
    names.join(", "),
  ];
}

function showReadings({ inventory }: Heard, rows: number): string[] {
  const all = [...inventory.readings.values()];
  const hasUnits = all.some(({ unit }) => unit >= 0);
  const titles = ["object", "value", "changes", "each s"];
  const cells = all.slice(0, rows).map((reading) => readingRow(reading, hasUnits));
  const more = all.length > rows ? [`and ${all.length - rows} more`] : [];
  return [...table([hasUnits ? ["meter", ...titles] : titles, ...cells]), ...more];
}

function readingRow(reading: Reading, hasUnits: boolean): string[] {
  const { name, unit, value, decimals, unitName, changes, times, firstUs, lastUs } = reading;
  return [
    ...(hasUnits ? [String(unit)] : []),
    name,
    value === undefined ? "no number" : `${showNumber(value, decimals)} ${unitName}`.trimEnd(),
    ...[String(changes), everyS(times, firstUs, lastUs)],
  ];
}

function everyS(times: number, firstUs: number, lastUs: number): string {
  return times < 2 ? "" : ((lastUs - firstUs) / (times - 1) / 1e6).toFixed(2);
}
