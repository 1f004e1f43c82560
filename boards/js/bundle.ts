// SPDX-License-Identifier: MIT
// One script for a board: both modules as JavaScript, and the host that runs them.
//
// factories (pack) -> smaller (shrink) -> without labels (delabel) -> host behind them (compose) -> smaller (minify)
// -> inside the profile and equal to WebAssembly (check). Anything unknown is an error. Espruino has no labels, and
// the minifier stumbles over some, so that no engine gets one.

import { parse } from "acorn";
import { checkBundle } from "./check.ts";
import { composeShim, type ShimPlan } from "./compose.ts";
import { delabel } from "./delabel.ts";
import { keepExports } from "./exports.ts";
import { minify } from "./minify.ts";
import { shortenNames } from "./names.ts";
import { shrink } from "./shrink.ts";
import { type FunctionDeclaration, type Program, read, type Statement, write } from "./tree.ts";

const CALLED = ["memory", "init", "tick", "poll"]; // by the host (shim/core.js)

const OWN = ["put", "take", "hear"]; // of the host's queues and taps

export interface BundleInput {
  plan: ShimPlan;
  loop: string; // factories, as pack() makes them
  link: string;
  modules: readonly string[]; // that require() finds on the board
}

export interface Bundle {
  code: string;
  octets: { loop: number; link: number }; // of each module's factory in it
}

/** The script. Throws an error with what cannot be translated, or is outside the profile. */
export async function makeBundle(input: BundleInput): Promise<Bundle> {
  const { plan, modules } = input;
  const body = once([...lowered(input.loop, input.link), ...read(composeShim(plan)).body]);
  shortenNames(body, [...plan.imports.loop, ...plan.imports.link, ...CALLED, ...OWN]);
  // In a function of its own every name can be a short one.
  const code = await minify(`(function () {\n${text(body)}})();\n`, modules);
  checkBundle(code);
  const octets = { loop: octetsOf("loop", body, code), link: octetsOf("link", body, code) };
  return { code, octets };
}

/** Packed factories as they stand in a bundle, before the minifier: smaller, without labels. */
export function lowered(...factories: string[]): Statement[] {
  const parts = factories.map((code) => delabel(read(shrink(keepExports(code, CALLED)))).body);
  return once(parts.flat());
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
