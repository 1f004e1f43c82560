// SPDX-License-Identifier: MIT
// Goal: a port in use, a side that is away, a mistake in code: one message.
//
// Method: sockets, brokers and folders of the test's own; all of stderr, exit codes.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startBroker } from "../../scripts/run/broker.ts";
import { ferrule } from "../support/ferrule.ts";
import { startTalking } from "../support/talk.ts";
import { until } from "../support/until.ts";
import { makeFolder, nodeJson, putFiles } from "./folders.ts";
import { assertRefused, refusal, spoken } from "./refusals.ts";

const top = makeFolder();

test("a page port in use is named by up and hub, a UDP port by gateway", async (t) => {
  const page = createServer().listen(0, "127.0.0.1");
  const udp = createSocket("udp4").bind(0, "127.0.0.1");
  await Promise.all([once(page, "listening"), once(udp, "listening")]);
  const broker = await startBroker();
  t.after(async () => {
    page.close();
    udp.close();
    await broker.close();
  });
  const { port } = page.address() as AddressInfo;
  const message = `port ${port} of 127.0.0.1 is in use or not yours to use`;
  const next = `choose another one, as --page ${port + 1}, or leave --page away`;
  const pages = [["up"], ["hub", "--broker", broker.url]];
  for (const args of pages)
    assertRefused(await ferrule([...args, "--page", String(port)]), 1, message, next);
  const taken = udp.address().port;
  const gateway = await ferrule(["gateway", "--broker", broker.url, "--udp", String(taken)]);
  assertRefused(
    gateway,
    1,
    `udp 127.0.0.1:${taken} is in use: stop what listens there or take another port`,
    "choose another one, as --udp 127.0.0.1:10001",
  );
});

test("a broker that is down is named by a monitor, an address that is none as usage", async () => {
  const down = await ferrule(["monitor", "mqtt://127.0.0.1:1"]);
  assertRefused(
    down,
    1,
    "the broker mqtt://127.0.0.1:1 does not answer (ECONNREFUSED)",
    "start it or mend the address; ferrule up brings a broker when --broker is left away",
  );
  const none = await ferrule(["monitor", "mqtt://x:99999"]);
  const next = "give mqtt://HOST or mqtt://HOST:PORT";
  assertRefused(none, 2, "mqtt://x:99999 is no broker", next);
  const root = await ferrule(["monitor", "--root", "a"]);
  assertRefused(root, 2, "--root is for a broker", "give mqtt://, or leave --root away");
});

test("a broker that goes away under a monitor is told once, and when it is back", async () => {
  const broker = await startBroker();
  const monitor = startTalking(["monitor", broker.url]);
  await monitor.says(/nothing yet below umh\/v1: is a hub there, with this --root\?\n/);
  const start = broker.stop();
  await monitor.says(/ went away; trying again\n/);
  start();
  await monitor.says(/ is there again\n/);
  const { code, stderr } = await monitor.end();
  await broker.close();
  assert.equal(
    stderr,
    "nothing yet below umh/v1: is a hub there, with this --root?\n" +
      `${broker.url} went away; trying again\n${broker.url} is there again\n`,
  );
  assert.equal(code, 130);
});

test("programs at the ends of --pty come and go, and the links go with the command", async () => {
  const ends = [join(top, "A"), join(top, "B")];
  const up = startTalking(["up", "--page", "0", "--pty", `meter-1:${ends.join(",")}`]);
  await up.says(/line meter-1\/bus /);
  await until("both links", () => ends.every((end) => existsSync(end)));
  for (const end of ends) {
    const handle = openSync(end, "r+");
    writeSync(handle, "gone before it is heard");
    closeSync(handle);
  }
  const again = openSync(ends[0]!, "r+");
  closeSync(again);
  const { code, stderr } = await up.end();
  assert.equal(code, 130);
  assert.match(
    spoken(stderr),
    /^(\d+ octets were lost at an end of --pty that no program read\n)?$/,
  );
  assert.deepEqual(
    ends.filter((end) => existsSync(end)),
    [],
  );
});

test("a mistake in loop.ts is shown with file, line and column by every command", async () => {
  const loop =
    'import { value } from "ferrule/loop";\n\nexport function decide(): void {\n  valeu(0);\n}\n';
  putFiles(join(top, "mein knoten"), { "node.json": nodeJson(), "loop.ts": loop });
  const message =
    "mein knoten/loop.ts:4:3: Cannot find name 'valeu'. (AS2304)\n" +
    "    valeu(0);\n" +
    "    ^^^^^";
  const next = "mend it, then run: ferrule build mein knoten";
  for (const args of [["build"], ["sim"], ["up", "--page", "0"]]) {
    const run = await ferrule([...args, "mein knoten"], { cwd: top });
    assert.equal(spoken(run.stderr), refusal(message, next));
    assert.equal(run.code, 1);
  }
});
