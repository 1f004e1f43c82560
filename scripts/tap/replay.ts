// SPDX-License-Identifier: MIT
// Plays a capture with its timing, onto a pty that it makes or onto a port.
//
// A pty waits for a program that opens its other end, and begins then. What nobody reads waits: nothing is lost, later
// characters come later. A port is driven: the command asks for the word that says so.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, readdirSync, readlinkSync, readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { EXIT_FAILED, EXIT_USAGE, Failure, systemCode } from "../cli/failure.ts";
import { closePort, openPort } from "./port.ts";
import type { Batch, Line } from "./line.ts";

const STTY_MS_MAX = 5000;
const READER_MS = 20; // how often it is asked whether somebody reads
const LINGER_MS = 1000; // for the reader to take what a pty holds, 4,096 octets at most
const OPENING_MS = 500; // programs throw away what was there while they opened it
const PITCH_MS = 1; // characters are handed on together when they end within it

/** Where a capture is played to. */
export interface Target {
  name: string;
  /** Waits until somebody may hear; false: the signal came first. */
  ready(signal: AbortSignal): Promise<boolean>;
  write(octets: Uint8Array, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Throws a Failure unless a port and the word that it may be driven come together. */
export function requireWord(port: string | undefined, transmit: boolean): void {
  if (port !== undefined && !transmit)
    throw new Failure(
      EXIT_USAGE,
      `${port} would be driven: every device on that line hears it`,
      "add --transmit when that is meant; without --port it plays onto a pty",
    );
  if (transmit && port === undefined)
    throw new Failure(EXIT_USAGE, "--transmit needs --port", "give the port, or leave it away");
}

/** A pty; its name is that of the side for programs. */
export async function openPtyTarget(): Promise<Target> {
  const { fd, path, close } = await openPty();
  return {
    name: path,
    async ready(signal) {
      while (!signal.aborted && !isRead(fd)) await wait(READER_MS);
      if (!signal.aborted) await wait(OPENING_MS);
      return !signal.aborted;
    },
    async write(octets, signal) {
      for (let at = 0; at < octets.length && !signal.aborted;) {
        const count = tryWrite(fd, octets.subarray(at));
        at += count;
        if (count === 0) await wait(READER_MS);
      }
    },
    async close() {
      for (let ms = 0; ms < LINGER_MS && isRead(fd); ms += READER_MS) await wait(READER_MS);
      close();
    },
  };
}

/** A serial port, which transmits. */
export async function openPortTarget(path: string, line: Line): Promise<Target> {
  const port = await openPort(path, line);
  return {
    name: path,
    ready: async (signal) => !signal.aborted,
    write: (octets) =>
      new Promise((resolve, reject) => {
        port.write(Buffer.from(octets));
        port.drain((error) => (error ? reject(error) : resolve()));
      }),
    close: () => closePort(port),
  };
}

export interface Played {
  characters: number;
  lateMsMax: number; // how late the latest character was handed on
}

/** Plays all batches, `speed` times as fast as they were. */
export async function play(
  batches: AsyncIterable<Batch>,
  target: Target,
  { speed, signal }: { speed: number; signal: AbortSignal },
): Promise<Played> {
  const played: Played = { characters: 0, lateMsMax: 0 };
  const startMs = performance.now();
  const dueMs = (atUs: number): number => startMs + atUs / 1000 / speed;
  let bunch: number[] = [];
  let bunchMs = 0;
  const flush = async (): Promise<void> => {
    const restMs = bunchMs - performance.now();
    if (restMs > 0) await wait(restMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted || bunch.length === 0) return;
    played.lateMsMax = Math.max(played.lateMsMax, performance.now() - bunchMs);
    played.characters += bunch.length;
    await target.write(Uint8Array.from(bunch), signal);
    bunch = [];
  };
  for await (const { characters } of batches)
    for (const { atUs, octet } of characters) {
      if (signal.aborted) return played;
      if (bunch.length > 0 && dueMs(atUs) > bunchMs + PITCH_MS) await flush();
      if (bunch.length === 0) bunchMs = dueMs(atUs);
      bunch.push(octet);
    }
  await flush();
  return played;
}

// Reading its master tells: EIO while no program has the other side open.
function isRead(fd: number): boolean {
  try {
    readSync(fd, Buffer.alloc(256)); // what the program says goes nowhere
    return true;
  } catch (error) {
    return systemCode(error) === "EAGAIN";
  }
}

function tryWrite(fd: number, octets: Uint8Array): number {
  try {
    return writeSync(fd, octets);
  } catch (error) {
    if (systemCode(error) === "EAGAIN") return 0;
    throw error;
  }
}

// What the package has and does not declare: a pty without a program.
interface BarePty {
  _fd: number; // of the master, non-blocking
  ptsName: string;
  master: Readable & { _handle: { readStop(): void } };
  slave: Readable;
}

async function openPty(): Promise<{ fd: number; path: string; close: () => void }> {
  const load = createRequire(import.meta.url);
  const { open } = load("@lydell/node-pty") as { open(options: { encoding: null }): BarePty };
  let pty: BarePty;
  try {
    pty = open({ encoding: null });
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new Failure(
      EXIT_FAILED,
      `this machine gives no pseudo-terminal (${reason})`,
      "play onto a port, with --port PORT --transmit",
    );
  }
  const raw = spawnSync("stty", ["-F", pty.ptsName, "raw", "-echo"], { timeout: STTY_MS_MAX });
  pty.master.pause();
  const left = once(pty.slave, "close");
  pty.slave.destroy(); // it would read what programs are to get
  await left;
  pty.master["_handle"].readStop(); // its stream would end with the first program that leaves
  closeLeaked(pty.ptsName);
  if (raw.status !== 0)
    throw new Failure(EXIT_FAILED, `stty cannot make ${pty.ptsName} raw`, "install coreutils");
  return { fd: pty["_fd"], path: pty.ptsName, close: () => void pty.master.destroy() };
}

// libuv opens a terminal anew, and the package forgets the descriptor that it had: while that is open, nobody can see
// whether a program reads. Where there is no /proc, playing begins at once.
function closeLeaked(path: string): void {
  const folder = "/proc/self/fd";
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (leadsTo(join(folder, name), path)) closeSync(+name);
}

function leadsTo(link: string, path: string): boolean {
  try {
    return readlinkSync(link) === path;
  } catch {
    return false; // closed meanwhile
  }
}
