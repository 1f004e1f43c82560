// SPDX-License-Identifier: MIT
// Adapter: the browser's clock, its timers and its time zone.
//
// The only file of the page that reads a clock. All else takes wall milliseconds as an argument.

/** Milliseconds since 1970 on the reader's machine; not the hub's clock. */
export function browserMs(): number {
  return Date.now();
}

/** Calls back every so often until the returned function is called. */
export function every(periodMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, periodMs);
  return () => clearInterval(timer);
}

/** Calls back once, unless the returned function is called before. */
export function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

/** `14:02:11`; with the date when it was not on the day of `nowMs`. Local time. */
export function clockTime(wallMs: number, nowMs: number): string {
  const then = new Date(wallMs);
  const time = `${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`;
  if (then.toDateString() === new Date(nowMs).toDateString()) return time;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}

/** `14:02`, for an axis. */
export function clockMinutes(wallMs: number): string {
  const then = new Date(wallMs);
  return `${two(then.getHours())}:${two(then.getMinutes())}`;
}

/** `11-29`, month and day, for an axis. */
export function clockDay(wallMs: number): string {
  const then = new Date(wallMs);
  return `${two(then.getMonth() + 1)}-${two(then.getDate())}`;
}

/** Time with zone, for the hover text. */
export function zonedTime(wallMs: number): string {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${clockTime(wallMs, 0)} ${zone}`;
}

/** ISO 8601, UTC, with milliseconds: for files. Empty for a time beyond the calendar (±100,000,000 days). */
export function isoTime(wallMs: number): string {
  return Math.abs(wallMs) <= 8.64e15 ? new Date(wallMs).toISOString() : "";
}

function two(count: number): string {
  return String(count).padStart(2, "0");
}
