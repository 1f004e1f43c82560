// SPDX-License-Identifier: MIT
// Checks descriptions without building and says in a line what they hold.

import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { EXIT_OK, Failure } from "../cli/failure.ts";
import { readNode, show } from "./node.ts";
import { readPlant } from "./plant.ts";

export interface Validated {
  ok: boolean;
  code: number; // the exit code it asks for
  name: string;
  text: string; // what it holds, or everything that is wrong with it
}

const DEPTH_MAX = 8;
const FOLDERS_NEVER = new Set(["node_modules", "build", ".git"]);

/** Folders below `top` that hold a node.json or a plant.json, in order of name. */
export function listDescriptions(top: string, depth = 0): string[] {
  if (depth > DEPTH_MAX) return [];
  const here = ["node.json", "plant.json"].some((name) => existsSync(join(top, name)));
  const below = readdirSync(top, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !FOLDERS_NEVER.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => listDescriptions(join(top, entry.name), depth + 1));
  return here ? [top, ...below] : below;
}

/** Checks the description of a folder; a plant is checked with all its node types. */
export function validateFolder(folder: string): Validated {
  const name = show(folder);
  try {
    const text = existsSync(join(folder, "plant.json")) ? checkPlant(folder) : checkNode(folder);
    return { ok: true, code: EXIT_OK, name, text };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ok: false, code: error.exitCode, name, text: error.message };
  }
}

function checkNode(folder: string): string {
  const { type } = readNode(folder);
  const counts = [
    `${Object.keys(type.channels).length} channels`,
    `${Object.keys(type.outputs).length} outputs`,
    `${Object.keys(type.taps).length} taps`,
  ];
  return `node type ${type.type}: ${counts.join(", ")}`;
}

function checkPlant(folder: string): string {
  const plant = readPlant(folder);
  const types = new Set(
    plant.type.nodes.map(({ node }) => relative(".", join(plant.folder, node))),
  );
  for (const type of types) readNode(type);
  return `plant ${plant.type.site}: ${plant.type.nodes.length} nodes of ${types.size} types`;
}
