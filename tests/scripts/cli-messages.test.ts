// SPDX-License-Identifier: MIT
// Goal: what the machine refuses is one clear message; nothing is half-written.
//
// Method: devices and folders of Linux that refuse, exact texts and exit codes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { PROJECT } from "../support/ferrule.ts";
import * as need from "../support/need.ts";

const FERRULE = join(PROJECT, "scripts/ferrule.js");

function shell(line: string): { status: number | null; stdout: string; stderr: string } {
  const script = `ferrule() { '${process.execPath}' '${FERRULE}' "$@"; }; ${line}`;
  return spawnSync("bash", ["-c", script], { encoding: "utf8" });
}

test("a full disk behind stdout is told", need.program("bash"), () => {
  const { status, stderr } = shell("ferrule validate --schema node > /dev/full");
  assert.deepEqual([status, stderr], [1, "ferrule: stdout cannot be written (ENOSPC)\n"]);
});

test("a reader that has enough ends the command quietly", need.program("bash"), () => {
  const { status, stdout, stderr } = shell("ferrule validate --schema node | head -1");
  assert.deepEqual([status, stdout, stderr], [0, "{\n", ""]);
});

test("a place where no folder can be made is named", need.program("bash"), () => {
  const { status, stdout, stderr } = shell("ferrule new /proc/x");
  assert.deepEqual(
    [status, stdout, stderr],
    [
      3,
      "",
      "ferrule: /proc/x is not there, or cannot be made\n" +
        "  next: choose another place, or make its folder\n",
    ],
  );
});
