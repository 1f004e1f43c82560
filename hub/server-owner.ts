// SPDX-License-Identifier: MIT
// One living process owns a history file; what a dead one left is cleared away.
//
// Beside the file lies FILE.owner with the process id and, where the system tells it, when that process
// started: ids are used again. The database's own FILE.lock/ stays after a kill and is removed then.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

export interface Ownership {
  release(): void;
}

/** Takes the file; throws one sentence when a living process has it. */
export function takeOwnership(path: string): Ownership {
  const full = resolve(path);
  const ownerPath = `${full}.owner`;
  const mine = `${process.pid} ${startOf(process.pid)}`;
  // Twice: the first try may find what a dead owner left.
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(ownerPath, mine, { flag: "wx", mode: 0o600 });
      rmSync(`${full}.lock`, { recursive: true, force: true });
      HELD.add(full);
      return { release: () => release(full, ownerPath) };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOSPC") rmSync(ownerPath, { force: true }); // made, and nothing in it
      if (code !== "EEXIST") throw error;
      const owner = readOwner(ownerPath);
      if (owner !== null && isAlive(owner, full))
        throw new Error(`history ${path} is in use by process ${owner.pid}: stop that hub first`, {
          cause: error,
        });
      rmSync(ownerPath, { force: true });
    }
  }
  throw new Error(`history ${path} is being taken by another process: try again`);
}

interface Owner {
  pid: number;
  start: string;
}

const HELD = new Set<string>(); // of this process

function release(full: string, ownerPath: string): void {
  HELD.delete(full);
  rmSync(`${full}.lock`, { recursive: true, force: true });
  rmSync(ownerPath, { force: true });
}

function readOwner(ownerPath: string): Owner | null {
  try {
    const [pid = "", start = ""] = readFileSync(ownerPath, "utf8").split(" ");
    return /^[0-9]{1,10}$/.test(pid) ? { pid: Number(pid), start } : null;
  } catch {
    return null; // gone in the meantime
  }
}

/** An owner with this process's own id is a dead one of an earlier container, unless it is held here. */
function isAlive({ pid, start }: Owner, full: string): boolean {
  if (pid === process.pid) return HELD.has(full);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = startOf(pid);
  return now !== DEAD && (now === "" || start === "" || now === start);
}

const DEAD = "dead"; // but its parent has not asked for it yet

/** When a process started, in ticks since the system did; "": the system does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, field 2, may hold blanks and brackets; the start is field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? DEAD : (fields[19] ?? "");
  } catch {
    return "";
  }
}
