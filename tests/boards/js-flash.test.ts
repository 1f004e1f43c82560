// SPDX-License-Identifier: MIT
// A bundle on its way onto an Espruino board: as a HEX file, and over a console.
//
// Goal: what arrives is the bundle, octet for octet, and a board that does not answer is told in time and by name.
// Method: the real espruino tool, offline; its HEX read back, its upload taken by a console of our own on TCP.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HexError, readHex, storageFiles } from "../../scripts/build/hex.ts";
import { readJsBoard } from "../../scripts/build/js-board.ts";
import { settingsText } from "../../scripts/build/js-settings.ts";
import { bundleHex, upload } from "../../scripts/run/espruino.ts";
import { openRepl, type Temper } from "./fake-repl.ts";

// What an upload may trip over: quotes, escapes, more than one piece, no line end at the end.
const BUNDLE = `var a = "\\"\\\\'\\x01\\n", b = /[(]/;\n${'print("0123456789");\n'.repeat(150)}a`;
const IDENTITY = {
  id: "oven-1",
  wifi: { ssid: "hall 3", password: 'say "x\\' },
  network: { gateways: ["192.0.2.2:10000"] },
};
const SETTINGS = settingsText(readJsBoard("espruino-esp32"), IDENTITY);

test("the HEX that the espruino tool writes holds the bundle and nothing else", async () => {
  const board = readJsBoard("espruino-rp2040");
  const text = await bundleHex(board, BUNDLE);
  const image = readHex(text);
  assert.equal(image.address, 0x101c0000);
  const files = storageFiles(image);
  assert.deepEqual([...files.keys()], [".bootcde"]);
  assert.equal(Buffer.from(files.get(".bootcde")!).toString("latin1"), BUNDLE);
  const flipped = text.replace(
    /^(:10.{6}00..)(.)/m,
    (_, head: string, of: string) => `${head}${of === "0" ? "1" : "0"}`,
  );
  assert.throws(() => readHex(flipped), HexError);
  assert.throws(() => readHex(text.slice(0, -15)), /ends without its last record/);
  assert.throws(() => readHex(`${text}:00000001FF`), /follows the end/);
});

test("settings are ASCII, and what a board cannot do is refused", () => {
  const { eui64, ...rest } = JSON.parse(SETTINGS) as Record<string, unknown>;
  assert.match(String(eui64), /^[0-9a-f]{16}$/);
  const { id, wifi, network } = IDENTITY;
  assert.deepEqual(rest, { id, gateway: "192.0.2.2:10000", ...wifi });
  const serial = settingsText(readJsBoard("espruino-rp2040"), { id, eui64: "0123456789abcdef" });
  assert.equal(serial, '{"id":"oven-1","eui64":"0123456789abcdef"}');
  const on = (name: string, changed: object) => () =>
    settingsText(readJsBoard(name), { ...IDENTITY, ...changed });
  const umlaut = on("espruino-esp32", { wifi: { ssid: "Härterei" } })();
  assert.match(umlaut, /^[\x20-\x7e]+$/);
  assert.match(umlaut, /"H\\u00e4rterei"/);
  assert.throws(on("espruino-esp32", { id: undefined }), /it needs an "id"/);
  assert.throws(on("espruino-rp2040", {}), /espruino-rp2040: it has no network of its own/);
  assert.throws(on("kaluma-pico2w", { wifi: undefined }), /kaluma-pico2w: it needs "wifi"/);
  assert.throws(on("espruino-esp32c3", { network: undefined }), /"gateways".*it cannot search/);
  const fixed = { ...network, address: "192.0.2.20/24" };
  assert.throws(on("espruino-esp32c3", { network: fixed }), /asks for an address/);
});

test("a console on TCP receives the bundle and the settings, octet for octet", async () => {
  const repl = await openRepl();
  try {
    const board = readJsBoard("espruino-esp32");
    await upload({ board, bundle: BUNDLE, settings: SETTINGS, port: repl.port });
    assert.equal(repl.files.get(".bootcde"), BUNDLE);
    assert.equal(repl.files.get("ferrule.json"), SETTINGS);
    assert.equal(repl.files.size, 2);
    assert.equal(repl.loads, 1);
  } finally {
    await repl.close();
  }
});

const REFUSALS: readonly [Temper, RegExp][] = [
  ["silent", /no JavaScript prompt answers at tcp/],
  ["garbage", /no JavaScript prompt answers at tcp/],
  ["closes", /the connection was closed by tcp/],
  ["forgets", /keeps something else after the upload/],
  ["complains", /the engine refused what came to tcp/],
];

// At the same time: the tool waits for most of it.
test("a console that does not do its work is told by name", { concurrency: true }, async (t) => {
  const board = readJsBoard("espruino-esp32c3");
  const each = REFUSALS.map(([temper, message]) =>
    t.test(temper, async () => {
      const repl = await openRepl(temper);
      const started = upload({ board, bundle: BUNDLE, settings: SETTINGS, port: repl.port });
      await assert.rejects(started, (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes("hall 3"), "settings are never told");
        return true;
      });
      await repl.close();
    }),
  );
  await Promise.all(each);
});

test("a port where nobody listens, and a tool that takes too long, are told by name", async () => {
  const repl = await openRepl("silent");
  const board = readJsBoard("espruino-esp32c3");
  const late = upload({ board, bundle: BUNDLE, port: repl.port, limitMs: 200 });
  await assert.rejects(late, /the espruino tool did not end within 1 s/);
  await repl.close();
  const nobody = upload({ board, bundle: BUNDLE, port: repl.port });
  await assert.rejects(nobody, /nobody listens at tcp/);
  const gone = upload({ board, bundle: BUNDLE, port: "/dev/ttyNOBODY0" });
  await assert.rejects(gone, /cannot be opened: \/dev\/ttyNOBODY0/);
});
