// SPDX-License-Identifier: MIT
// One script for a board: both modules as JavaScript, and the host that runs them.
//
// factories (pack) -> without labels where the engine has none (delabel) -> host behind it (compose) -> small
// (minify) -> inside the profile and equal to WebAssembly (check). Anything unknown is an error.

import { parse } from "acorn";
import { checkBundle } from "./check.ts";
import { composeShim, type ShimPlan } from "./compose.ts";
import { delabel } from "./delabel.ts";
import { minify } from "./minify.ts";
import { type FunctionDeclaration, type Program, read, type Statement, write } from "./tree.ts";

export interface BundleInput {
  plan: ShimPlan;
  loop: string; // factories, as pack() makes them
  link: string;
  modules: readonly string[]; // that require() finds on the board
  labels: boolean; // the engine has them
}

export interface Bundle {
  code: string;
  octets: { loop: number; link: number }; // of each module's factory in it
}

/** The script. Throws an error with what cannot be translated, or is outside the profile. */
export async function makeBundle(input: BundleInput): Promise<Bundle> {
  const { plan, labels, modules } = input;
  const parts = [lowered(input.loop, labels), lowered(input.link, labels)];
  const body = once([...parts.flat(), ...read(composeShim(plan)).body]);
  // In a function of its own every name can be a short one.
  const code = await minify(`(function () {\n${text(body)}})();\n`, modules);
  checkBundle(code, labels);
  const octets = { loop: octetsOf("loop", body, code), link: octetsOf("link", body, code) };
  return { code, octets };
}

function lowered(code: string, labels: boolean): Statement[] {
  const program = read(code);
  return (labels ? program : delabel(program)).body;
}

// Both factories bring the run-time functions that they need: each stays once.
function once(body: readonly Statement[]): Statement[] {
  const seen = new Set<string>();
  return body.filter((statement) => {
    const key = text([statement]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

// The minifier changes names, not the order of functions.
function octetsOf(factory: string, body: readonly Statement[], code: string): number {
  const place = functionsOf(body).findIndex(({ id }) => id.name === factory);
  const [outer] = parse(code, { ecmaVersion: 5 }).body;
  const whole = outer?.type === "ExpressionStatement" ? outer.expression : undefined;
  const call = whole?.type === "UnaryExpression" ? whole.argument : whole; // !function () { … }()
  const inner = call?.type === "CallExpression" ? call.callee : undefined;
  const made = inner?.type === "FunctionExpression" ? inner.body.body : [];
  const found = made.filter(({ type }) => type === "FunctionDeclaration")[place];
  if (found === undefined) throw new Error(`the minifier lost the factory of ${factory}`);
  return found.end - found.start;
}

function functionsOf(body: readonly Statement[]): FunctionDeclaration[] {
  return body.filter((of): of is FunctionDeclaration => of.type === "FunctionDeclaration");
}

function text(body: Statement[]): string {
  const program: Program = { type: "Program", body };
  return write(program);
}
