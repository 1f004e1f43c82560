// SPDX-License-Identifier: MIT
// Completion for bash, zsh and fish, made from the table of commands.
//
// Words alone: commands, options, choices of both; everything else is completed as a file. Names are [a-z-], so nothing
// needs quoting but descriptions.

import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Entry {
  name: string;
  text: string;
  options: { flag: string; text: string; takesValue: boolean; choices: readonly string[] }[];
  choices: readonly string[]; // of its first argument
}

/** The script that a shell evaluates. */
export function completionScript(program: Command, shell: Shell): string {
  const entries = program.commands.map(toEntry);
  return { bash, zsh, fish }[shell](entries);
}

function toEntry(command: Command): Entry {
  const [first] = command.registeredArguments;
  const below = command.commands;
  const options = [...command.options, ...below.flatMap((each) => each.options)];
  const once = new Map(options.map((option) => [option.long, option]));
  return {
    name: command.name(),
    text: command.description(),
    options: [...once.values()].map(({ long, description, required, optional, argChoices }) => ({
      flag: long ?? "",
      text: description,
      takesValue: required || optional,
      choices: argChoices ?? [],
    })),
    choices: below.length > 0 ? below.map((each) => each.name()) : (first?.argChoices ?? []),
  };
}

function bash(entries: readonly Entry[]): string {
  const cases = entries.map(({ name, options, choices }) => {
    const words = [...options.map(({ flag }) => flag), "--help"].join(" ");
    return `    ${name}) words="${words}"; choices="${choices.join(" ")}" ;;`;
  });
  const values = entries.flatMap(({ name, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ flag, choices }) => `    "${name} ${flag}") values="${choices.join(" ")}" ;;`),
  );
  const names = entries.map(({ name }) => name).join(" ");
  return `# Completion of ferrule for bash: eval "$(ferrule completion bash)"
_ferrule() {
  local here="\${COMP_WORDS[COMP_CWORD]}" words="" choices="" values=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} --help --version" -- "$here"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join("\n")}
  esac
  if [ -n "$values" ]; then COMPREPLY=($(compgen -W "$values" -- "$here"))
  elif [[ "$here" == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$here"))
  elif [ -n "$choices" ]; then COMPREPLY=($(compgen -W "$choices" -- "$here"))
  fi
}
complete -o default -F _ferrule ferrule
`;
}

function zsh(entries: readonly Entry[]): string {
  const commands = entries.map(({ name, text }) => `    ${single(`${name}:${text}`)}`);
  const cases = entries.map(({ name, options, choices }) => {
    const flags = options.map(({ flag, text, takesValue, choices: values }) => {
      const value = values.length > 0 ? `: :(${values.join(" ")})` : takesValue ? ": :_files" : "";
      return single(`${flag}[${text.replace(/[[\]:]/g, " ")}]${value}`);
    });
    const rest = choices.length > 0 ? `*: :(${choices.join(" ")})` : "*: :_files";
    return `    ${name}) _arguments ${[...flags, single(rest)].join(" ")} ;;`;
  });
  return `#compdef ferrule
# Completion of ferrule for zsh: eval "$(ferrule completion zsh)"
_ferrule() {
  local -a commands=(
${commands.join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command="\${words[2]}"
  shift words; (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
compdef _ferrule ferrule
`;
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ name, text, options, choices }) => {
    const within = `-n "__fish_seen_subcommand_from ${name}"`;
    return [
      `complete -c ferrule -n __fish_use_subcommand -f -a ${name} -d ${single(text)}`,
      ...options.map(({ flag, text: what, takesValue, choices: values }) => {
        const list = values.length > 0 ? ` -x -a ${single(values.join(" "))}` : " -r";
        const value = takesValue ? list : "";
        return `complete -c ferrule ${within} -l ${flag.slice(2)}${value} -d ${single(what)}`;
      }),
      ...(choices.length === 0
        ? []
        : [`complete -c ferrule ${within} -f -a ${single(choices.join(" "))}`]),
    ];
  });
  const head = "# Completion of ferrule for fish: ferrule completion fish | source";
  return `${[head, ...lines].join("\n")}\n`;
}

function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
