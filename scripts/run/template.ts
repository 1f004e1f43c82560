// SPDX-License-Identifier: MIT
// Makes a node folder from an example node, which is the template itself.
//
// A folder that holds anything but .git is refused. All of it is made, or nothing.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { EDITOR_SCHEMA, editorFiles } from "../build/editor.ts";
import { readNode, show } from "../build/node.ts";
import { PROJECT } from "../build/sources.ts";
import { closest } from "../cli/closest.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import { writeTogether } from "./together.ts";

export const TEMPLATE_DEFAULT = "oven"; // a value that moves, with code to change
const CHANNELS_SHOWN = 4; // what fits into a line
const TRACE_NAME = "line.jsonl";
const TYPE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/; // as node.json's `type`

export interface Template {
  name: string;
  folder: string;
  text: string; // one line
}

/** The example nodes and what is only a template, the default first. */
export function listTemplates(): Template[] {
  const isDefault = (folder: string): number => Number(basename(folder) === TEMPLATE_DEFAULT);
  const folders = ["firmware/nodes", "templates"].flatMap((place) => {
    const top = join(PROJECT, place);
    const names = readdirSync(top).filter((name) => existsSync(join(top, name, "node.json")));
    return names.sort().map((name) => join(top, name));
  });
  folders.sort((a, b) => isDefault(b) - isDefault(a));
  return folders.map((folder) => {
    const { type, hasLoop } = readNode(folder);
    const names = Object.keys(type.channels);
    const more = names.length > CHANNELS_SHOWN ? ` and ${names.length - CHANNELS_SHOWN} more` : "";
    const channels = names.slice(0, CHANNELS_SHOWN).join(", ");
    const text = `${channels}${more}; ${hasLoop ? "with a loop.ts" : "no code"}`;
    return { name: basename(folder), folder, text };
  });
}

/** Makes the folder; the files in it. Throws a Failure when it cannot be there. */
export function makeNode(path: string, wanted: string): string[] {
  const folder = resolve(path);
  const template = findTemplate(wanted);
  refuseTaken(folder);
  const files = filesOf(template, basename(folder));
  writeTogether(folder, files);
  return Object.keys(files);
}

function findTemplate(wanted: string): Template {
  const all = listTemplates();
  const found = all.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = all.map(({ name }) => name);
  const near = closest(wanted, names);
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  throw new Failure(
    EXIT_NOT_FOUND,
    `there is no template ${wanted}${meant}`,
    `choose one of ${names.join(", ")}`,
  );
}

function refuseTaken(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory())
    throw new Failure(EXIT_FAILED, `${show(folder)} is a file`, "give the name of a new folder");
  const [first] = readdirSync(folder).filter((name) => name !== ".git");
  if (first === undefined) return;
  throw new Failure(
    EXIT_FAILED,
    `${show(folder)} is not empty: it holds ${first}`,
    "give the name of a new folder, or empty this one",
  );
}

// The example as it lies, but for its name, its schema and its recording, which comes along.
function filesOf({ name, folder }: Template, wanted: string): Record<string, string> {
  const { type } = readNode(folder);
  const typeName = TYPE_NAME.test(wanted) ? wanted : name;
  let description = readFileSync(join(folder, "node.json"), "utf8")
    .replace(/"\$schema": "[^"]*"/, `"$schema": "${EDITOR_SCHEMA}"`)
    .replace(`"type": "${name}"`, `"type": "${typeName}"`);
  const files: Record<string, string> = {};
  if (type.simulate?.machine === "replay") {
    const { trace } = type.simulate;
    files[TRACE_NAME] = readFileSync(resolve(folder, trace), "utf8");
    description = description.replace(JSON.stringify(trace), JSON.stringify(TRACE_NAME));
  }
  const sources = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  for (const file of sources) files[file] = readFileSync(join(folder, file), "utf8");
  return {
    "node.json": description,
    ...files,
    "README.md": readme(typeName, sources.length > 0),
    ".gitignore": "/out/\n",
    ...editorFiles(type),
  };
}

function readme(type: string, hasLoop: boolean): string {
  const code = hasLoop ? ", `loop.ts` is its code" : "";
  return `# ${type}

A node type for Ferrule: \`node.json\` says what it is${code}.
Editors complete and check both with \`.ferrule/\`.

\`\`\`sh
ferrule up . --watch       # runs it with a page; what is saved runs at once
ferrule sim . --for 10m    # ten minutes in virtual time
ferrule validate .         # checks node.json
ferrule build . --out out  # out/loop.wasm and out/link.wasm
\`\`\`
`;
}
