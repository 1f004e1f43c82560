// SPDX-License-Identifier: MIT
// Sizes: both modules of each node type in firmware/nodes, and the page.
//
// Octets of the release .wasm as it is shipped; tests hold the exact numbers of the examples. The page is
// counted as a browser loads it, each file compressed with gzip as the hub sends it; the baseline is the
// same files as they are.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundlePage } from "../../hub/web/bundle.ts";
import { report, type Figure } from "../../scripts/bench/report.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { PROJECT } from "../../scripts/build/sources.ts";

const NODES = join(PROJECT, "firmware/nodes");
const PAGE_BYTES_GOAL = 60_000;

async function moduleFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of readdirSync(NODES).sort()) {
    const { loop, link } = await buildNode(join(NODES, name));
    figures.push({ name: `${name} loop.wasm`, value: loop.wasm.length, unit: "octets" });
    figures.push({ name: `${name} link.wasm`, value: link.wasm.length, unit: "octets" });
  }
  return figures;
}

/** Octets of all files of the page and of those that the first view needs, as they are and compressed. */
async function pageFigures(): Promise<Figure[]> {
  const { html, js, css, icon, chunks, first } = await bundlePage();
  const early = [html, css, js, icon, ...first.map((path) => chunks.get(path)!)];
  const late = [...chunks].filter(([path]) => !first.includes(path)).map(([, chunk]) => chunk);
  const weigh = (files: readonly (string | Uint8Array)[]): { plain: number; zipped: number } => ({
    plain: files.reduce((sum, file) => sum + Buffer.from(file).length, 0),
    zipped: files.reduce((sum, file) => sum + gzipSync(file).length, 0),
  });
  const [now, all] = [weigh(early), weigh([...early, ...late])];
  const goal = { of: "value", atMost: PAGE_BYTES_GOAL } as const;
  const unit = "octets";
  return [
    { name: "page, first view (baseline)", value: now.plain, unit },
    {
      ...{ name: "page, first view, compressed", value: now.zipped, unit, goal },
      beside: "page, first view (baseline)",
    },
    { name: "page, all views (baseline)", value: all.plain, unit },
    {
      ...{ name: "page, all views, compressed", value: all.zipped, unit, goal },
      beside: "page, all views (baseline)",
    },
  ];
}

report({
  bench: "sizes",
  notes: ["release .wasm as shipped; the page as the hub sends it, each file gzipped"],
  figures: [...(await moduleFigures()), ...(await pageFigures())],
});
