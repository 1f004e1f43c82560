// SPDX-License-Identifier: MIT
// Built modules by the hash of everything that went into them.
//
// Written beside and renamed, so that a reader never sees half a file; an entry that is no module is built anew.
// A project folder that may not be written (an installed package) gives way to the user's cache folder.

import { createHash, randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const ENTRIES_MAX = 200; // about 4 MB: 100 node types of two modules

/** SHA-256 over named texts, each framed by its length so that no two lists share a hash. */
export function hashTexts(texts: Iterable<readonly [string, string]>): string {
  const hash = createHash("sha256");
  for (const [name, text] of texts) hash.update(`${name.length} ${text.length} ${name}${text}`);
  return hash.digest("hex");
}

/** The first folder of project, user's cache and system's temporary one that may be written. */
export function cacheFolder(): string | undefined {
  const user = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const candidates = [
    resolve(import.meta.dirname, "../../build/cache"),
    join(user, "ferrule"),
    join(tmpdir(), `ferrule-cache-${process.getuid?.() ?? "user"}`),
  ];
  return candidates.find(writable);
}

function writable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return process.getuid === undefined || statSync(folder).uid === process.getuid();
  } catch {
    return false;
  }
}

/** The module of a key, or undefined when it is not there or damaged. */
export function takeCached(key: string): Uint8Array | undefined {
  const folder = cacheFolder();
  const file = folder === undefined ? "" : join(folder, `${key}.wasm`);
  if (!existsSync(file)) return undefined;
  const bytes = new Uint8Array(readFileSync(file));
  return WebAssembly.validate(bytes) ? bytes : undefined;
}

/** Keeps a module under a key; a full disk or a missing folder only costs the next build its time. */
export function putCached(key: string, wasm: Uint8Array): void {
  const folder = cacheFolder();
  if (folder === undefined) return;
  try {
    writeWhole(join(folder, `${key}.wasm`), wasm);
    dropOldest(folder, ".wasm", ENTRIES_MAX);
  } catch {
    return; // the module itself is in memory
  }
}

/** Writes a file whole or not at all: beside it first, then renamed. */
export function writeWhole(file: string, content: Uint8Array | string): void {
  const beside = `${file}.${process.pid}-${randomUUID().slice(0, 8)}`;
  try {
    writeFileSync(beside, content);
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/**
 * Makes a folder and those above it, or none; the topmost one made, undefined: it was there. One at a time, since
 * Node.js's own way never ends on a file system that makes no folders, such as /proc.
 */
export function makeFolders(folder: string): string | undefined {
  if (existsSync(folder)) return undefined;
  const parent = dirname(folder);
  const top = parent === folder ? undefined : makeFolders(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (top !== undefined) rmSync(top, { recursive: true });
    throw error;
  }
  return top ?? folder;
}

/** Keeps the newest files of a kind. */
export function dropOldest(folder: string, ending: string, most: number): void {
  const files = readdirSync(folder).filter((name) => name.endsWith(ending));
  if (files.length <= most) return;
  files
    .map((name) => ({ name, mtimeMs: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => a.mtimeMs - b.mtimeMs)
    .slice(0, files.length - most)
    .forEach(({ name }) => rmSync(join(folder, name), { force: true }));
}
