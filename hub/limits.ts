// SPDX-License-Identifier: MIT
// Every bound of the hub, with its reason.

// Messages
export const MESSAGE_BYTES_MAX = 8192; // SPEC.md §3: 64 records of the longest names fit
export const PACK_DEPTH_MAX = 4; // array, map, decimal fraction, and one to spare for extensions
export const BIRTH_DEPTH_MAX = 6; // map, channels, channel, alarms, alarm, decimal fraction
export const STATUS_DEPTH_MAX = 3; // map, taps, counters
export const RECORDS_MAX = 64; // SPEC.md §3; no array of a birth or a status is longer either
export const PAIRS_MAX = 16; // SPEC.md §3
export const EXPONENT_MAX = 22; // 10^22 is the largest power of ten that a double holds exactly
export const WALL_MS_MAX = 8_640_000_000_000_000; // the latest time that a Date can show
export const TEXTS_KEPT = 1024; // a power of two: names of a plant seen again and again

// Names: SenML names are ASCII; a name is a key in tables, a topic level and a line on a page.
export const NAME_CHARS_MAX = 32; // channel, alarm, output, tap; as node.json
export const OBJECT_CHARS_MAX = 64; // name of an object of a meter; as node.json
export const READING_CHARS_MAX = 64; // a text of a channel: what a ring record holds
export const UNIT_CHARS_MAX = 16; // the longest of the SenML registry have 7
export const IDENTITY_CHARS_MAX = 32; // type, version, host
export const TOPICS_KEPT = 16_384; // parsed topics: 4 or more of each node

// Registry
export const NODES_MAX = 4096; // a broker and a page carry this; 1,000 is the largest plant tried
export const CHANNELS_ANNOUNCED_MAX = 250; // the channel is one octet in a record
export const CHANNELS_UNANNOUNCED_MAX = 64; // no birth yet; hostile names end here
export const ALARMS_MAX = 4; // per channel, as node.json
export const OUTPUTS_MAX = 16;
export const TAPS_MAX = 16; // boards have 2; a PC as a node may have more
export const BIRTH_PARTS_MAX = 256; // a channel with all its alarms fills a datagram
export const NODE_SILENT_MS_MAX = 60_000; // an online node; six statuses in a row are missing, and all else
export const BIRTHS_OPEN = 4; // the one shown, the next, and leftovers of earlier boots in the broker

// Exactly once
export const SEQUENCE_WINDOW = 16_384; // a power of two; many times what a node's outbox holds
export const SEQUENCE_CHUNK = 256; // written down together: two packs touch one or two chunks
export const BOOTS_KEPT = 32; // of one node: a link that traps twice a second is exact for 16 s

// History
export const HISTORY_POINTS_FIRST = 64; // of one channel, doubled as needed
export const HISTORY_POINTS_MAX = 8192; // of one channel: 13 minutes at 10 readings a second
export const HISTORY_POINTS_TOTAL_MAX = 4_194_304; // 64 MiB in all; then rings stop growing
export const HISTORY_TEXTS_MAX = 1024; // of one channel in memory: changes only
export const HISTORY_TEXTS_TOTAL_MAX = 65_536; // some 10 MB in all; then only what is newest replaces the oldest
export const GAP_HEARTBEATS = 3; // so many promised readings missing make a gap
export const GAP_MS_MIN = 1000; // jitter of the network is no gap

export const RANGE_POINTS_DEFAULT = 1000; // a chart has about so many pixels
export const RANGE_POINTS_MIN = 100;
export const RANGE_POINTS_MAX = 5000; // of an answer; more are given as bands
export const RAW_SCAN_MAX = 50_000; // raw points read for one answer; then the minutes serve
export const EXPORT_PAGE_POINTS = 5000; // read at once for a CSV: 2 ms of the event loop

// History on disk
export const RAW_KEPT_MS = 7 * 86_400_000;
export const MINUTES_KEPT_MS = 90 * 86_400_000;
export const HOURS_KEPT_MS = 5 * 366 * 86_400_000;
export const PRUNE_POINTS_MAX = 20_000; // deleted of one series at once: some 20 ms
export const PRUNE_MS = 1000; // one series each; a thousand of them have their turn in 17 minutes
export const SERIES_MAX = 65_536; // of a file; hostile names end here
export const FILE_POINTS_PENDING_MAX = 65_536; // not committed; more are dropped and counted
export const COMMIT_MS_MAX = 100; // from a message to its commit
export const COMMIT_QUIET_MS = 10; // no further message for so long: commit now
export const COMMIT_MESSAGES_MAX = 16; // held at once: brokers hand out 20 unacknowledged ones

// Set-points
export const SETPOINTS_MAX = 32; // of a node
export const SETPOINT_ANSWER_MS_MAX = 10_000; // then it is timed out
export const SETPOINTS_PENDING_MAX = 256; // of the plant
export const WRITES_PER_SECOND = 10; // a person needs one; more are refused unseen
export const WRITER_CHARS_MAX = 64;
export const WRITE_BODY_BYTES_MAX = 1024;
export const COMMENT_CHARS_MAX = 120; // of an acknowledgement; fits a line of the event list
export const AUDIT_KEPT = 1000; // in memory and in an answer; a file keeps HOURS_KEPT_MS

// OEE
export const OEE_PITCH_MS = 10_000; // totals are published at most this often
export const COUNT_WRAP = 4_294_967_296; // a counter is a u32

// Events and changes
export const EVENTS_KEPT = 200; // what a snapshot shows; a file keeps as many over restarts
export const EVENT_LINES_PER_WINDOW = 3; // of one place; then they collapse
export const EVENT_WINDOW_MS = 60_000;
export const EVENT_UPDATE_MS = 1000; // a collapsed line is told again at most this often
export const EVENT_PLACES_MAX = 1024; // kinds and places watched for a flood; the oldest goes
export const CHANGES_KEPT = 1000; // one second of a large plant: a page that reconnects goes on
export const CLOCK_AHEAD_MS = 60_000; // a reading stamped later than this is a wrong clock

// Outputs
export const PUBLICATIONS_MAX = 10_000; // values waiting; the oldest goes, retained never

// Adapters
export const STREAMS_MAX = 64; // pages open at once
export const STREAM_BYTES_MAX = 1_048_576; // unsent of one page: then it waits in the ring
export const STREAM_STALLED_MS = 30_000; // a page that takes nothing for this long is cut off
export const STREAM_PITCH_MS = 100; // changes are told together this often
export const PULSE_LATE_MS_MAX = 10_000; // a suspended machine or a clock that steps; then silence counts anew
export const STREAM_COMMENT_MS = 15_000; // proxies close a silent stream
export const CONNECTIONS_MAX = 256; // of the HTTP server
export const URL_CHARS_MAX = 512;
export const PUBLISH_IN_FLIGHT_MAX = 256; // QoS 1 publications not acknowledged yet
export const BROKER_RETRY_MS = 2000; // a broker that starts is met soon; nothing is flooded
export const BROKER_SAY_AGAIN_MS = 60_000; // a broker that comes and goes fills no log
export const BROKER_CONNECT_TIMEOUT_MS = 5000;
