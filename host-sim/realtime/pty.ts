// SPDX-License-Identifier: MIT
// A serial line whose two ends are ptys, so that outside programs can talk.
//
// Links at the two given paths lead to the ptys; closing takes them away. Octets cross with the character
// time of the line: they are handed on in the millisecond in which they are through, and the tap gets the
// exact time. The ends are raw: no echo, no line discipline. A path that is taken by anything but a link
// to a pty is refused. Each end stays open here, so programs may come and go.

import { spawnSync } from "node:child_process";
import { closeSync, lstatSync, openSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import pty from "@lydell/node-pty";
import type { End, Wire } from "../devices/wire.ts";

export interface PtyLineOptions {
  paths: readonly [string, string];
  wire: Wire;
  nowUs: () => number;
  log: (text: string) => void;
}

export interface PtyLine {
  close(): void;
}

/** A path cannot be used, or there are no ptys here. */
export class PtyError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "PtyError";
  }
}

// What the package has and does not declare: a pty without a program.
interface OpenPty {
  readonly ptsName: string;
  readonly master: Readable & Writable;
  readonly slave: Readable;
}
interface PtyPackage {
  open(options: { encoding: null }): OpenPty;
}

interface PtyEnd {
  readonly master: Readable & Writable;
  readonly path: string;
  readonly device: string; // such as /dev/pts/3
  readonly handle: number; // of the program's side: while it is open the pty lives
}

/** Opens both ends. Throws PtyError. */
export function openPtyLine(options: PtyLineOptions): PtyLine {
  const { paths, wire, nowUs, log } = options;
  if (paths[0] === paths[1]) throw new PtyError("the two ends need two paths");
  paths.forEach(refuseTaken);
  const ends = openEnds(paths);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function pass(): void {
    const reached: [number[], number[]] = [[], []];
    wire.deliver(nowUs(), (to, byte) => reached[to].push(byte));
    ends.forEach(({ master }, i) => {
      const bytes = reached[i as End];
      if (bytes.length > 0) master.write(Buffer.from(bytes));
    });
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    const dueUs = wire.nextDueUs();
    if (closed || dueUs === Infinity) return;
    timer = setTimeout(pass, Math.max(0, Math.ceil((dueUs - nowUs()) / 1000)));
  }

  ends.forEach(({ master, path }, i) => {
    master.on("data", (bytes: Buffer) => {
      wire.say(i as End, bytes, nowUs());
      schedule();
    });
    master.on("error", (error) => {
      if (!closed) log(`${path}: ${error.message}`);
    });
  });
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      ends.forEach(closeEnd);
    },
  };
}

function openEnds(paths: readonly [string, string]): readonly [PtyEnd, PtyEnd] {
  const first = openEnd(paths[0]);
  try {
    return [first, openEnd(paths[1])];
  } catch (error) {
    closeEnd(first);
    throw error;
  }
}

function openEnd(path: string): PtyEnd {
  const { master, slave, ptsName } = (pty as unknown as PtyPackage).open({ encoding: null });
  const handle = openSync(ptsName, "r+");
  slave.destroy(); // it would read what programs are to get
  const raw = spawnSync("stty", ["-F", ptsName, "raw", "-echo"]);
  const end = { master, path, device: ptsName, handle };
  try {
    if (raw.status !== 0) throw new PtyError(`stty cannot make ${ptsName} raw`);
    rmSync(path, { force: true }); // a link that an earlier run left: refuseTaken()
    symlinkSync(ptsName, path);
  } catch (error) {
    closeEnd(end);
    throw error instanceof PtyError ? error : new PtyError(`no link can be made at ${path}`);
  }
  return end;
}

function closeEnd({ master, path, device, handle }: PtyEnd): void {
  if (linkTarget(path) === device) rmSync(path);
  master.destroy();
  closeSync(handle);
}

function refuseTaken(path: string): void {
  const target = linkTarget(path);
  if (target === undefined || target.startsWith("/dev/pts/")) return;
  throw new PtyError(`${path} is taken: give a path where nothing is`);
}

// Where a link leads, "" for anything else that is there, undefined: nothing is there.
function linkTarget(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isSymbolicLink() ? readlinkSync(path) : "";
}
