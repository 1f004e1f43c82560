// SPDX-License-Identifier: MIT
// Node and plant folders that tests make, outside the project.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";

/** A folder that is removed after the file's tests. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ferrule test "));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files below a folder and returns it. */
export function putFiles(folder: string, files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A node.json with one analog channel and one output, `more` laid over it. */
export function nodeJson(more: Record<string, unknown> = {}): string {
  const scale = { raw: [0, 4095], value: [0, 100] };
  const node = {
    type: "probe",
    channels: {
      level: { kind: "analog", input: 0, scale },
      effort: { kind: "computed" },
    },
    outputs: { valve: { output: 0 } },
    ...more,
  };
  return JSON.stringify(node, null, 2);
}
