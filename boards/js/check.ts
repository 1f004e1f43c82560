// SPDX-License-Identifier: MIT
// The last look at a bundle: its profile, then its own known run.
//
// The known run is the bundle's start (shim/start.js): it compares both modules with WebAssembly, then asks for settings
// that are not there, and that is where it must end. It runs twice, the second time without what Espruino and Duktape
// lack of Math, so that a fallback which is wrong is seen too.

import { createContext, runInContext } from "node:vm";
import { lint } from "./lint.ts";

const RUN_MS_MAX = 60_000; // one takes 50 ms
const EXTRAS = "Math.imul = Math.fround = Math.clz32 = Math.trunc = undefined;";
const PASSED = /settings have no/;

/** Throws an error that says what is wrong with the bundle. */
export function checkBundle(code: string): void {
  const findings = lint(code);
  if (findings.length > 0)
    throw new Error(`the bundle is outside what the engine knows:\n  ${findings.join("\n  ")}`);
  knownRun(code, "");
  knownRun(code, EXTRAS);
}

function knownRun(code: string, before: string): void {
  const context = createContext(standIns());
  try {
    runInContext(`${before}\n${code}`, context, { timeout: RUN_MS_MAX });
  } catch (error) {
    const why = (error as { message?: unknown }).message;
    if (PASSED.test(String(why))) return;
    throw new Error(`the known run of the bundle fails: ${String(why)}`, { cause: error });
  }
  throw new Error("the known run of the bundle does not end: it started without settings");
}

// A board that does nothing and keeps nothing, of either engine.
function standIns(): Record<string, unknown> {
  const nothing = (): undefined => undefined;
  const module = { read: nothing, write: nothing, exists: nothing, readFile: nothing };
  const pins = { analogWrite: nothing, digitalWrite: nothing, pinMode: nothing };
  const ports = Object.fromEntries([1, 2, 3].map((number) => [`Serial${number}`, {}]));
  const modes = { INPUT: 0, OUTPUT: 1, INPUT_PULLUP: 2, INPUT_PULLDOWN: 3 };
  return {
    ...{ ...pins, ...ports, ...modes },
    require: () => module,
    getTime: () => 0,
    micros: () => 0,
    print: nothing,
    console: { log: nothing },
    setTimeout: nothing,
  };
}
