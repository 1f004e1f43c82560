// SPDX-License-Identifier: MIT
// Makes a script small with npm espruino, and refuses what that lets pass.
//
// Espruino's own tools, offline at the level that works without the network. They report on the console, put
// themselves into the global object, and on an error give back the script as it was: so they run in a thread
// of their own, and what comes back is parsed, in ASCII, smaller, and free of "not found" (a module that they
// wanted to load). The same script gives the same octets.

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { parse } from "acorn";

const MINIFY_MS_MAX = 120_000; // 20 kB take one second

// Runs in the thread. The libraries would take its module, exports and define for their own.
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const said = [];
for (const level of ["log", "info", "warn", "error", "debug"])
  console[level] = (...words) => void said.push(words.join(" "));
const load = require;
for (const name of ["module", "exports", "define"]) delete globalThis[name];
load(workerData.espruino).init(() => {
  Object.assign(Espruino.Config, {
    MINIFICATION_LEVEL: "ESPRIMA", MINIFICATION_Mangle: true,
    MODULE_URL: "", SET_TIME_ON_WRITE: false,
  });
  Espruino.Core.Env.getData().MODULES = workerData.modules.join();
  said.length = 0;
  Espruino.callProcessor("transformForEspruino", workerData.code, (code) => {
    parentPort.postMessage({ code, said });
    process.exit();
  });
});
`;

interface Answer {
  code: string;
  said: string[];
}

/** The script minified; `modules` are those that require() finds on the board. Throws with the reason. */
export async function minify(code: string, modules: readonly string[] = []): Promise<string> {
  refuse(code, "what is to be minified");
  const espruino = createRequire(import.meta.url).resolve("espruino");
  const worker = new Worker(THREAD, {
    eval: true,
    execArgv: [],
    stdout: true,
    stderr: true,
    workerData: { code, modules, espruino },
  });
  const { code: made, said } = await answerOf(worker);
  const missing = said.find((line) => /not found/i.test(line));
  if (missing !== undefined) throw new Error(`the minifier: ${missing}: name it as a module`);
  const failed = said.find((line) => /error/i.test(line) && !/^no errors/i.test(line));
  if (failed !== undefined) throw new Error(`the minifier: ${failed}`);
  refuse(made, "what the minifier made");
  if (made.length >= code.length)
    throw new Error(
      `the minifier made ${made.length} of ${code.length} octets: it failed silently`,
    );
  return made;
}

function answerOf(worker: Worker): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => void worker.terminate(), MINIFY_MS_MAX);
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => {
      clearTimeout(timer);
      reject(new Error("the minifier ended without an answer"));
    });
  });
}

function refuse(code: string, what: string): void {
  // oxlint-disable-next-line no-control-regex
  const at = code.search(/[^\x00-\x7f]/);
  if (at >= 0) throw new Error(`${what} is not ASCII at ${at}: escape it as \\u`);
  try {
    parse(code, { ecmaVersion: 5 });
  } catch (error) {
    throw new Error(`${what} is not ES5: ${(error as Error).message}`, { cause: error });
  }
}
