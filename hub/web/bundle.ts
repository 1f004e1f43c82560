// SPDX-License-Identifier: MIT
// The page as three files: one HTML, one script, one stylesheet.
//
// Runs on Node, when a hub starts; everything else in this folder runs in a browser. No CDN, no web font, nothing
// inline, so that the page works under `default-src 'self'`. Throws when the sources do not compile.

import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";

export interface PageBundle {
  html: string;
  js: Uint8Array;
  css: string;
  icon: string; // SVG, wanted by the HTML as /icon.svg
}

/** Browsers of the last three years; older ones get no smaller page. */
const TARGET = ["chrome111", "firefox113", "safari16.4"];

const HTML = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Ferrule</title>
    <link rel="icon" type="image/svg+xml" href="/icon.svg" />
    <link rel="stylesheet" href="/app.css" />
    <script type="module" src="/app.js"></script>
  </head>
  <body>
    <div id="app"></div>
    <noscript>This page needs JavaScript. Without it: /api/snapshot and /metrics.</noscript>
  </body>
</html>
`;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="6" fill="#31404f"/>
<path d="M9 9h14v4H13v3h8v4h-8v5H9z" fill="#fff"/>
</svg>
`;

/** Bundles and minifies; about 0.3 s, so a hub does it once. */
export async function bundlePage(): Promise<PageBundle> {
  const [script, style] = await Promise.all([bundle("./main.tsx"), bundle("./app.css")]);
  return { html: HTML, js: script, css: new TextDecoder().decode(style), icon: ICON };
}

async function bundle(entry: string): Promise<Uint8Array> {
  const options: BuildOptions & { write: false } = {
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: TARGET,
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "silent",
  };
  const [file] = (await build(options)).outputFiles;
  if (file === undefined) throw new Error(`esbuild wrote nothing for ${entry}`);
  return file.contents;
}
