// SPDX-License-Identifier: MIT
// The sources of one module as asc sees them, in one tree.
//
//   firmware/...             the project's own, firmware/generated/*.ts replaced by what the node needs
//   node/...                 the user's folder, wherever it lies; node/loop-entry.ts is generated
//   node_modules/ferrule/    what `ferrule/loop` and `ferrule/node` mean in a user's file
//
// Files are read once and kept; all that was read makes the cache key. Nothing is written.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, normalize, resolve, sep } from "node:path";

export const PROJECT = resolve(import.meta.dirname, "../..");
export const LOOP_ENTRY = "node/loop-entry.ts";
export const LINK_ENTRY = "firmware/link/index.ts";

const PUBLIC_LOOP = 'export * from "../../firmware/loop/index";\n';
const NO_LOOP = "export function decide(): void {}\n"; // a node without code

/** A tree of sources; paths use "/" and are relative to its root. */
export interface SourceTree {
  read(path: string): string | null;
  realPath(path: string): string | undefined; // the file a person can open
  texts(): [string, string][]; // everything that may go into the module
}

export interface TreeParts {
  folder: string | undefined; // the user's, absolute; link has none
  overlay: Record<string, string>; // generated files
}

/** Builds the tree of a node folder; `overlay` lies over the files on the disk. */
export function createSourceTree(parts: TreeParts): SourceTree {
  const overlay: Record<string, string> = {
    "node_modules/ferrule/loop.ts": PUBLIC_LOOP,
    ...parts.overlay,
  };
  const { folder } = parts;
  if (folder !== undefined && !existsSync(join(folder, "loop.ts")))
    overlay["node/loop.ts"] = NO_LOOP;

  const realPath = (path: string): string | undefined => {
    const clean = normalize(path).split(sep).join("/");
    if (Object.hasOwn(overlay, clean) || clean.startsWith("..")) return undefined;
    if (clean.startsWith("node/")) return folder && join(folder, clean.slice("node/".length));
    const ours = clean.startsWith("firmware/") || clean === "asconfig.json";
    return ours ? join(PROJECT, clean) : undefined;
  };
  const read = (path: string): string | null => {
    const clean = normalize(path).split(sep).join("/");
    if (Object.hasOwn(overlay, clean)) return overlay[clean] ?? null;
    const file = realPath(clean);
    return file !== undefined && existsSync(file) ? readFileSync(file, "utf8") : null;
  };
  const texts = (): [string, string][] => {
    const names = [
      "asconfig.json",
      ...listSources(join(PROJECT, "firmware"), "firmware", ["nodes", "generated"]),
      ...(folder === undefined ? [] : listSources(folder, "node", ["node_modules"])),
      ...Object.keys(overlay),
    ];
    return [...new Set(names)].sort().map((name) => [name, read(name) ?? ""]);
  };
  return { read, realPath, texts };
}

const DEPTH_MAX = 8; // a node's folder is one or two deep

function listSources(folder: string, prefix: string, without: string[], depth = 0): string[] {
  if (depth > DEPTH_MAX || !existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || without.includes(entry.name)) return [];
    const name = `${prefix}/${entry.name}`;
    if (entry.isDirectory()) return listSources(join(folder, entry.name), name, [], depth + 1);
    return entry.name.endsWith(".ts") ? [name] : [];
  });
}
