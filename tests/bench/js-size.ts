// SPDX-License-Identifier: MIT
// Modules as JavaScript: octets behind each stage, beside esbuild's minifier.
//
// Of both modules of the example nodes for a Kaluma board: WebAssembly, packed, shrunk, and minified without
// labels; then both factories in one function, as in a bundle, without its host. The baseline is what
// esbuild --minify makes of the packed factories.

import { join } from "node:path";
import { transformSync } from "esbuild";
import { delabel } from "../../boards/js/delabel.ts";
import { minify } from "../../boards/js/minify.ts";
import { pack } from "../../boards/js/pack.ts";
import { shrink } from "../../boards/js/shrink.ts";
import { read, write } from "../../boards/js/tree.ts";
import { type Figure, report } from "../../scripts/bench/report.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { PROJECT } from "../../scripts/build/sources.ts";

const BOARD = "kaluma-pico";
const BUNDLE_BYTES_GOAL = 22_000; // of both factories: 24,576 on Kaluma less the host

const withoutLabels = (code: string): string => write(delabel(read(code)));

// Run-time functions that both bring stay once.
function together(codes: readonly string[]): string {
  const all = codes.flatMap((code) => read(code).body);
  const texts = all.map((s) => write({ type: "Program", body: [s] }));
  return `(function () {\n${[...new Set(texts)].join("\n")}\nstart(loop, link);\n})();\n`;
}

const byEsbuild = (code: string): string =>
  transformSync(code, { minify: true, target: "es5" }).code;

async function figuresOf(node: string): Promise<Figure[]> {
  const built = await buildNode(join(PROJECT, "firmware/nodes", node), { board: BOARD });
  const figures: Figure[] = [];
  const unit = "octets";
  const [packed, shrunk]: [string[], string[]] = [[], []];
  for (const kind of ["loop", "link"] as const) {
    const { wasm } = built[kind];
    const { code } = pack(kind, wasm);
    const small = shrink(code);
    const least = await minify(withoutLabels(small));
    packed.push(withoutLabels(code));
    shrunk.push(withoutLabels(small));
    for (const [stage, value] of [
      ["wasm", wasm.length],
      ["packed", code.length],
      ["shrunk", small.length],
      ["minified", least.length],
    ] as const)
      figures.push({ name: `${node} ${kind}, ${stage}`, value, unit });
  }
  const baseline = `${node}, both packed, esbuild (baseline)`;
  figures.push({ name: baseline, value: byEsbuild(together(packed)).length, unit });
  const value = (await minify(together(shrunk))).length;
  const goal = { of: "value", atMost: BUNDLE_BYTES_GOAL } as const;
  figures.push({ name: `${node}, both, minified`, value, unit, goal, beside: baseline });
  return figures;
}

report({
  bench: "js-size",
  notes: [`modules for ${BOARD}; both factories without the host of a board`],
  figures: [...(await figuresOf("oven")), ...(await figuresOf("meter"))],
});
