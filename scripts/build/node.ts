// SPDX-License-Identifier: MIT
// Reads a node folder: its node.json, checked, with every error at once.
//
// NODE is a folder with a node.json, or that file itself. Nothing is written; a Failure says what to mend.

import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import { describeIssues } from "./issues.ts";
import { readJson } from "./json.ts";
import { nodeSchema, type NodeType } from "./schema.ts";

const FILE_BYTES_MAX = 1 << 20; // 250 channels are 100 KB; this keeps a wrong file from being parsed

const EXCERPT_LENGTH_MAX = 200; // a longer line is not written by hand

/** A node folder whose description is sound. */
export interface NodeFolder {
  folder: string; // absolute
  type: NodeType;
  hasLoop: boolean; // there is a loop.ts beside node.json
}

/** Reads and checks the node.json of a folder; throws a Failure that lists all that is wrong. */
export function readNode(path: string): NodeFolder {
  const file = findDescription(path, "node.json");
  const type = readDescription(file, nodeSchema) as NodeType;
  const folder = dirname(file);
  return { folder, type, hasLoop: existsSync(join(folder, "loop.ts")) };
}

/** The JSON Schema that editors use for node.json. */
export function nodeJsonSchema(): string {
  return jsonSchema(nodeSchema, "node.json: what a Ferrule node type is");
}

/** A zod schema of input files as JSON Schema text, as it stands in the repository. */
export function jsonSchema(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

/** The absolute path of a description, given its folder or itself; throws a Failure when it is absent. */
export function findDescription(path: string, name: string): string {
  const full = resolve(path);
  if (!existsSync(full))
    throw new Failure(
      EXIT_NOT_FOUND,
      `there is no folder ${show(full)}`,
      `give a folder that holds a ${name}`,
    );
  if (statSync(full).isFile()) {
    if (basename(full) === name || name === "plant.json") return full;
    throw new Failure(EXIT_NOT_FOUND, `${show(full)} is not a ${name}`, `give the folder of one`);
  }
  const file = join(full, name);
  if (!existsSync(file))
    throw new Failure(
      EXIT_NOT_FOUND,
      `${show(full)} holds no ${name}`,
      `give a folder that does, as ${show(exampleFolder(name))}`,
    );
  return file;
}

/** Reads a JSON file through a schema; throws a Failure that lists all that is wrong with it. */
export function readDescription(file: string, schema: z.ZodType): unknown {
  const name = show(file);
  if (statSync(file).size > FILE_BYTES_MAX)
    throw new Failure(EXIT_FAILED, `${name} is larger than 1 MB`, "give a description, not data");
  const text = readFileSync(file, "utf8");
  const read = readJson(text);
  if (!read.ok) {
    const { line, column, message } = read.error;
    const excerpt = showExcerpt(text, line, column);
    throw new Failure(
      EXIT_FAILED,
      `${name}:${line}:${column}: ${message}${excerpt}`,
      "mend that line",
    );
  }
  const checked = schema.safeParse(read.value);
  if (checked.success) return checked.data;
  const where = { file: name, value: read.value, lines: read.lines, fields: fieldNames(schema) };
  const lines = describeIssues(checked.error.issues, where);
  throw new Failure(
    EXIT_FAILED,
    lines.join("\n"),
    `mend ${lines.length === 1 ? "it" : `these ${lines.length}`} and run the command again`,
  );
}

/** The line of a text with a caret below its column, each on a line of its own; empty for an empty line. */
export function showExcerpt(text: string, line: number, column: number, width = 1): string {
  const shown = (text.split("\n")[line - 1] ?? "").replace(/\r$/, "");
  if (shown.trim() === "" || shown.length > EXCERPT_LENGTH_MAX) return "";
  const before = shown.slice(0, column - 1).replace(/[^\t]/g, " "); // a tab is as wide below
  const marks = "^".repeat(Math.max(1, Math.min(width, shown.length - column + 1)));
  return `\n  ${shown}\n  ${before}${marks}`;
}

/** A path as the reader knows it: relative below the folder in which the command runs, else whole. */
export function show(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}

function exampleFolder(name: string): string {
  const root = resolve(import.meta.dirname, "../..");
  return name === "plant.json" ? join(root, "plants/example") : join(root, "firmware/nodes/oven");
}

function fieldNames(schema: z.ZodType): Set<string> {
  const names = new Set<string>();
  collect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  return names;

  function collect(part: unknown): void {
    if (typeof part !== "object" || part === null) return;
    for (const [key, inner] of Object.entries(part)) {
      if (key === "properties" && typeof inner === "object" && inner !== null)
        for (const name of Object.keys(inner)) names.add(name);
      collect(inner);
    }
  }
}
