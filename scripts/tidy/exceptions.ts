// SPDX-License-Identifier: MIT
// Where a hard limit does not hold, with the reason.

export interface Exception {
  rule: string;
  path: RegExp;
  reason: string;
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    rule: "T1",
    path: /^host-sim\/chips\/armv6m\/execute\.ts$/,
    reason: "the instruction set as one switch: T2 below",
  },
  {
    rule: "T2",
    path: /^host-sim\/chips\/armv6m\/execute\.ts$/,
    reason: "an interpreter's loop: flags, place and time in local variables are its speed",
  },
  {
    rule: "T6",
    path: /^scripts\//,
    reason: "the command line is one adapter: files, ports, processes and clocks are its work",
  },
  {
    rule: "T6",
    path: /^gateway\/(udp|serial|broker|index)\.ts$/,
    reason: "the gateway's sockets and its clock",
  },
  {
    rule: "T6",
    path: /^host-sim\/realtime\//,
    reason: "real time: the machine's clock, timers and sockets",
  },
  {
    rule: "T6",
    path: /^hub\/(server|http|mqtt|sse)[a-z-]*\.ts$/,
    reason: "the hub's HTTP server, its MQTT connection and its clock",
  },
  {
    rule: "T6",
    path: /^hub\/web\//,
    reason: "the page runs in a browser and shows the reader's clock",
  },
  {
    rule: "T6",
    path: /^boards\/js\/(binaryen|minify)\.ts$/,
    reason: "binaryen's programs take files; a thread that hangs is ended",
  },
  {
    rule: "T6",
    path: /^boards\/js\/(compose\.ts$|shim\/)/,
    reason: "a board's timers and chance are its host's work; compose reads the shims",
  },
  {
    rule: "T9",
    path: /^scripts\/tidy\//,
    reason: "the words it looks for stand in it",
  },
  {
    rule: "T14",
    path: /^tests\/vectors\/mqttsn\.json$/,
    reason: "an address inside a protocol field that belongs to no machine",
  },
];

/** True when a rule does not hold for a file. */
export function isExcepted(rule: string, path: string): boolean {
  return EXCEPTIONS.some((e) => e.rule === rule && e.path.test(path));
}
