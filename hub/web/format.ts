// SPDX-License-Identifier: MIT
// Numbers and lengths of time as a person reads them.
//
// Decimals follow the channel and stay fixed; the minus sign is U+2212; thousands are set apart by a thin space
// (U+2009). A unit keeps its scale for good: no prefix comes and goes with the value.

const MINUS = "\u2212";
const THIN_SPACE = "\u2009";

/** What stands instead of a value. */
export const NO_VALUE = "\u2014";

/** Digits of a float whose channel promises none. */
const FLOAT_DIGITS = 6;

interface UnitView {
  label: string;
  factor: number; // shown = value × factor
  digits: number; // decimals that the factor takes away
}

// SenML has no mm/s: vibration travels as m/s and is read in mm/s.
/** SenML units whose written form differs from their name (RFC 8428 §12.1). */
const UNITS: Record<string, UnitView> = {
  "/": { label: "%", factor: 100, digits: 2 },
  "%RH": { label: "% RH", factor: 1, digits: 0 },
  Cel: { label: "°C", factor: 1, digits: 0 },
  Ohm: { label: "Ω", factor: 1, digits: 0 },
  deg: { label: "°", factor: 1, digits: 0 },
  count: { label: "", factor: 1, digits: 0 },
  m2: { label: "m²", factor: 1, digits: 0 },
  m3: { label: "m³", factor: 1, digits: 0 },
  "m3/s": { label: "m³/s", factor: 1, digits: 0 },
  "m/s": { label: "mm/s", factor: 1000, digits: 3 },
  "m/s2": { label: "m/s²", factor: 1, digits: 0 },
  "W/m2": { label: "W/m²", factor: 1, digits: 0 },
  "1/min": { label: "min⁻¹", factor: 1, digits: 0 },
};

/** How a channel's unit is written; a null unit is a pure number. */
export function unitView(unit: string | null): UnitView {
  if (unit === null) return { label: "", factor: 1, digits: 0 };
  return UNITS[unit] ?? { label: unit, factor: 1, digits: 0 };
}

/** The number alone, without its unit; `decimals` null: a float, six digits at most. */
export function formatNumber(value: number, unit: string | null, decimals: number | null): string {
  const view = unitView(unit);
  const shown = value * view.factor;
  if (decimals === null) return groupThousands(floatText(shown));
  return groupThousands(shown.toFixed(clampDecimals(decimals - view.digits)));
}

/** Number and unit: `181.20 °C`. */
export function formatValue(value: number, unit: string | null, decimals: number | null): string {
  const label = unitView(unit).label;
  const number = formatNumber(value, unit, decimals);
  return label === "" ? number : `${number}\u00a0${label}`;
}

/** A limit, which is a round number most of the time: without the zeros that a measured value keeps. */
export function formatLimit(limit: number, unit: string | null): string {
  return formatValue(limit, unit, null);
}

/** A counter: whole, with thin spaces. */
export function formatCount(count: number): string {
  return groupThousands(count.toFixed(0));
}

/** A length of time in two units at most: `9 s`, `12 min`, `3 h 05 min`, `2 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  const restMinutes = String(minutes % 60).padStart(2, "0");
  if (hours < 24) return `${hours}\u00a0h\u00a0${restMinutes}\u00a0min`;
  return `${Math.floor(hours / 24)}\u00a0d\u00a0${hours % 24}\u00a0h`;
}

/** A sampling or loop period: `10 ms`, `1.5 s`. */
export function formatPeriod(periodMs: number): string {
  if (periodMs >= 1000) return `${trimZeros((periodMs / 1000).toFixed(1))}\u00a0s`;
  return `${trimZeros(periodMs.toFixed(3))}\u00a0ms`;
}

/** A share of a whole as a percentage with one decimal; a dash when there is no whole. */
export function formatShare(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)}\u00a0%` : NO_VALUE;
}

/** The same without decimals, where there is little room. */
export function formatPercent(share: number): string {
  return `${Math.round(100 * share)}\u00a0%`;
}

/** The label of an axis split, with as many decimals as the step needs, large ones in thousands or millions. */
export function formatTick(value: number, step: number): string {
  const [factor, suffix] = tickPrefix(Math.max(Math.abs(value), step));
  return groupThousands((value / factor).toFixed(decimalsOf(step / factor))) + suffix;
}

/** As many as say a step without rounding it: 2.5 has one. */
function decimalsOf(step: number): number {
  let decimals = clampDecimals(Math.ceil(-Math.log10(step) - 1e-9));
  while (decimals < 12 && Math.abs(Number(step.toFixed(decimals)) / step - 1) > 1e-6) decimals++;
  return decimals;
}

function tickPrefix(magnitude: number): [factor: number, suffix: string] {
  if (magnitude >= 1e9) return [1e9, "\u00a0G"];
  if (magnitude >= 1e6) return [1e6, "\u00a0M"];
  return magnitude >= 1e5 ? [1e3, "\u00a0k"] : [1, ""];
}

function floatText(value: number): string {
  const text = value.toPrecision(FLOAT_DIGITS);
  return text.includes("e") ? text : trimZeros(text);
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function clampDecimals(decimals: number): number {
  return Math.min(12, Math.max(0, decimals));
}

function groupThousands(text: string): string {
  const negative = text.startsWith("-");
  const [whole = "", fraction] = (negative ? text.slice(1) : text).split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+(?!\d))/g, THIN_SPACE) : whole;
  const sign = negative && /[1-9]/.test(text) ? MINUS : "";
  return sign + grouped + (fraction === undefined ? "" : `.${fraction}`);
}
