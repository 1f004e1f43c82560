// SPDX-License-Identifier: MIT
// The page as files: one HTML, one stylesheet, the script in parts.
//
// What the first view needs comes at once, what a machine's view adds (charts, set-points) when it is first shown.
//
// Runs on Node, when a hub starts; everything else in this folder runs in a browser. No CDN, no web font, nothing
// inline, so that the page works under `default-src 'self'`. Throws when the sources do not compile.

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type Metafile } from "esbuild";

export interface PageBundle {
  html: string;
  js: Uint8Array;
  css: string;
  icon: string; // SVG, wanted by the HTML as /icon.svg
  chunks: ReadonlyMap<string, Uint8Array>; // further parts of the script, by their path
  first: readonly string[]; // paths of those that the first view needs
}

/** Browsers of the last three years; older ones get no smaller page. */
const TARGET = ["chrome111", "firefox113", "safari16.4"];

const html = (first: readonly string[]): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Ferrule</title>
    <link rel="icon" type="image/svg+xml" href="/icon.svg" />
    <link rel="stylesheet" href="/app.css" />
${first.map(preload).join("")}    <script type="module" src="/app.js"></script>
  </head>
  <body>
    <div id="app"></div>
    <noscript>This page needs JavaScript. Without it: /api/snapshot and /metrics.</noscript>
  </body>
</html>
`;

const preload = (path: string): string => `    <link rel="modulepreload" href="${path}" />\n`;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="6" fill="#31404f"/>
<path d="M9 9h14v4H13v3h8v4h-8v5H9z" fill="#fff"/>
</svg>
`;

/** Bundles and minifies; about 0.3 s, so a hub does it once. */
export async function bundlePage(): Promise<PageBundle> {
  const [script, style] = await Promise.all([
    build({ ...OPTIONS, entryPoints: { app: source("./main.tsx") } }),
    build({ ...OPTIONS, entryPoints: { app: source("./app.css") } }),
  ]);
  const parts = new Map(script.outputFiles.map(({ path, contents }) => [pathOf(path), contents]));
  const js = parts.get(ENTRY);
  const [css] = style.outputFiles;
  if (js === undefined || css === undefined) throw new Error("esbuild wrote no script or no style");
  parts.delete(ENTRY);
  const first = firstChunks(script.metafile.outputs);
  return { html: html(first), js, css: css.text, icon: ICON, chunks: parts, first };
}

const ENTRY = "/app.js";

const OPTIONS = {
  bundle: true,
  minify: true,
  write: false,
  outdir: "/page", // nothing is written: names only
  absWorkingDir: "/",
  chunkNames: "[name]-[hash]", // another content is another name
  splitting: true,
  metafile: true,
  format: "esm",
  platform: "browser",
  target: TARGET,
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "silent",
} as const satisfies BuildOptions;

const source = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const pathOf = (output: string): string => `/${basename(output)}`;

/** What the entry imports at once, directly or through another. */
function firstChunks(outputs: Metafile["outputs"]): string[] {
  const byPath = new Map(Object.entries(outputs).map(([path, found]) => [pathOf(path), found]));
  const found = new Set([ENTRY]);
  for (const path of found)
    for (const { path: next, kind } of byPath.get(path)?.imports ?? [])
      if (kind === "import-statement") found.add(pathOf(next));
  found.delete(ENTRY);
  return [...found];
}
