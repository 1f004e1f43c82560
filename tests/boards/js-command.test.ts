// SPDX-License-Identifier: MIT
// `ferrule build` and `ferrule flash` for JavaScript boards, as they are typed.
//
// Goal: a board gets the script that the folder holds and the settings of its identity file, and nobody else sees those;
// what does not fit leaves nothing behind. Method: the command itself, with a console of our own on TCP as the board.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule } from "../support/ferrule.ts";
import { openRepl } from "./fake-repl.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule script "));
after(() => rmSync(folder, { recursive: true, force: true }));

// Small enough for every board but the ESP32-C3.
const NODE = join(folder, "tank");
mkdirSync(NODE);
const level = { kind: "analog", input: 0, unit: "m", everyMs: 1000 };
const scale = { raw: [0, 4095], value: [0, 10] };
writeFileSync(
  join(NODE, "node.json"),
  JSON.stringify({
    type: "tank",
    periodMs: 1000,
    channels: { level: { ...level, scale } },
    transport: { outboxSlots: 128 },
  }),
);
const IDENTITY = join(folder, "tank-1.json");
const PASSWORD = "correct horse";
const network = { gateways: ["192.0.2.2:10000"] };
writeFileSync(
  IDENTITY,
  JSON.stringify({ id: "tank-1", wifi: { ssid: "hall", password: PASSWORD }, network }),
);

test("an ESP32 gets script and settings, and nobody else sees the password", async () => {
  const repl = await openRepl();
  try {
    const out = join(folder, "esp32");
    const where = ["--board", "espruino-esp32", "--port", repl.port, "--out", out];
    const args = ["flash", NODE, ...where, "--identity", IDENTITY, "--json"];
    const { code, stdout, stderr } = await ferrule(args);
    assert.equal(code, 0, stderr);
    const told = JSON.parse(stdout) as { program: string; bytes: number; id: string };
    const script = readFileSync(told.program, "latin1");
    assert.equal(repl.files.get(".bootcde"), script);
    assert.deepEqual([told.id, told.bytes], ["tank-1", script.length]);
    const settings = JSON.parse(repl.files.get("ferrule.json")!) as Record<string, string>;
    assert.equal(settings["password"], PASSWORD);
    assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
    for (const file of readdirSync(out))
      assert.ok(!readFileSync(join(out, file), "latin1").includes(PASSWORD), file);
  } finally {
    await repl.close();
  }
});

test("for Kaluma flash prints the lines to type; settings are in a file of its owner", async () => {
  const out = join(folder, "kaluma");
  const where = ["--board", "kaluma-pico2w", "--port", "/dev/ttyACM3", "--out", out];
  const { code, stdout, stderr } = await ferrule(["flash", NODE, ...where, "--identity", IDENTITY]);
  assert.equal(code, 0, stderr);
  const tool = "npx --package=@kaluma/cli@1.0.0 kaluma";
  assert.equal(
    stdout,
    `${tool} flash '${out}/tank.js' --port /dev/ttyACM3\n` +
      `${tool} put '${out}/ferrule.json' /ferrule.json --port /dev/ttyACM3\n`,
  );
  const file = join(out, "ferrule.json");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((JSON.parse(readFileSync(file, "utf8")) as { ssid: string }).ssid, "hall");
});

test("build prints the budget; what is over it leaves nothing behind", async () => {
  const out = join(folder, "pico");
  const built = await ferrule(["build", NODE, "--board", "espruino-rp2040", "--out", out]);
  assert.equal(built.code, 0, built.stderr);
  assert.match(built.stdout, /^bundle +\d+ +24576$/m);
  assert.match(built.stdout, /^variables, modelled +\d+ +8500$/m);
  const made = readdirSync(out).filter((name) => !name.endsWith(".wasm"));
  const endings = ["cdx.json", "hex", "js", "manifest.json", "size.json"];
  assert.deepEqual(
    made.toSorted(),
    endings.map((ending) => `tank.${ending}`),
  );
  const none = join(folder, "none");
  const refused = await ferrule(["build", NODE, "--board", "espruino-esp32c3", "--out", none]);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /tank is over its budget on espruino-esp32c3:\n +bundle: \d+ of 10240/,
  );
  assert.ok(!existsSync(none));
});

test("a board on Espruino without a port, and one that has no model, are told so", async () => {
  const flashed = await ferrule(["flash", NODE, "--board", "espruino-esp32"]);
  assert.equal(flashed.code, 2);
  assert.match(flashed.stderr, /where is the board\?.*\n +next: --port \/dev\/ttyACM0/);
  const sized = await ferrule(["size", NODE, "--board", "kaluma-pico", "--run"]);
  assert.equal(sized.code, 2);
  assert.match(sized.stderr, /there is no model of kaluma-pico to run it in/);
});
