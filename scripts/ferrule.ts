// SPDX-License-Identifier: MIT
// The command line: which commands there are, and how every one of them ends.
//
// Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 timed out, 130 interrupted. Data goes to stdout, talk to
// stderr; with --json both results and refusals are JSON. Stack traces only with --debug.

import { Command, CommanderError } from "commander";
import { packageVersion } from "./build/version.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, explain, Failure } from "./cli/failure.ts";
import { allowClosedPipes, paint, printJson, say } from "./cli/terminal.ts";
import { addAot } from "./commands/aot.ts";
import { addBuild } from "./commands/build.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addFlash } from "./commands/flash.ts";
import { addGateway } from "./commands/gateway.ts";
import { addHub } from "./commands/hub.ts";
import { addCompletion } from "./commands/completion.ts";
import { addMonitor } from "./commands/monitor.ts";
import { addNew } from "./commands/new.ts";
import { addSize } from "./commands/size.ts";
import { addSim } from "./commands/sim.ts";
import { addTap } from "./commands/tap.ts";
import { addUp } from "./commands/up.ts";
import { addValidate } from "./commands/validate.ts";

const COMMANDS = [
  ...[addUp, addSim, addNew, addValidate, addBuild, addSize, addFlash, addAot],
  ...[addGateway, addHub, addTap, addMonitor, addDoctor, addCompletion],
];

function createProgram(): Command {
  const program = new Command("ferrule")
    .description("Real-time sensor nodes in TypeScript, from the machine to the page.")
    .version(packageVersion())
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, "ferrule:")) });
  for (const add of COMMANDS) add(program);
  for (const command of program.commands) addCommon(command);
  return program;
}

// A command with commands below it has no options of its own.
function addCommon(command: Command): void {
  command.exitOverride();
  if (command.commands.length > 0) return command.commands.forEach(addCommon);
  command
    .option("--json", "the result as JSON on stdout")
    .option("--debug", "stack traces of what goes wrong inside");
}

async function main(args: string[]): Promise<number> {
  const program = createProgram();
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return EXIT_USAGE;
    }
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? EXIT_OK);
  } catch (error) {
    return refuse(explain(error), args);
  }
}

function refuse(error: unknown, args: readonly string[]): number {
  const json = args.includes("--json");
  if (error instanceof CommanderError) {
    const code = error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (json && code !== EXIT_OK)
      printJson({ error: { code, message: error.message.replace(/^error: /, "") } });
    return code;
  }
  const known = error instanceof Failure;
  const message = known ? error.message : `something went wrong inside: ${String(error)}`;
  const next = known ? error.next : "run it again with --debug and report what it says";
  const code = known ? error.exitCode : EXIT_FAILED;
  if (json) printJson({ error: { code, message, ...(next !== "" && { next }) } });
  say(`${paint("red", "ferrule:")} ${message}`);
  if (next !== "") say(`  ${paint("bold", "next:")} ${next}`);
  if (args.includes("--debug") && error instanceof Error) {
    const { cause } = error;
    say(String(cause instanceof Error ? cause.stack : error.stack));
  }
  return code;
}

allowClosedPipes();
// What is thrown in a timer or a stream ends as all else does, and shows no stack trace.
process.on("uncaughtException", (error) =>
  process.exit(refuse(explain(error), process.argv.slice(2))),
);
const code = await main(process.argv.slice(2));
await new Promise((resolve) => setImmediate(resolve)); // what stdout has to say of its last line
process.exit(code);
