// SPDX-License-Identifier: MIT
// `ferrule completion SHELL`: what a shell loads to complete commands and options.

import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../cli/completion.ts";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print what a shell loads to complete commands, options and folders")
    .addArgument(new Argument("<SHELL>", "which shell").choices(SHELLS))
    .addHelpText(
      "after",
      '\nExample:\n  ferrule completion bash   # eval "$(ferrule completion bash)"',
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScript(program, shell));
    });
}
