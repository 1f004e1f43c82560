// SPDX-License-Identifier: MIT
// `ferrule new DIR`: a node folder from a template.

import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { show } from "../build/node.ts";
import { EXIT_INTERRUPTED, Failure } from "../cli/failure.ts";
import { quote } from "../cli/quote.ts";
import { paint, print, printJson, say } from "../cli/terminal.ts";
import { listTemplates, makeNode, TEMPLATE_DEFAULT } from "../run/template.ts";

interface Options {
  template?: string;
  json?: boolean;
}

export function addNew(program: Command): void {
  program
    .command("new")
    .description("make a node folder from a template, anywhere")
    .argument("<DIR>", "folder to make; one that is there must be empty")
    .option("--template <NAME>", "an example node, or blank (asked at a terminal, else oven)")
    .addHelpText("after", "\nExample:\n  ferrule new my-oven --template oven")
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const asks = process.stdin.isTTY && process.stderr.isTTY && options.json !== true;
  const template = options.template ?? (asks ? await ask() : TEMPLATE_DEFAULT);
  const files = makeNode(folder, template);
  const next = `ferrule up ${quote(folder)} --watch`;
  if (options.json) return printJson({ folder, template, files, next });
  print(`made ${show(folder)} from ${template}: ${files.filter(isOwn).join(", ")}`);
  say(`  ${paint("bold", "next:")} ${next}`);
}

// What a person edits; the rest is for the editor.
function isOwn(file: string): boolean {
  return !file.startsWith(".");
}

async function ask(): Promise<string> {
  const templates = listTemplates();
  for (const { name, text } of templates) say(`  ${name.padEnd(8)} ${paint("dim", text)}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<never>((_, reject) =>
    terminal.once("close", () => {
      say(""); // ends the line of the question
      reject(new Failure(EXIT_INTERRUPTED, "interrupted"));
    }),
  );
  const answer = terminal.question(`which template? [${TEMPLATE_DEFAULT}] `);
  const name = await Promise.race([answer, closed]);
  closed.catch(() => undefined);
  terminal.removeAllListeners("close");
  terminal.close();
  return name.trim() || TEMPLATE_DEFAULT;
}
