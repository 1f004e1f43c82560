// SPDX-License-Identifier: MIT
// A small file system of its own, that can be full or read-only.

import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Disk {
  folder: string;
  /** Leaves so many octets free. */
  fill(freeBytes: number): void;
  makeReadOnly(): void;
  /** Names of all that lies on it, but for what fills it. */
  names(): string[];
  remove(): void;
}

const DISK_BYTES = 1 << 20;
const FILLER = "filler";

/** Mounts a disk of 1 MiB in memory; undefined: this process may not. */
export function makeDisk(): Disk | undefined {
  const top = mkdtempSync(join(tmpdir(), "ferrule-disk-"));
  const folder = join(top, "disk ü");
  mkdirSync(folder);
  const size = `size=${DISK_BYTES}`;
  const mounted = mount("-t", "tmpfs", "-o", size, "tmpfs", folder);
  if (!mounted) rmSync(top, { recursive: true });
  return mounted ? { folder, fill, makeReadOnly, names, remove } : undefined;

  function fill(freeBytes: number): void {
    const handle = openSync(join(folder, FILLER), "w");
    writeSync(handle, Buffer.alloc(DISK_BYTES - freeBytes));
    closeSync(handle);
  }
  function makeReadOnly(): void {
    if (!mount("-o", "remount,ro", folder)) throw new Error("cannot be remounted");
  }
  function names(): string[] {
    const all = readdirSync(folder, { recursive: true, encoding: "utf8" });
    return all.filter((name) => name !== FILLER).sort();
  }
  function remove(): void {
    spawnSync("umount", [folder]);
    rmSync(top, { recursive: true });
  }
}

function mount(...args: string[]): boolean {
  return spawnSync("mount", args, { stdio: "ignore" }).status === 0;
}
