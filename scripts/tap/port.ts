// SPDX-License-Identifier: MIT
// A serial port or pty that is only listened to.
//
// Nothing is ever written to it. RTS is taken back, since adapters that switch direction by it would drive the
// line. The driver hands octets on in bunches: a bunch ended when it came, and its octets are set one character time apart
// before that. Framing and parity errors are not told by the driver. Bunches that nobody took yet are bounded.

import { once } from "node:events";
import type { SerialPortStream } from "@serialport/stream";
import { TAP_FLAG_OVERRUN } from "../../firmware/wire/tap.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import { say } from "../cli/terminal.ts";
import { characterUs, type Batch, type Character, type Line } from "./line.ts";

const IDLE_MS = 100; // a batch comes at least this often, so that silence is noticed
const WAITING_CHARACTERS_MAX = 1 << 20; // eleven seconds at 921,600 bit/s

interface Refusal {
  parts: readonly string[]; // of what the system says, one of them
  exitCode: number;
  message: string;
  next: string;
}

const REFUSALS: readonly Refusal[] = [
  {
    parts: ["no such file"],
    exitCode: EXIT_NOT_FOUND,
    message: "is not there",
    next: "plug the adapter in, or give another path; the ports of this machine: ls /dev/tty*",
  },
  {
    parts: ["permission denied"],
    exitCode: EXIT_FAILED,
    message: "may not be opened by this user",
    next: "add the user to the group of the port: usermod -aG dialout $USER, then log in again",
  },
  {
    parts: ["cannot lock port", "resource busy"],
    exitCode: EXIT_FAILED,
    message: "is in use by another program",
    next: "end that program: fuser PORT names it",
  },
  {
    parts: ["inappropriate ioctl"],
    exitCode: EXIT_FAILED,
    message: "cannot be opened as a serial port",
    next: "give a serial port, a pty or a capture file",
  },
];

/** Opens a port at the line's rate and format; throws a Failure that says what to do. */
export async function openPort(path: string, { baud, format }: Line): Promise<SerialPortStream> {
  const [{ autoDetect }, { SerialPortStream: Stream }] = await Promise.all([
    import("@serialport/bindings-cpp"),
    import("@serialport/stream"),
  ]);
  const port = new Stream({
    ...{ binding: autoDetect(), path, baudRate: baud, autoOpen: false, hupcl: false },
    dataBits: format.startsWith("7") ? 7 : 8,
    parity: format[1] === "E" ? "even" : format[1] === "O" ? "odd" : "none",
    stopBits: format.endsWith("2") ? 2 : 1,
  });
  const error = await new Promise<Error | null>((resolve) => port.open(resolve));
  if (error !== null) throw refused(path, error);
  return port;
}

/** What a port hears until the signal; a port that goes away is told, and what was heard stays good. */
export async function* hearPort(
  path: string,
  line: Line,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  const port = await openPort(path, line);
  const pitchUs = characterUs(line);
  const startMs = performance.now();
  const nowUs = (): number => (performance.now() - startMs) * 1000;
  let waiting: Character[] = [];
  let lastUs = 0;
  let gone = false;
  let missed = false; // a character was lost since the last one that fitted
  let wake = (): void => undefined;
  port.on("data", (octets: Buffer) => {
    const endUs = nowUs();
    octets.forEach((octet, i) => {
      const atUs = Math.max(lastUs, endUs - (octets.length - 1 - i) * pitchUs);
      lastUs = atUs;
      const fits = waiting.length < WAITING_CHARACTERS_MAX;
      if (fits) waiting.push({ atUs, octet, flags: missed ? TAP_FLAG_OVERRUN : 0 });
      missed = !fits;
    });
    wake();
  });
  const lost = (): void => {
    gone = true;
    wake();
  };
  port.on("close", lost).on("error", lost);
  port.set({ rts: false, dtr: true }, () => undefined); // a pty has no such wires
  try {
    while (!signal.aborted) {
      const characters = waiting;
      waiting = [];
      yield { characters, nowUs: Math.max(lastUs, nowUs()) };
      if (gone) return tellGone(path);
      if (waiting.length === 0) await idle(signal, (woken) => (wake = woken));
    }
    if (waiting.length > 0) yield { characters: waiting, nowUs: Math.max(lastUs, nowUs()) };
  } finally {
    await closePort(port);
  }
}

function tellGone(path: string): void {
  say(`${path} went away: this is what was heard until then`);
  process.exitCode = EXIT_FAILED;
}

/** Closes a port that may be closed already. */
export async function closePort(port: SerialPortStream): Promise<void> {
  if (!port.isOpen) return;
  const closed = once(port, "close");
  port.close(() => undefined);
  await closed;
}

// Until something comes, the signal, or IDLE_MS.
async function idle(signal: AbortSignal, wakeWith: (wake: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(end, IDLE_MS);
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
    signal.addEventListener("abort", end, { once: true });
    wakeWith(end);
  });
}

function refused(path: string, error: Error): Failure {
  const text = error.message.toLowerCase();
  const found = REFUSALS.find(({ parts }) => parts.some((part) => text.includes(part)));
  if (found === undefined)
    return new Failure(EXIT_FAILED, `${path}: ${error.message}`, "give a serial port", error);
  const { exitCode, message, next } = found;
  return new Failure(exitCode, `${path} ${message}`, next.replace("PORT", path), error);
}
