// SPDX-License-Identifier: MIT
// A serial line whose two ends are ptys, so that outside programs can talk.
//
// Links at the two given paths lead to the ptys; closing takes them away. Octets cross with the character
// time of the line: they are handed on in the millisecond in which they are through, and the tap gets the
// exact time. The ends are raw: no echo, no line discipline. A path that is taken by anything but a link
// to a pty is refused. Each end stays open here, so programs may come and go; octets for an end that nobody
// reads are lost when the pty is full, and counted: nothing here ever waits for a reader.

import { spawnSync } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { statSync, symlinkSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import type { End, Wire } from "../devices/wire.ts";

export interface PtyLineOptions {
  paths: readonly [string, string];
  wire: Wire;
  nowUs: () => number;
  log: (text: string) => void;
  /** Opens a pty; absent: the one of the machine. */
  open?: () => OpenPty;
}

export interface PtyLine {
  /** Octets that found a pty full. */
  unread(): number;
  close(): void;
}

/** A path cannot be used, or there are no ptys here; with what to do next. */
export class PtyError extends Error {
  readonly next: string;
  constructor(reason: string, next: string) {
    super(reason);
    this.name = "PtyError";
    this.next = next;
  }
}

/** What the package has and does not declare: a pty without a program. */
export interface OpenPty {
  readonly ptsName: string;
  readonly fd: number; // of the master, non-blocking
  readonly master: Readable;
  readonly slave: Readable;
}

const STTY_MS_MAX = 5000;

interface PtyEnd {
  readonly master: Readable;
  readonly fd: number;
  readonly path: string;
  readonly device: string; // such as /dev/pts/3
  readonly handle: number; // of the program's side: while it is open the pty lives
}

/** Opens both ends. Throws PtyError. */
export function openPtyLine(options: PtyLineOptions): PtyLine {
  const { paths, wire, nowUs, log, open = openPty } = options;
  checkPtyPaths(paths);
  const ends = openEnds(paths, open);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let unread = 0;

  function pass(): void {
    const reached: [number[], number[]] = [[], []];
    wire.deliver(nowUs(), (to, byte) => reached[to].push(byte));
    ends.forEach(({ fd }, i) => {
      const bytes = reached[i as End];
      if (bytes.length > 0) unread += bytes.length - write(fd, Buffer.from(bytes));
    });
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    const dueUs = wire.nextDueUs();
    if (closed || dueUs === Infinity) return;
    timer = setTimeout(pass, Math.max(0, Math.ceil((dueUs - nowUs()) / 1000)));
  }

  wire.whenAsked(schedule);
  ends.forEach(({ master, path }, i) => {
    master.on("data", (bytes: Buffer) => {
      if (closed) return;
      wire.say(i as End, bytes, nowUs());
      schedule();
    });
    master.on("error", (error) => {
      if (!closed) log(`${path}: ${error.message}`);
    });
  });
  function close(): void {
    if (closed) return;
    closed = true;
    process.off("exit", close);
    clearTimeout(timer);
    ends.forEach(closeEnd);
  }
  process.once("exit", close); // however the process ends, but for SIGKILL: no links stay
  return { unread: () => unread, close };
}

/** Throws PtyError unless both paths can become links to ptys. */
export function checkPtyPaths(paths: readonly [string, string]): void {
  if (paths[0] === paths[1])
    throw new PtyError("the two ends of a line need two paths", "give two, as --pty a,b");
  for (const path of paths) {
    const folder = statSync(dirname(path), { throwIfNoEntry: false });
    if (folder?.isDirectory() !== true)
      throw new PtyError(`the folder of ${path} is not there`, "make it, or give another path");
    refuseReadOnly(path);
    const taken = takenBy(path);
    if (taken !== undefined)
      throw new PtyError(`${path} is taken by ${taken}`, "give a path where nothing is");
  }
}

function refuseReadOnly(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw noLink(path, error);
  }
}

function noLink(path: string, error: unknown): PtyError {
  const { code = "" } = error as NodeJS.ErrnoException;
  return new PtyError(`no link can be made at ${path} (${code})`, "give another path");
}

// The system's write, since a stream on the master's side would wait for the reader and stop all else.
function write(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}

// The package is loaded when it is wanted: where it has no build, all else still runs.
function openPty(): OpenPty {
  const load = createRequire(import.meta.url);
  const { open } = load("@lydell/node-pty") as {
    open(options: { encoding: null }): Omit<OpenPty, "fd"> & Record<string, unknown>;
  };
  const pty = open({ encoding: null });
  const { ptsName, master, slave } = pty;
  return { ptsName, fd: Number(pty["_fd"]), master, slave };
}

type Ends = readonly [PtyEnd, PtyEnd];

function openEnds(paths: readonly [string, string], open: () => OpenPty): Ends {
  const first = openEnd(paths[0], open);
  try {
    return [first, openEnd(paths[1], open)];
  } catch (error) {
    closeEnd(first);
    throw error;
  }
}

function openEnd(path: string, open: () => OpenPty): PtyEnd {
  const { ptsName, fd, master, slave } = obtain(open);
  // O_NOCTTY: in a session without a terminal it would become that, and its end would end the process.
  const handle = openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY);
  slave.destroy(); // it would read what programs are to get
  const end = { master, fd, path, device: ptsName, handle };
  const raw = spawnSync("stty", ["-F", ptsName, "raw", "-echo"], { timeout: STTY_MS_MAX });
  try {
    if (raw.status !== 0)
      throw new PtyError(`stty cannot make ${ptsName} raw`, "install coreutils");
    rmSync(path, { force: true }); // a link that an earlier run left: checkPtyPaths()
    symlinkSync(ptsName, path);
  } catch (error) {
    closeEnd(end);
    if (error instanceof PtyError) throw error;
    throw noLink(path, error);
  }
  return end;
}

function obtain(open: () => OpenPty): OpenPty {
  try {
    return open();
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new PtyError(`this machine gives no pseudo-terminal (${reason})`, "leave --pty away");
  }
}

function closeEnd({ master, path, device, handle }: PtyEnd): void {
  if (linkTarget(path) === device) rmSync(path);
  master.destroy();
  closeSync(handle);
}

function takenBy(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || linkTarget(path)?.startsWith("/dev/pts/") === true) return undefined;
  if (found.isDirectory()) return "a folder";
  return found.isSymbolicLink() ? "a link to something else" : "a file";
}

// Where a link leads, undefined: there is no link.
function linkTarget(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
}
