// SPDX-License-Identifier: MIT
// Rules about a file's name and its lines: T1, T3, T4, T7, T14.

import ts from "typescript";
import { isTest, type Problem, type Rule, type TidyFile } from "./file.ts";

const LINES_MAX = 400;
const TEST_LINES_MAX = 600;
const COMMAND_LINES_MAX = 60;
const COLUMNS_MAX = 100;
const TAGLINE_MAX = 80;
const CODE = /\.(ts|tsx|js|mjs|c|h)$/;
const NAMES_REFUSED = /^(utils?|misc|managers?|common|data|tmp)(\.|$)/i;

/** T1: a file is short enough to be read; a command reads options and calls a part. */
export const fileLength: Rule = ({ path, lines }) => {
  const command = path.startsWith("scripts/commands/");
  const max = isTest(path) ? TEST_LINES_MAX : command ? COMMAND_LINES_MAX : LINES_MAX;
  const count = lines.length - 1;
  if (!CODE.test(path) || count <= max) return [];
  return [
    { path, line: max + 1, rule: "T1", text: `${count} lines, at most ${max}: split it by idea` },
  ];
};

/** T3: columns of code, tabs, line ends, final newline. */
export const lineShape: Rule = (file) => {
  const { path, text, lines } = file;
  const found: Problem[] = [];
  const say = (line: number, what: string): void => {
    found.push({ path, line, rule: "T3", text: what });
  };
  if (text !== "" && !text.endsWith("\n")) say(lines.length, "the last line has no end: add it");
  lines.forEach((line, index) => {
    if (line.endsWith("\r")) say(index + 1, "Windows line end: save it with LF");
    if (line.includes("\t") && !/(^|\/)Makefile$/.test(path)) say(index + 1, "tab: use 2 spaces");
    if (/[ \t]\r?$/.test(line) && CODE.test(path)) say(index + 1, "space at the end of the line");
  });
  for (const [index, columns] of codeColumns(file).entries())
    if (columns > COLUMNS_MAX)
      say(index + 1, `code up to column ${columns}, at most ${COLUMNS_MAX}: break it`);
  return found;
};

// Columns of each line without comments: a comment beside code may be longer than the code.
function codeColumns({ path, text, lines, source }: TidyFile): number[] {
  if (!CODE.test(path)) return [];
  if (source === undefined) return lines.map((line) => line.replace(/\s*\/\/.*$/, "").length);
  const columns = lines.map(() => 0);
  const scanToken = (node: ts.Node): void => {
    if (node.getChildCount(source) > 0) {
      node.getChildren(source).forEach(scanToken);
      return;
    }
    const start = node.getStart(source);
    if (node.end <= start || node.kind > ts.SyntaxKind.LastToken) return;
    const first = source.getLineAndCharacterOfPosition(start).line;
    text
      .slice(start, node.end)
      .split("\n")
      .forEach((part, offset) => {
        const before = offset === 0 ? source.getLineAndCharacterOfPosition(start).character : 0;
        const line = first + offset;
        columns[line] = Math.max(columns[line] ?? 0, before + part.length);
      });
  };
  scanToken(source);
  return columns;
}

/** T4: the first lines say what the file is. */
export const head: Rule = ({ path, lines }) => {
  if (!CODE.test(path)) return [];
  const first = lines[0]?.startsWith("#!") ? 1 : 0;
  const tagline = lines[first + 1] ?? "";
  const words = tagline.replace(/^\/\/ /, "");
  const problem = (line: number, text: string): Problem[] => [{ path, line, rule: "T4", text }];
  if (lines[first] !== "// SPDX-License-Identifier: MIT")
    return problem(first + 1, 'the file opens with "// SPDX-License-Identifier: MIT"');
  if (!tagline.startsWith("// ") || !words.endsWith("."))
    return problem(first + 2, "then one line that says what the file is, with a full stop");
  if (words.length > TAGLINE_MAX)
    return problem(first + 2, `the tagline has ${words.length} characters, at most ${TAGLINE_MAX}`);
  return [];
};

/** T7: no name that collects unrelated code. */
export const names: Rule = ({ path }) => {
  const bad = path.split("/").find((part) => NAMES_REFUSED.test(part));
  if (bad === undefined) return [];
  return [{ path, line: 1, rule: "T7", text: `"${bad}" says nothing: name it by what is in it` }];
};

// Spelled so that this file does not contain what it looks for.
const MACHINE_PATHS = /(?<![\w.])\/(?:home\/[a-z]|root\/|tmp\/|work\/)/;
const PRIVATE_ADDRESS =
  /(?<![\d.])(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\d.])/;
const KEY_MATERIAL = /-----BEGIN [A-Z ]*PRIVATE[ ]KEY|(?<![A-Za-z0-9])gh[pos]_[A-Za-z0-9]{20}/;
const REGISTRY_HOST = /registry[.]npmjs|registry[.]yarnpkg|"resolved":\s*"http/;

const LEAKS: readonly [RegExp, string][] = [
  [MACHINE_PATHS, "path of one machine: make it relative or ask the system"],
  [PRIVATE_ADDRESS, "private address: use loopback or a documentation address (192.0.2.x)"],
  [KEY_MATERIAL, "key material: take it out, and change the key"],
  [REGISTRY_HOST, "registry host: take it out (.npmrc omits it)"],
];

/** T14: nothing of one machine in tracked files. */
export const leaks: Rule = ({ path, lines }) =>
  lines.flatMap((line, index) =>
    LEAKS.filter(([pattern]) => pattern.test(line)).map(([, text]) => ({
      path,
      line: index + 1,
      rule: "T14",
      text,
    })),
  );
