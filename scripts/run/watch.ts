// SPDX-License-Identifier: MIT
// Tells when the sources of a folder changed.
//
// Looks instead of being told: that works for editors that rename, on network drives and in containers, and a
// folder that is away for a moment comes back. A change is told once two looks in a row see the same, so that
// a file is not read while it is being written.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const LOOK_MS = 50; // a tenth of what an edit may take
const LOOK_MS_PER_FOLDER = 10; // a hundred node types are looked at each second
const DEPTH_MAX = 8; // as deep as the build looks
const WATCHED = /\.(ts|json|jsonl)$/; // sources, descriptions, recorded lines

/** Watches folders until closed; `changed` gets the names of the files, at most one call at a time. */
export function watchFolders(
  folders: readonly string[],
  changed: (folder: string, files: string[]) => Promise<void>,
): { close(): void } {
  const known = folders.map((folder) => ({ folder, told: marks(folder), seen: "" }));
  let timer: NodeJS.Timeout;
  let open = true;

  async function look(): Promise<void> {
    for (const place of known) {
      const now = marks(place.folder);
      const files = differences(place.told, now);
      const seen = JSON.stringify([...now]);
      const still = seen === place.seen;
      place.seen = seen;
      if (files.length === 0 || !still) continue;
      place.told = now;
      await changed(place.folder, files);
      if (!open) return;
    }
    again();
  }
  function again(): void {
    timer = setTimeout(() => void look(), Math.max(LOOK_MS, folders.length * LOOK_MS_PER_FOLDER));
  }
  again();
  return {
    close() {
      open = false;
      clearTimeout(timer);
    },
  };
}

type Marks = Map<string, string>; // name below the folder -> what changes with the file

function marks(top: string): Marks {
  const found: Marks = new Map();
  collect("", 0);
  return found;

  function collect(below: string, depth: number): void {
    for (const name of list(join(top, below))) {
      const path = join(below, name);
      const at = statSync(join(top, path), { throwIfNoEntry: false });
      if (at?.isDirectory() === true && depth < DEPTH_MAX) collect(path, depth + 1);
      else if (at?.isFile() === true && WATCHED.test(name))
        found.set(path, `${at.mtimeMs} ${at.size} ${at.ino}`);
    }
  }
}

function list(folder: string): string[] {
  try {
    const names = readdirSync(folder);
    return names.filter((name) => !name.startsWith(".") && name !== "node_modules").sort();
  } catch {
    return []; // away for a moment, or not ours to read
  }
}

function differences(before: Marks, after: Marks): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}
