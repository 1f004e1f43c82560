// SPDX-License-Identifier: MIT
// Installs what the work needs, then runs it in this process.
//
// TypeScript is read through tsx. `up` and other commands of ferrule need the packages a user gets; tests and tools need all of them.

import { installPackages } from "./install.js";

const TOOLS = {
  test: "../test.ts",
  soak: "../soak.ts",
  bench: "../bench.ts",
  "bench:aot": "../../tests/bench/aot/index.ts",
  picture: "./picture.ts",
};

/** Runs `name` with its arguments; a name that is no tool is a command of ferrule. */
export async function run([name = "up", ...args]) {
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
  const failure = await installPackages(tool !== undefined);
  if (failure !== undefined) {
    process.stderr.write(`ferrule: ${failure}\n`);
    process.exitCode = 1;
    return;
  }
  const rest = tool === undefined ? [name, ...args] : args;
  process.argv = [...process.argv.slice(0, 2), ...rest];
  const { register } = await import("tsx/esm/api");
  register();
  await import(tool ?? "../ferrule.ts");
}
