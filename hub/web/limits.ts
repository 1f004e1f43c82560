// SPDX-License-Identifier: MIT
// Every bound of the page, each with its reason.
//
// A page may stay open for weeks, so nothing in it grows with time.

/** Length of a chart: what an operator calls "just now". */
export const CHART_WINDOW_MS = 600_000;

/** Points of one chart: six a second over the window. More are thinned, lowest and highest kept. */
export const POINTS_MAX = 3_600;

/** Charts with a buffer: one screen of tiles and a machine with them; the one used longest ago goes. */
export const SERIES_MAX = 96;

/** Lines of the event list; the oldest go. The hub keeps fewer, so an open page knows more. */
export const EVENTS_MAX = 1_000;

/** Machines shown; a plant beyond that is split over hubs. More are counted, not shown. */
export const NODES_MAX = 500;

/** Changes waiting for a snapshot or for the end of a pause; beyond, a new snapshot is taken. */
export const PENDING_MAX = 5_000;

/** Screen updates: four a second is as fast as a person reads a number. */
export const FLUSH_MS = 250;

/** History requests under way at once: below the six connections a browser gives one host. */
export const HISTORY_PARALLEL = 4;

/** Silence of the stream after which the hub is asked whether it lives: three status periods. */
export const SILENCE_MS = 30_000;

/** Wait between two attempts to reach the hub: first, and longest. */
export const RETRY_FIRST_MS = 1_000;
export const RETRY_LAST_MS = 10_000;

/** Rows that the event list renders around what is visible. */
export const OVERSCAN_ROWS = 12;

/** A value is old after this many periods (or heartbeats) without a reading. */
export const OLD_PERIODS = 3;

/** A register row is marked as changed for so long. */
export const CHANGE_MARK_MS = 5_000;

/** Machines whose tiles have sparklines; a larger plant shows values and bars. */
export const SPARK_MACHINES_MAX = 40;

/** Columns of a sparkline, each with its lowest and highest value. */
export const SPARK_POINTS = 90;
