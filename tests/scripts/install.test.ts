// SPDX-License-Identifier: MIT
// Goal: packages are installed once, and a broken installation is not trusted.
//
// Method: projects of one package in folders of their own with a program in place of npm; the real words of npm.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder, putFiles } from "./folders.ts";

const STEPS = new URL("../../scripts/steps/install.js", import.meta.url).href;
const top = makeFolder();
let made = 0;

const LOCK = JSON.stringify({
  packages: {
    "": {},
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0", dev: true },
  },
});

// What stands in for npm: counts its calls, then does as the script says.
function project(npm: string): string {
  const folder = join(top, `project ${++made}`);
  const script = [
    'const { appendFileSync, mkdirSync, writeFileSync } = require("node:fs");',
    `process.chdir(${JSON.stringify(folder)});`,
    'appendFileSync("calls", process.argv.slice(2).join(" ") + "\\n");',
    npm,
  ];
  return putFiles(folder, { "package-lock.json": LOCK, "npm-cli.cjs": script.join("\n") });
}

function install(folder: string, withTools: boolean): string {
  const code =
    `import { installPackages } from ${JSON.stringify(STEPS)};` +
    `console.log(await installPackages(${withTools}, ${JSON.stringify(folder)}));`;
  const env = { ...process.env, npm_execpath: join(folder, "npm-cli.cjs") };
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env,
    encoding: "utf8",
  });
  return run.stdout.trim();
}

const calls = (folder: string): string[] =>
  existsSync(join(folder, "calls"))
    ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n")
    : [];

test("the first start installs without tools and without scripts, the second not at all", () => {
  const folder = project('mkdirSync("node_modules/a", { recursive: true });');
  assert.equal(install(folder, false), "undefined");
  assert.equal(install(folder, false), "undefined");
  assert.equal(calls(folder).length, 1);
  assert.match(calls(folder)[0] ?? "", /^ci --ignore-scripts .*--omit=dev$/);
  assert.equal(install(folder, true), "undefined");
  assert.equal(calls(folder).length, 2);
  assert.doesNotMatch(calls(folder)[1] ?? "", /--omit/);
  assert.equal(install(folder, false), "undefined");
  assert.equal(calls(folder).length, 2, "all packages cover those of a user");
});

test("another lock file installs anew", () => {
  const folder = project('mkdirSync("node_modules/a", { recursive: true });');
  install(folder, false);
  putFiles(folder, { "package-lock.json": LOCK.replace("1.0.0", "1.0.1") });
  install(folder, false);
  assert.equal(calls(folder).length, 2);
});

test("packages that npm installed by hand count, an incomplete set does not", () => {
  const folder = project("");
  const hidden = JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } });
  putFiles(folder, { "node_modules/.package-lock.json": hidden });
  mkdirSync(join(folder, "node_modules/a"));
  assert.equal(install(folder, false), "undefined");
  assert.equal(calls(folder).length, 0);
  rmSync(join(folder, "node_modules/a"), { recursive: true });
  install(folder, false);
  assert.equal(calls(folder).length, 1, "a folder is gone");
});

test("an installation that broke off is not trusted by the next start", () => {
  const folder = project(
    'mkdirSync("node_modules/a", { recursive: true });' +
      'writeFileSync("node_modules/.package-lock.json", "{\\"packages\\":{}}");' +
      'process.kill(process.pid, "SIGKILL");',
  );
  assert.match(install(folder, false), /^npm could not install the packages:/);
  assert.match(install(folder, false), /^npm could not install the packages:/);
  assert.equal(calls(folder).length, 2);
});

const AGAIN = "then run the same command again; nothing half-installed is used";
const REASONS: [string, string][] = [
  [
    "npm error code ENOTFOUND\nnpm error network request to https://registry.example/a failed",
    `the npm registry cannot be reached (ENOTFOUND): check the network or the proxy, ${AGAIN}`,
  ],
  [
    "npm error code ECONNREFUSED",
    `the npm registry cannot be reached (ECONNREFUSED): check the network or the proxy, ${AGAIN}`,
  ],
  ["npm error code ENOSPC", `the disk is full: make room, ${AGAIN}`],
  [
    "npm error code EUSAGE\nnpm error lock file is out of step",
    "npm could not install the packages:\n  npm error code EUSAGE\n" +
      `  npm error lock file is out of step\nmend that, ${AGAIN}`,
  ],
];

test("each reason why npm cannot install has one message with the next step", () => {
  for (const [said, message] of REASONS) {
    const folder = project(`console.error(${JSON.stringify(said)}); process.exit(1);`);
    assert.equal(install(folder, false), message);
  }
});

test("the command without its packages says what to run", () => {
  const text = readFileSync(join(import.meta.dirname, "../../scripts/ferrule.js"), "utf8");
  const folder = putFiles(join(top, "bare"), {
    "package.json": '{"type":"module"}',
    "ferrule.js": text,
  });
  const run = spawnSync(process.execPath, [join(folder, "ferrule.js")], { encoding: "utf8" });
  assert.equal(run.status, 1);
  assert.equal(
    run.stderr,
    "ferrule: its packages are not installed\n  next: npm ci --ignore-scripts\n",
  );
});

test("an old Node gets one clear sentence", () => {
  const start = join(import.meta.dirname, "../../scripts/start.js");
  const text = readFileSync(start, "utf8").replace(
    "process.versions.node.split",
    '"18.19.1".split',
  );
  const folder = putFiles(join(top, "old"), {
    "package.json": '{"type":"module"}',
    "start.js": text,
  });
  const run = spawnSync(process.execPath, [join(folder, "start.js")], { encoding: "utf8" });
  assert.equal(run.status, 1);
  assert.match(
    run.stderr,
    /^ferrule: needs Node 20 or newer, and this is .*; install it from .*\n$/,
  );
});
