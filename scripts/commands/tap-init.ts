// SPDX-License-Identifier: MIT
// `ferrule tap init SOURCE`: a node.json of what a line says.

import type { Command } from "commander";
import { show } from "../build/node.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { quote } from "../cli/quote.ts";
import { lineOf, withProtocol } from "../cli/tap-line.ts";
import { paint, print, printJson, say } from "../cli/terminal.ts";
import { readLengthMs } from "../cli/values.ts";
import type { Wanted } from "../tap/known.ts";
import { requireFree, writeProposal } from "../tap/propose.ts";
import { hear } from "../tap/session.ts";

interface Options extends Wanted {
  out: string;
  for: number;
  force?: boolean;
  json?: boolean;
}

export function addTapInit(tap: Command): void {
  const command = tap
    .command("init")
    .description("write the node.json of what a line says")
    .argument("<SOURCE>", "serial port, pty or capture file, - for stdin")
    .option("--out <DIR>", "folder that it goes to", "tap")
    .option("--for <T>", "of a port: how long it is heard", readLengthMs, 60_000)
    .option("--force", "writes over a node.json that is there");
  withProtocol(command)
    .addHelpText("after", "\nExample:\n  ferrule tap init line.jsonl --out my-meter")
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const { protocol, out: folder, json, force = false } = options;
  requireFree(folder, force);
  const signal = AbortSignal.any([watchInterruption().signal, AbortSignal.timeout(options.for)]);
  const heard = await hear(name, { ...lineOf(options), protocol }, signal);
  const { file, node, channels, still, left } = writeProposal(heard, folder);
  if (json) return printJson({ file, channels, left, node });
  print(`${show(file)}: ${channels} channels, ${heard.line.baud} ${heard.line.format}`);
  if (still) say("no register changed: all that were read are in it; listen for longer");
  if (left > 0)
    say(`${left} more found no place: a node has 250 channels, a tap of lines 8 patterns`);
  say(`  ${paint("bold", "next:")} ferrule validate ${quote(folder)}`);
}
