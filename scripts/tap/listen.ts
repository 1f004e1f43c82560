// SPDX-License-Identifier: MIT
// What a listener sees of events: a line for each, or JSON.

import { eventJson, kindName, registersOf, tableOf, textOf, type TapEvent } from "./event.ts";
import { kindOfCode } from "./codes.ts";
import { registerKey } from "./inventory.ts";
import { showSeconds } from "./line.ts";
import type { Named, RegisterMap } from "./map.ts";
import { TAP_EVENT_EXCEPTION, TAP_EVENT_READING, TAP_EVENT_TEXT } from "../../firmware/wire/tap.ts";
import type { Heard } from "./report.ts";
import { showNumber, showText } from "./report-readings.ts";

const VALUES_SHOWN_MAX = 16; // of one event in a line

/** One event as a line of text. */
export function showEvent(event: TapEvent, heard: Heard, map: RegisterMap): string {
  const { atUs, kind, unit, code, address, quantity, reason } = event;
  const at = showSeconds(atUs).padStart(9);
  if (kind === TAP_EVENT_READING || kind === TAP_EVENT_TEXT) return `${at}  ${showReading(event)}`;
  const place = quantity > 0 ? ` ${address} x ${quantity}` : "";
  const whose = unit < 0 ? "" : `unit ${unit}  `;
  const what = `${at}  ${whose}${kindOfCode(code)}${place}`;
  if (kind === TAP_EVENT_EXCEPTION) return `${what}: exception ${reason}`;
  const values = registersOf(event);
  if (values.length === 0) return `${what}: ${kindName(event)}`;
  const more = values.length > VALUES_SHOWN_MAX ? " …" : "";
  const names = namedIn(event, heard, map).map((each) => `  ${each}`);
  return [`${what}: ${values.slice(0, VALUES_SHOWN_MAX).join(" ")}${more}`, ...names].join("");
}

function showReading(event: TapEvent): string {
  const { kind, name, number, decimals, unit, unitName } = event;
  if (name === "") return showText(textOf(event));
  const whose = unit < 0 ? name : `unit ${unit}  ${name}`;
  if (kind === TAP_EVENT_TEXT) return `${whose}: no number`;
  return `${whose} = ${showNumber(number, decimals)} ${unitName}`.trimEnd();
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

/** Its value; null: not all of its registers were heard. */
export function valueNow({ key, words, value }: Named, { inventory }: Heard): number | null {
  const found = Array.from({ length: words }, (_, i) => inventory.registers.get(key + i)?.value);
  return found.includes(undefined) ? null : value(found as number[]);
}
