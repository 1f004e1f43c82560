// SPDX-License-Identifier: MIT
// Runs the AssemblyScript compiler and turns its complaints into lines to act on.
//
// A complaint names the user's own file, line and column. Flags stand in asconfig.json only. The compiler is loaded when something is to be compiled, not before:
// it costs a second. It runs in a thread of its own, since it answers nothing while it works.

import { show, showExcerpt } from "./node.ts";
import { createSourceTree, LOOP_ENTRY, type SourceTree, type TreeParts } from "./sources.ts";

export type Compiled = { ok: true; wasm: Uint8Array } | { ok: false; errors: string[] };

interface Complaint {
  message: string;
  code: number;
  category: number;
  range: { start: number; end: number; source: { normalizedPath: string } } | null;
}

const CATEGORY_ERROR = 3; // pedantic 0, info 1, warning 2
const OUT_FILE = "out.wasm";
const ERRORS_SHOWN_MAX = 20; // one slip can make hundreds; the first ones tell

export interface CompileInput {
  parts: TreeParts;
  entry: string;
}

/** What the thread does. */
export function work({ parts, entry }: CompileInput): Promise<Compiled> {
  return compile(createSourceTree(parts), entry);
}

/** Compiles `entry` of the tree as asconfig.json's release target says. */
export async function compile(tree: SourceTree, entry: string): Promise<Compiled> {
  const { main } = await import("assemblyscript/asc");
  let wasm: Uint8Array | undefined;
  const complaints: Complaint[] = [];
  const silent = { write: () => true };
  const { error } = await main([entry, "--outFile", OUT_FILE, "--target", "release"], {
    stdout: silent,
    stderr: silent,
    readFile: (path: string) => tree.read(path),
    writeFile: (_path: string, content: Uint8Array | string) => {
      if (typeof content !== "string") wasm = new Uint8Array(content);
    },
    listFiles: () => null,
    reportDiagnostic: (complaint: Complaint) => void complaints.push(complaint),
  });
  const errors = complaints.filter((c) => c.category === CATEGORY_ERROR);
  if (wasm !== undefined && error === null && errors.length === 0) return { ok: true, wasm };
  const all = [...new Set(errors.map((c) => describe(c, tree)))];
  const lines = all.slice(0, ERRORS_SHOWN_MAX);
  if (all.length > lines.length) lines.push(`and ${all.length - lines.length} more`);
  return { ok: false, errors: lines.length > 0 ? lines : [error?.message ?? "no module came out"] };
}

function describe(complaint: Complaint, tree: SourceTree): string {
  const { range, code } = complaint;
  const message = complaint.message
    .replaceAll("~lib/ferrule/", "ferrule/")
    .replaceAll("'node/", "'");
  if (range === null) return `${message} (AS${code})`;
  const path = range.source.normalizedPath;
  const own = tree.realPath("node/loop.ts");
  if (path === LOOP_ENTRY && own !== undefined && message.includes("decide"))
    return `${show(own)}:1:1: it must export function decide(): void`;
  const text = tree.read(path) ?? "";
  const before = text.slice(0, range.start).split("\n");
  const column = before.at(-1)?.length ?? 0;
  const file = tree.realPath(path);
  const where = file === undefined ? `(generated) ${path}` : show(file);
  const excerpt = showExcerpt(text, before.length, column + 1, range.end - range.start);
  return `${where}:${before.length}:${column + 1}: ${message} (AS${code})${excerpt}`;
}
