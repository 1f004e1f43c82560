// SPDX-License-Identifier: MIT
// Goal: the module reaches what SPEC.md §1.2 lists, no more; its size is known.
// Method: imports, exports, memory and octets of the release module of both example nodes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createLinkHost } from "../support/link-host.ts";
import { buildLinkOf, linkBytesOf } from "../support/link-rig.ts";

const PAGE_BYTES = 65_536;
// Growth is a decision: raise a number with its reason. Session and codec are two fifths, set-points
// and their results 2.4 KiB.
const BYTES_MAX = { oven: 11_200, meter: 9_700 };

const IMPORTS = [
  ...["datagram_put", "datagram_take", "entropy", "flash_erase", "flash_program", "flash_read"],
  ...["info", "mailbox_put", "now_us", "ring_take"],
];
const EXPORTS = "counters init memory memoryBytes poll stop waiting";

for (const [name, bytesMax] of Object.entries(BYTES_MAX)) {
  const path = `firmware/nodes/${name}/node.json`;

  test(`link of the ${name} imports and exports its table`, async () => {
    const module = await buildLinkOf(path);
    const imports = WebAssembly.Module.imports(module);
    assert.ok(imports.every((i) => i.module === "host" && i.kind === "function"));
    assert.deepEqual(
      imports.map((i) => i.name).sort(),
      name === "meter" ? IMPORTS.filter((i) => i !== "mailbox_put") : IMPORTS, // no set-points
    );
    const exports = WebAssembly.Module.exports(module).map((e) => e.name);
    assert.equal(exports.sort().join(" "), EXPORTS);
  });

  test(`link of the ${name} fits one page of memory and ${bytesMax} octets`, async () => {
    const host = createLinkHost(await buildLinkOf(path));
    assert.equal(host.memory.buffer.byteLength, PAGE_BYTES);
    const { length } = await linkBytesOf(path);
    assert.ok(length <= bytesMax, `${length} octets`);
    assert.ok(length > bytesMax - 2048, `${length} octets: lower the number`);
  });
}

test("the diagram of the session has an arrow for each transition that is specified", () => {
  const arrows = (text: string): string[] =>
    [...text.matchAll(/([A-Z]+) +--([A-Za-z0-9 ]+?)-+> ([A-Z]+)/g)]
      .map(([, from, event, to]) => `${from} --${event}--> ${to}`)
      .sort();
  const read = (path: string): string =>
    readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const diagram = arrows(read("firmware/link/mqttsn/session.ts"));
  assert.ok(diagram.length >= 9);
  assert.deepEqual(arrows(read("tests/firmware/link/session.spec.ts")), diagram);
});
