// SPDX-License-Identifier: MIT
// Modules as JavaScript, kept by the hash of what they are made of.
//
// wasm2js and wasm-opt take seconds. The key has the module and the sources of the passes, so that a change of either makes it anew.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { instrument } from "../../boards/js/align.ts";
import { pack } from "../../boards/js/pack.ts";
import { cacheFolder, dropOldest, hashTexts, putCached, takeCached, writeWhole } from "./cache.ts";
import { PROJECT } from "./sources.ts";
import { packageVersion } from "./version.ts";

const ENDING = ".factory.js";
const ENTRIES_MAX = 100; // 5 MB
const PASSES = join(PROJECT, "boards/js");

/** A module as the text of its factory, loop(host) or link(host). Throws what pack() throws. */
export function packCached(name: "loop" | "link", wasm: Uint8Array): string {
  const folder = cacheFolder();
  const file = folder === undefined ? "" : join(folder, `${name}-${keyOf(wasm)}${ENDING}`);
  if (existsSync(file)) return readFileSync(file, "utf8");
  const { code } = pack(name, wasm);
  if (folder !== undefined) keep(folder, file, code);
  return code;
}

/** A module that reports its accesses (boards/js/align.ts). */
export function instrumentCached(wasm: Uint8Array): Uint8Array {
  const key = `watched-${keyOf(wasm)}`;
  const cached = takeCached(key);
  if (cached !== undefined) return cached;
  const made = instrument(wasm);
  putCached(key, made);
  return made;
}

function keyOf(wasm: Uint8Array): string {
  const passes = readdirSync(PASSES).filter((name) => name.endsWith(".ts"));
  const texts = passes
    .sort()
    .map((name) => [name, readFileSync(join(PASSES, name), "utf8")] as const);
  const module = createHash("sha256").update(wasm).digest("hex");
  return hashTexts([["module", module], ["version", packageVersion()], ...texts]).slice(0, 40);
}

// A full disk only costs the next run its time.
function keep(folder: string, file: string, code: string): void {
  try {
    writeWhole(file, code);
    dropOldest(folder, ENDING, ENTRIES_MAX);
  } catch {
    return;
  }
}
