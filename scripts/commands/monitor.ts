// SPDX-License-Identifier: MIT
// `ferrule monitor [NODE|URL]`: what a running plant says, line by line.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { readNode } from "../build/node.ts";
import { EXIT_INTERRUPTED, EXIT_USAGE, Failure } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { paint, print, printJson } from "../cli/terminal.ts";
import { readBroker, readLengthMs } from "../cli/values.ts";
import type { Said } from "../run/monitor.ts";

const HUB_DEFAULT = "http://127.0.0.1:8080";

interface Options {
  node?: string;
  for?: number;
  json?: boolean;
}

export function addMonitor(program: Command): void {
  program
    .command("monitor")
    .description("show each reading and event of a running plant, until Ctrl-C")
    .argument(
      "[NODE|URL]",
      "node id or folder; http:// of a page, mqtt:// of a broker",
      HUB_DEFAULT,
    )
    .option("--node <ID>", "of this node only")
    .option("--for <T>", "ends after 30, 30s, 10m, 1h", readLengthMs)
    .addHelpText("after", "\nExample:\n  ferrule monitor http://127.0.0.1:8081 --node oven-1")
    .action(run);
}

async function run(target: string, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const isUrl = target.includes("://");
  if (isUrl && !/^(http|mqtt):\/\/[^/]/.test(target))
    throw new Failure(EXIT_USAGE, `${target} is no page and no broker`, "give http:// or mqtt://");
  const id = options.node ?? (isUrl ? undefined : idOf(target));
  const url = isUrl ? target.replace(/\/+$/, "") : HUB_DEFAULT;
  const heard = (said: Said): void => {
    if (id !== undefined && said.node !== id) return;
    if (options.json) printJson(said);
    else print(describe(said));
  };
  const { followHub } = await import("../run/monitor.ts");
  const { followBroker } = await import("../run/monitor-broker.ts");
  const limit = options.for === undefined ? [] : [AbortSignal.timeout(options.for)];
  const signal = AbortSignal.any([interruption.signal, ...limit]);
  if (url.startsWith("mqtt:")) await followBroker(readBroker(url), heard, signal);
  else await followHub(url, heard, signal);
  if (interruption.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}

// A node folder that runs by itself has the name of its type for an id.
function idOf(target: string): string {
  return existsSync(join(target, "node.json")) ? readNode(target).type.type : target;
}

function describe({ atMs, node, kind, channel, value, unit, quality, cause, text }: Said): string {
  const terminal = process.stdout.isTTY;
  const time = paint("dim", new Date(atMs).toISOString().slice(11, 23), terminal);
  if (kind === "event") return `${time} ${node ?? "hub"} ${paint("yellow", text ?? "", terminal)}`;
  const good = quality === "good" || quality === null;
  const state = good ? "" : paint("red", ` ${quality}${cause ? ` (${cause})` : ""}`, terminal);
  return `${time} ${node} ${channel} ${value ?? "-"}${unit === null ? "" : ` ${unit}`}${state}`;
}
