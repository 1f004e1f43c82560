// SPDX-License-Identifier: MIT
// What an editor needs to know of a node folder: schema, types, names.
//
// All of it stands in the folder's own .ferrule/, so that it works on any machine without this package beside it.
// Declarations are taken from the sources of loop, comments included; node.d.ts follows node.json.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { writeWhole } from "./cache.ts";
import { generateLoop } from "./generate-loop.ts";
import { nodeJsonSchema } from "./node.ts";
import type { NodeType } from "./schema.ts";
import { PROJECT } from "./sources.ts";

export const EDITOR_FOLDER = ".ferrule";
export const EDITOR_SCHEMA = `./${EDITOR_FOLDER}/node.schema.json`;
const ENTRY_PART = "// ---- For the generated entry"; // what follows is no business of node code
const HEAD = "// Generated; do not edit.\n\n";

/** Files of a node folder by name: .ferrule/ and tsconfig.json. */
export function editorFiles(type: NodeType): Record<string, string> {
  const types = createRequire(import.meta.url).resolve("assemblyscript/std/assembly/index.d.ts");
  return {
    [`${EDITOR_FOLDER}/node.schema.json`]: nodeJsonSchema(),
    [`${EDITOR_FOLDER}/assembly.d.ts`]: readFileSync(types, "utf8"),
    [`${EDITOR_FOLDER}/loop.d.ts`]: loopDeclarations(),
    [`${EDITOR_FOLDER}/node.d.ts`]: nodeDeclarations(type),
    "tsconfig.json": `${JSON.stringify(TSCONFIG, null, 2)}\n`,
  };
}

/** Writes the names of a changed node.json where `ferrule new` made the folder; true when they changed. */
export function refreshNames(folder: string, type: NodeType): boolean {
  const file = join(folder, EDITOR_FOLDER, "node.d.ts");
  const text = nodeDeclarations(type);
  if (!existsSync(file) || readFileSync(file, "utf8") === text) return false;
  try {
    writeWhole(file, text);
    return true;
  } catch {
    return false; // a folder that may not be written builds all the same
  }
}

const TSCONFIG = {
  compilerOptions: {
    target: "esnext",
    module: "esnext",
    moduleResolution: "bundler",
    noLib: true,
    types: [],
    strict: true,
    noEmit: true,
    paths: {
      "ferrule/loop": [`./${EDITOR_FOLDER}/loop.d.ts`],
      "ferrule/node": [`./${EDITOR_FOLDER}/node.d.ts`],
    },
  },
  include: ["**/*.ts", `${EDITOR_FOLDER}/*.d.ts`],
};

function nodeDeclarations(type: NodeType): string {
  const names = [...generateLoop(type).names.matchAll(/export const (\w+): (\w+)/g)];
  return HEAD + names.map(([, name, kind]) => `export declare const ${name}: ${kind};\n`).join("");
}

/** The public surface of ferrule/loop: index.ts, and what it passes on of its neighbours. */
export function loopDeclarations(): string {
  const read = (name: string): string =>
    readFileSync(join(PROJECT, "firmware/loop", `${name}.ts`), "utf8").replaceAll("\r\n", "\n");
  const index = read("index").split(ENTRY_PART)[0] ?? "";
  const passed = [...index.matchAll(/^export \{ ([^}]+) \} from "\.\/([\w/-]+)";$/gm)];
  const functions = [
    ...declarations(index),
    ...passed.flatMap(([, names = "", file = ""]) => {
      const wanted = new Set(names.split(", "));
      return declarations(read(file)).filter(({ name }) => wanted.has(name));
    }),
  ];
  const made = functions.map(({ type }) => type).filter((type) => /^[A-Z]/.test(type));
  const classes = [...new Set(made)].map((type) =>
    type === "Sequence"
      ? "/** Timed steps. */\nexport declare class Sequence {\n  readonly step: i32;\n}\n"
      : `/** Made once, at the top level of loop.ts. */\nexport declare class ${type} {\n` +
        `  private readonly kind: "${type}";\n}\n`,
  );
  return HEAD + [...classes, ...functions.map(({ text }) => text)].join("\n");
}

interface Declaration {
  name: string;
  type: string; // what it returns
  text: string;
}

function declarations(source: string): Declaration[] {
  const pattern = /(\/\*\*(?:(?!\*\/)[^])*\*\/)\nexport function (\w+)\(([^)]*)\): (\w+) \{/g;
  return [...source.matchAll(pattern)].map(([, comment, name = "", parameters, type = ""]) => ({
    name,
    type,
    text: `${comment}\nexport declare function ${name}(${parameters}): ${type};\n`,
  }));
}
