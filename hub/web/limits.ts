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

/** How often the hub is asked whether it has its broker. */
export const HEALTH_MS = 3_000;

/** Wait between two attempts to reach the hub: first, and longest. */
export const RETRY_FIRST_MS = 1_000;
export const RETRY_LAST_MS = 10_000;

/** Rows that the event list renders around what is visible. */
export const OVERSCAN_ROWS = 12;

/** A value is old after this many periods (or heartbeats) without a reading. */
export const OLD_PERIODS = 3;

/** A register row is marked as changed for so long. */
export const CHANGE_MARK_MS = 5_000;

/** Lines of the list of alarms; of more, those of one machine collapse into one line. */
export const ALARM_LINES_MAX = 12;

/** So many alarms of one machine collapse when there are too many lines. */
export const ALARM_FLOOD_MIN = 3;

/** Alarms of an opened line; what a person reads one by one. */
export const ALARM_FLOOD_SHOWN = 200;

/** Machines whose tiles have sparklines; a larger plant shows values and bars. */
export const SPARK_MACHINES_MAX = 40;

/** Columns of a sparkline, each with its lowest and highest value. */
export const SPARK_POINTS = 90;

/** Audit rows of a machine: a page of the table, and marks in its charts. The hub keeps more. */
export const AUDIT_ROWS = 200;

/** Letters of a name and of a token, as the hub takes them. */
export const WRITER_CHARS_MAX = 64;
export const TOKEN_CHARS_MAX = 256;

/** Points or bands asked for in one chart of the past: about its pixels. */
export const PAST_POINTS = 800;

/** A moving range is asked for again this often: a 360th of it, within bounds. */
export const PAST_AGAIN_MS_MIN = 10_000;
export const PAST_AGAIN_MS_MAX = 300_000;

/** Shortest range that a zoom leads to, and the longest: as long as a hub keeps hours. */
export const RANGE_MS_MIN = 1_000;
export const RANGE_MS_MAX = 5 * 366 * 86_400_000;

// Taps
export const INVENTORY_MS = 5000; // what a tap learned is asked for this often while it is in sight
export const INVENTORY_ROWS = 100; // of registers shown; a node learns 256
