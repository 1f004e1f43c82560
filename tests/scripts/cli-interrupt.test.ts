// SPDX-License-Identifier: MIT
// Goal: Ctrl-C ends each command with 130, in order, nothing half-written.
//
// Method: the commands as a person stops them, at the moment that they tell; all of stderr.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startUp } from "../support/ferrule.ts";
import { startTalking } from "../support/talk.ts";
import { makeFolder, nodeJson, putFiles } from "./folders.ts";
import { spoken } from "./refusals.ts";

const top = makeFolder();

// A node type that no cache knows.
function freshNode(): string {
  const marker = `fresh-${process.pid}-${Date.now()}`.slice(0, 32);
  return putFiles(join(top, marker), { "node.json": nodeJson({ type: marker }) });
}

test("a build that is stopped writes nothing", async () => {
  const out = join(top, "out");
  const build = startTalking(["build", freshNode(), "--out", out]);
  await build.says(/compiling /);
  const { code, stdout, stderr } = await build.end();
  assert.deepEqual([code, stdout, spoken(stderr)], [130, "", "ferrule: interrupted\n"]);
  assert.ok(!existsSync(out), "no folder");
});

test("up that is stopped while it compiles leaves no owner of its history", async () => {
  const file = join(top, "past.db");
  const up = startTalking(["up", freshNode(), "--page", "0", "--history", file]);
  await up.says(/compiling /);
  const { code, stderr } = await up.end();
  assert.deepEqual([code, spoken(stderr)], [130, "ferrule: interrupted\n"]);
  const left = readdirSync(top).filter((name) => name.startsWith("past"));
  assert.deepEqual(left, ["past.db", "past.db-journal"], "the file is free: no owner, no lock");
});

test("up, sim in real time, hub, gateway and monitor end in order", async (t) => {
  const road = await startUp(["--page", "0"]);
  t.after(() => road.end());
  const broker = ["--broker", road.broker];
  const commands: [string[], RegExp][] = [
    [["up", "firmware/nodes/oven", "--page", "0"], /token /],
    [["sim", "firmware/nodes/oven", "--realtime"], /token /],
    [["gateway", ...broker, "--udp", "0"], /gateway udp:/],
    [["monitor", road.page], /oven-1 /],
    [["monitor", road.broker], /oven-1 /],
    [["hub", ...broker, "--page", "0", "--plant", "firmware/nodes/oven"], /token /],
  ];
  for (const [args, begun] of commands) {
    const running = startTalking(args);
    await running.says(begun);
    const { code, stderr } = await running.end();
    const said = spoken(stderr);
    assert.deepEqual([code, said], [130, ""], args.join(" "));
  }
});
