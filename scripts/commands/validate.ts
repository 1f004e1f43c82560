// SPDX-License-Identifier: MIT
// `ferrule validate [NODE...]`: checks node.json and plant.json without building.

import type { Command } from "commander";
import { listDescriptions, validateFolder } from "../build/validate.ts";
import { EXIT_USAGE, Failure } from "../cli/failure.ts";
import { paint, print, printJson, say } from "../cli/terminal.ts";

interface Options {
  all?: boolean;
  schema?: string;
  json?: boolean;
}

export function addValidate(program: Command): void {
  program
    .command("validate")
    .description("check node.json and plant.json, without building")
    .argument("[NODE...]", "folders with a node.json or a plant.json")
    .option("--all", "every node.json and plant.json below this folder")
    .option("--schema <KIND>", "print the JSON Schema for editors: node or plant")
    .addHelpText("after", "\nExample:\n  ferrule validate --all")
    .action(run);
}

async function run(folders: string[], options: Options): Promise<void> {
  if (options.schema !== undefined) return printSchema(options.schema);
  const wanted = options.all ? [...folders, ...listDescriptions(process.cwd())] : folders;
  if (wanted.length === 0)
    throw new Failure(
      EXIT_USAGE,
      options.all ? "there is no node.json below this folder" : "which node?",
      "give folders, as ferrule validate firmware/nodes/oven, or --all",
    );
  const results = wanted.map((folder) => validateFolder(folder));
  const bad = results.filter((result) => !result.ok);
  if (options.json) printJson({ ok: bad.length === 0, checked: results });
  else for (const { ok, name, text } of results) if (ok) print(`ok       ${name}  ${text}`);
  for (const { name, text } of bad) say(`${paint("red", "refused")}  ${name}\n${text}`);
  const code = bad.find((result) => !result.ok)?.code;
  if (code !== undefined) process.exitCode = code;
}

async function printSchema(kind: string): Promise<void> {
  const { nodeJsonSchema } = await import("../build/node.ts");
  const { plantJsonSchema } = await import("../build/plant.ts");
  const schema = { node: nodeJsonSchema, plant: plantJsonSchema }[kind];
  if (schema === undefined)
    throw new Failure(EXIT_USAGE, `there is no schema "${kind}"`, "give node or plant");
  process.stdout.write(schema());
}
