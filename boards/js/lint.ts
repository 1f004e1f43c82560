// SPDX-License-Identifier: MIT
// Says where a script leaves the JavaScript that small engines share.
//
// Those are JerryScript (Kaluma), Duktape and Espruino. It is ES5 without labels and accessors, in ASCII, with typed arrays but little of what they can do. Espruino
// knows a function only once its definition was passed: whatever runs may name only functions above it,
// directly or through functions that it names. Math.imul, fround, clz32 and trunc are missing somewhere: each
// needs a fallback behind `||`.

import { parse } from "acorn";
import { childrenOf, type Node, type Program, type Statement } from "./tree.ts";

export interface Profile {
  memoryBytesMax: number; // of one ArrayBuffer
  labels: boolean; // true: the engine has them
}

export const PROFILE: Profile = { memoryBytesMax: 8192, labels: false };

const MATH = new Set(["abs", "ceil", "floor", "sqrt", "min", "max", "random"]);
const MATH_GUARDED = new Set(["imul", "fround", "clz32", "trunc"]);
const MEMBERS = new Set([
  ...["copyWithin", "fill", "set", "slice", "subarray", "from", "of", "includes", "find"],
  ...["repeat", "padStart", "startsWith", "endsWith", "assign", "entries", "values"],
]);
const NAMES = new Set([
  ...["eval", "Function", "Map", "Set", "WeakMap", "Promise", "Symbol", "Proxy", "Reflect"],
  ...["BigInt", "DataView", "atob", "btoa", "TextEncoder", "TextDecoder", "WebAssembly"],
]);
const REFUSED: Readonly<Record<string, string>> = {
  WithStatement: "with",
  DebuggerStatement: "debugger",
};

/** One line per finding, "LINE: what"; none when the code is inside the profile. */
export function lint(code: string, profile: Profile = PROFILE): string[] {
  const found: string[] = [];
  code.split("\n").forEach((line, i) => {
    // oxlint-disable-next-line no-control-regex
    if (/[^\x00-\x7f]/.test(line)) found.push(`${i + 1}: not ASCII`);
  });
  let program: Program;
  try {
    program = parse(code, { ecmaVersion: 5, locations: true }) as unknown as Program;
  } catch (error) {
    return [...found, `not ES5: ${(error as Error).message}`];
  }
  const say = (node: Node, what: string): void =>
    void found.push(`${(node as unknown as Placed).loc.start.line}: ${what}`);
  visit(program, program, profile, say);
  order(program.body, say);
  return found;
}

interface Placed {
  loc: { start: { line: number } };
}
type Say = (node: Node, what: string) => void;

function visit(node: Node, parent: Node, profile: Profile, say: Say): void {
  const refused = REFUSED[node.type];
  if (refused !== undefined) say(node, refused);
  if (node.type === "LabeledStatement" && !profile.labels) say(node, `label ${node.label.name}`);
  if (node.type === "Property" && node.kind !== "init") say(node, "accessor");
  if (node.type === "Identifier" && NAMES.has(node.name) && !isField(node, parent))
    say(node, `${node.name} is not everywhere`);
  if (node.type === "MemberExpression") member(node, parent, say);
  if (node.type === "NewExpression") size(node, profile, say);
  if (node.type === "FunctionDeclaration" || node.type === "FunctionExpression")
    order(node.body.body, say);
  for (const child of childrenOf(node)) visit(child, node, profile, say);
}

const isField = (node: Node, parent: Node): boolean =>
  (parent.type === "MemberExpression" && !parent.computed && parent.property === node) ||
  (parent.type === "Property" && parent.key === node);

function member(node: Node & { type: "MemberExpression" }, parent: Node, say: Say): void {
  const isMath = node.object.type === "Identifier" && node.object.name === "Math";
  if (node.computed) {
    if (isMath) say(node, "Math[…]: name the member");
    return;
  }
  const field = node.property.type === "Identifier" ? node.property.name : "";
  if (!isMath) {
    if (MEMBERS.has(field)) say(node, `.${field} is not everywhere`);
    return;
  }
  const isGuarded =
    parent.type === "LogicalExpression" && parent.operator === "||" && parent.left === node;
  if (MATH_GUARDED.has(field) && !isGuarded) say(node, `Math.${field} without a fallback`);
  else if (!MATH.has(field) && !MATH_GUARDED.has(field)) say(node, `Math.${field}`);
}

function size(node: Node & { type: "NewExpression" }, profile: Profile, say: Say): void {
  const callee = node.callee.type === "Identifier" ? node.callee.name : "";
  const [first] = node.arguments;
  if (callee !== "ArrayBuffer") return;
  if (first?.type !== "Literal" || typeof first.value !== "number")
    say(node, "an ArrayBuffer whose size is no number");
  else if (first.value > profile.memoryBytesMax)
    say(node, `memory of ${first.value} octets, at most ${profile.memoryBytesMax}`);
}

/** Statements that run before a function which they name, or which what they name names, is known. */
function order(body: readonly Statement[], say: Say): void {
  const names = new Map<string, Set<string>>();
  for (const s of body) if (s.type === "FunctionDeclaration") names.set(s.id.name, new Set());
  for (const s of body)
    if (s.type === "FunctionDeclaration")
      collect(s.body, names, names.get(s.id.name)!, shadowed(s));
  const known = new Set<string>();
  for (const s of body) {
    if (s.type === "FunctionDeclaration") {
      known.add(s.id.name);
      continue;
    }
    const used = new Set<string>();
    collect(s, names, used, new Set());
    for (const id of used) for (const next of names.get(id)!) used.add(next); // a Set grows under its loop
    for (const id of used) if (!known.has(id)) say(s, `${id} is used above its definition`);
  }
}

function shadowed(f: Node & { type: "FunctionDeclaration" }): Set<string> {
  const own = new Set(f.params.map(({ name }) => name));
  const variables = (node: Node): void => {
    if (node.type === "VariableDeclarator") own.add(node.id.name);
    childrenOf(node).forEach(variables);
  };
  variables(f.body);
  return own;
}

function collect(
  node: Node,
  names: ReadonlyMap<string, unknown>,
  used: Set<string>,
  own: ReadonlySet<string>,
): void {
  for (const child of childrenOf(node)) {
    if (child.type !== "Identifier") collect(child, names, used, own);
    else if (names.has(child.name) && !own.has(child.name) && !isField(child, node))
      used.add(child.name);
  }
}
