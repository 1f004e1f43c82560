// SPDX-License-Identifier: MIT
// Serial ports of the gateway: one node at the other end of each.
//
// Spec: SPEC.md §7. Ports are opened when they are there and tried again while they are not: a plug that is
// pulled ends nothing. Its peer is "serial:PATH". A message that the port does not take in time is lost, as
// on any line, and counted. 8N1, no flow control. The driver is loaded with the first port.

import type { SerialPortStream } from "@serialport/stream";
import { createFrameDecoder, createFrameEncoder } from "./frame.ts";
import type { FrameCounters, FrameDecoder } from "./frame.ts";
import { SERIAL_BACKLOG_BYTES_MAX, SERIAL_RETRY_MS } from "./limits.ts";

const PEER = "serial:";

export interface SerialPlace {
  path: string; // such as /dev/ttyUSB0
  baud: number;
}

export interface SerialLog {
  info(text: string): void;
  warn(text: string): void;
}

export interface SerialLine {
  readonly peer: string;
  readonly counters: FrameCounters & { lost: number };
  send(message: Uint8Array): void;
  close(): Promise<void>;
}

/** Whether a peer is at the end of a serial line. */
export function isSerialPeer(peer: string): boolean {
  return peer.startsWith(PEER);
}

const ADVICE: Readonly<Record<string, string>> = {
  "no such file": "plug the adapter in, or give another path",
  "permission denied": "add this user to the group dialout, or run as one who may",
  "cannot lock port": "stop the other program that uses it",
  "resource busy": "stop the other program that uses it",
};

interface Line extends SerialLine {
  readonly place: SerialPlace;
  readonly log: SerialLog;
  readonly decoder: FrameDecoder;
  readonly heard: (peer: string, message: Uint8Array) => void;
  port: SerialPortStream | undefined;
  timer: NodeJS.Timeout | undefined;
  isClosed: boolean;
  isTold: boolean; // why it is not open; once until it is
}

/** Opens a port, now or as soon as it is there; `heard` gets each whole message. */
export function openSerialLine(
  place: SerialPlace,
  log: SerialLog,
  heard: (peer: string, message: Uint8Array) => void,
): SerialLine {
  const encode = createFrameEncoder();
  const decoder = createFrameDecoder();
  const line: Line = {
    ...{ place, log, decoder, heard },
    peer: `${PEER}${place.path}`,
    counters: Object.assign(decoder.counters, { lost: 0 }),
    ...{ port: undefined, timer: undefined, isClosed: false, isTold: false },
    send(message) {
      const { port, counters } = line;
      if (port === undefined || port.writableLength > SERIAL_BACKLOG_BYTES_MAX) counters.lost++;
      else port.write(Buffer.from(encode(message)));
    },
    async close() {
      const { port } = line;
      line.isClosed = true;
      clearTimeout(line.timer);
      if (port?.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
    },
  };
  void open(line);
  return line;
}

async function open(line: Line): Promise<void> {
  const { path, baud } = line.place;
  const [{ autoDetect }, { SerialPortStream }] = await Promise.all([
    import("@serialport/bindings-cpp"),
    import("@serialport/stream"),
  ]);
  if (line.isClosed) return;
  const binding = autoDetect();
  const port = new SerialPortStream({ binding, path, baudRate: baud, autoOpen: false });
  port.open((error) => {
    if (line.isClosed) port.close(() => undefined);
    else if (error) retry(line, reason(error));
    else {
      line.port = port;
      line.decoder.restart();
      if (line.isTold) line.log.info(`serial ${path} is open`);
      line.isTold = false;
    }
  });
  port.on("data", (bytes: Buffer) =>
    line.decoder.push(bytes, (message) => line.heard(line.peer, message)),
  );
  port.on("error", (error) => lose(line, port, error.message));
  port.on("close", () => lose(line, port, "the port went away"));
}

function lose(line: Line, port: SerialPortStream, why: string): void {
  if (line.isClosed || port !== line.port) return;
  line.port = undefined;
  port.destroy();
  retry(line, why);
}

function retry(line: Line, why: string): void {
  if (!line.isTold)
    line.log.warn(`serial ${line.place.path} is not open: ${why}; it is tried again`);
  line.isTold = true;
  line.timer = setTimeout(() => void open(line), SERIAL_RETRY_MS);
}

function reason(error: Error): string {
  const text = error.message.replace(/^Error: */i, "");
  const found = Object.entries(ADVICE).find(([part]) => text.toLowerCase().includes(part));
  return found === undefined ? text : `${found[0]} (${found[1]})`;
}
