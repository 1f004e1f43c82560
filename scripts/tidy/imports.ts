// SPDX-License-Identifier: MIT
// T5: who may import whom, as one table; and T9's files that nobody imports.
//
// The first row whose `from` fits a file decides. What is imported is written as a path from the top
// ("firmware/wire/record"), a package ("zod") or a module of Node ("node:fs"). Types count too.

import { posix } from "node:path";
import ts from "typescript";
import { eachNode, isTest, lineOf, type Problem, type TidyFile } from "./file.ts";
import { isModuleName } from "./syntax.ts";

interface Row {
  from: RegExp;
  may: RegExp;
  why: string;
}

const WIRE = "firmware/wire/.*|firmware/limits\\.ts|firmware/wide\\.ts";
const USES = "firmware/generated/uses\\.ts"; // constants that leave parts out
const GATEWAY_ADAPTERS = "udp|broker|serial|index";
const HUB_ADAPTERS = "server[a-z-]*|http[a-z-]*|mqtt[a-z-]*|sse|metrics|index";

// Stages of loop in the order of a reading; a stage sees itself and those before it.
const STAGES = [
  "compare",
  "sample",
  "digital",
  "biquad",
  "average",
  "rate",
  "filter",
  "chain",
  "vibration",
  "tap",
  "setpoint",
  "record",
  "machine",
  "decide",
  "actuate",
];

const TABLE: readonly Row[] = [
  row("firmware/(wire/.*|limits\\.ts)", WIRE, "asc and tsc both compile it unchanged"),
  row(
    "firmware/loop/(index\\.ts|tick/.*)",
    `firmware/loop/.*|firmware/generated/loop\\.ts|${USES}|${WIRE}`,
    "loop only",
  ),
  row("firmware/loop/abi\\.ts", WIRE, "the abi only declares"),
  ...STAGES.map((stage, index) =>
    row(
      `firmware/loop/${stage}(\\.ts|/.*)`,
      `firmware/loop/(${STAGES.slice(0, index + 1).join("|")})(\\.ts|/.*)?|${USES}|${WIRE}`,
      "a stage sees only those before it",
    ),
  ),
  row(
    "firmware/link/(index|node)\\.ts",
    `firmware/link/.*|firmware/generated/link\\.ts|${USES}|${WIRE}`,
    "link only",
  ),
  row(
    "firmware/link/.*",
    `firmware/link/(?!(abi|index)(\\.ts)?$).*|${USES}|${WIRE}`,
    "no loop, no abi",
  ),
  row(
    "firmware/nodes/([^/]+)/.*",
    "ferrule/(loop|node)|firmware/nodes/.*",
    "the public surface only",
  ),
  row("firmware/generated/.*", WIRE, "constants only"),
  row(
    `gateway/(${GATEWAY_ADAPTERS})\\.ts`,
    `gateway/.*|${WIRE}|node:.*|pino|mqtt-packet|@serialport/.*`,
    "an adapter of the gateway",
  ),
  row(
    "gateway/.*",
    `gateway/(?!(${GATEWAY_ADAPTERS})\\.ts).*|${WIRE}|mqtt-packet`,
    "the gateway's core has no I/O and a codec of its own",
  ),
  row("hub/web/bundle\\.ts", "hub/web/.*|esbuild|node:.*", "the page's bundler"),
  row("hub/web/.*", "hub/web/.*|hub/api\\.ts|preact.*|@preact/.*|uplot.*", "it runs in a browser"),
  row(
    "hub/outputs/([^/]+).*",
    `hub/(?!web/|(${HUB_ADAPTERS})\\.ts).*|${WIRE}|prom-client`,
    "one output",
  ),
  row(
    `hub/(${HUB_ADAPTERS})\\.ts`,
    `hub/.*|${WIRE}|node:.*|mqtt|pino|prom-client|node-sqlite3-wasm`,
    "an adapter",
  ),
  row(
    "hub/.*",
    `hub/(?!web/|outputs/|(${HUB_ADAPTERS})\\.ts).*|${WIRE}|node:crypto|cbor-x`,
    "the hub's core has no I/O",
  ),
  row(
    "host-sim/realtime/.*",
    `host-sim/.*|${WIRE}|node:.*|@lydell/node-pty|hub/[^/]+` +
      `|gateway/(?!(${GATEWAY_ADAPTERS})\\.ts).*`,
    "real time: sockets and clocks",
  ),
  row(
    "host-sim/line/.*",
    `host-sim/(line/.*|prng\\.ts)|${WIRE}`,
    "a wire knows no device and no chip",
  ),
  row(
    "host-sim/.*",
    `host-sim/(?!realtime/).*|${WIRE}|mqtt-packet|gateway/(?!(${GATEWAY_ADAPTERS})\\.ts).*` +
      `|hub/(?!web/|outputs/|(${HUB_ADAPTERS})\\.ts).*`,
    "virtual time: no sockets, no clocks",
  ),
  row("aot/.*", "aot/.*", "the translator has no I/O and knows no board"),
  row("boards/js/.*", "boards/js/.*|acorn|astring|espruino|node:.*", "itself and its packages"),
  row("scripts/.*", "(?!tests/).*", "nothing imports tests"),
  row("tests/.*", ".*", "tests may see everything"),
  row(".*", "(?!tests/|scripts/).*", "nothing imports tests or scripts"),
];

function row(from: string, may: string, why: string): Row {
  return { from: new RegExp(`^(?:${from})$`), may: new RegExp(`^(?:${may})$`), why };
}

/** T5: every import stands in the table. */
export function importTable(file: TidyFile, paths: ReadonlySet<string>): Problem[] {
  const found: Problem[] = [];
  const rule = TABLE.find(({ from }) => from.test(file.path));
  eachNode(file, (node) => {
    if (!ts.isStringLiteral(node) || !isModuleName(node)) return;
    const target = resolveImport(file.path, node.text, paths);
    if (rule?.may.test(target)) return;
    const text = `may not import ${target} (${rule?.why ?? "no row"}): see the table in STYLE §3`;
    found.push({ path: file.path, line: lineOf(node), rule: "T5", text });
  });
  return found;
}

/** A relative import as path from the top, with its ending where such a file exists; others as they are. */
export function resolveImport(from: string, name: string, paths: ReadonlySet<string>): string {
  if (!name.startsWith(".")) return name;
  const path = posix.normalize(posix.join(posix.dirname(from), name));
  return [path, `${path}.ts`, `${path}/index.ts`].find((p) => paths.has(p)) ?? path;
}

const ENTRIES = [
  /\.(test|spec|d)\.ts$/,
  /^tests\/(bench|fuzz)\//,
  /^firmware\/((loop|link)\/index\.ts$|nodes\/|generated\/)/,
  /^templates\//,
  /^scripts\/(start|ferrule)\.js$/,
  /\.config\.js$/,
  /^hub\/web\/main\.tsx$/, // bundle.ts names it to esbuild
];

/** T9: each source is an entry or is named by another file. */
export function orphans(files: readonly TidyFile[]): Problem[] {
  const paths = new Set(files.map(({ path }) => path));
  const named = new Set<string>();
  for (const file of files)
    eachNode(file, (node) => {
      if (!ts.isStringLiteralLike(node)) return;
      named.add(resolveImport(file.path, node.text, paths));
      for (const [path] of node.text.matchAll(/[\w./-]+\.(tsx?|js)\b/g))
        named.add(path.replace(/^\.?\//, ""));
    });
  const bases = new Set([...named].map((name) => posix.basename(name)));
  return files
    .filter(
      ({ path, source }) =>
        source !== undefined && !ENTRIES.some((entry) => entry.test(path)) && !named.has(path),
    )
    .filter(({ path }) => !(isTest(path) && bases.has(posix.basename(path))))
    .map(({ path }) => ({
      path,
      line: 1,
      rule: "T9",
      text: "nobody imports it: use it or delete it",
    }));
}
