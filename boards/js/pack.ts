// SPDX-License-Identifier: MIT
// WebAssembly to one ES5 factory, `function loop(host)`.
//
// binaryen's wasm2js translates; here its module becomes a factory with a memory of the size that the module
// says, its data as one string and the run-time functions it uses. `host` is an object of the imports by
// name; the factory returns the exports and `memory`, a Uint8Array. A trap throws Error("trap").
// What wasm2js leaves without a trap stays so: division by zero gives 0, an access outside does nothing.

import { runBinaryen } from "./binaryen.ts";
import { refuseWideImports } from "./host-types.ts";
import { SHARED } from "./run-time.ts";
import { packSegments } from "./segments.ts";
import { eachNode, read, type Statement, write } from "./tree.ts";
import { type Parts, takeApart } from "./wasm2js.ts";

const MEMORY_STEP = 16;

export interface Packed {
  code: string;
  memoryBytes: number;
  imports: string[];
}

/** A module as JavaScript; throws an error that says what cannot be translated. */
export function pack(name: "loop" | "link", wasm: Uint8Array): Packed {
  refuseWideImports(wasm);
  const memoryBytes = memoryOf(wasm);
  const text = Buffer.from(
    runBinaryen("wasm2js", wasm, ["-Oz", "--skip-pass=coalesce-locals"]),
  ).toString();
  const parts = takeApart(text);
  for (const { at, octets } of parts.segments)
    if (at + octets.length > memoryBytes)
      throw new Error(
        `data at ${at} lies behind the ${memoryBytes} octets that memoryBytes() says`,
      );
  const used = namesOf(parts);
  const shared = Object.entries(SHARED).filter(([key]) => used.has(key));
  const top = shared.map(([, code]) => code);
  const code = [...top, factoryText(name, parts, memoryBytes, used)].join("\n");
  return { code: write(read(code)), memoryBytes, imports: [...parts.imports.values()] };
}

// What memoryBytes() of the module says. It is asked before anything else runs in it.
function memoryOf(wasm: Uint8Array): number {
  const module = new WebAssembly.Module(wasm as BufferSource);
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    (imports[from] ??= {})[name] = () => 0;
  const { memoryBytes } = new WebAssembly.Instance(module, imports).exports;
  if (typeof memoryBytes !== "function")
    throw new Error("the module has no export memoryBytes: nobody knows how much memory it needs");
  return Math.ceil((memoryBytes as () => number)() / MEMORY_STEP) * MEMORY_STEP;
}

const COPY = `function wasm2js_memory_copy(to, from, count) {
  var i = count;
  if (to >>> 0 > from >>> 0) while (i--) HEAPU8[to + i] = HEAPU8[from + i];
  else for (i = 0; i < count; i++) HEAPU8[to + i] = HEAPU8[from + i];
}`;
const FILL = `function wasm2js_memory_fill(to, value, count) {
  while (count--) HEAPU8[to++] = value;
}`;
const IN_FACTORY: Readonly<Record<string, string>> = {
  wasm2js_memory_copy: COPY,
  wasm2js_memory_fill: FILL,
};

// What functions name, and what the factory needs for its data.
function namesOf({ functions, variables, segments }: Parts): Set<string> {
  const names = new Set(["HEAPU8"]);
  for (const part of [...functions, ...variables])
    eachNode(part, (node) => {
      if (node.type === "Identifier") names.add(node.name);
    });
  if (segments.length > 0) names.add("segment");
  if ([...names].some((name) => name.startsWith("wasm2js_scratch_"))) names.add("scratch");
  return names;
}

const ARRAY: Readonly<Record<string, string>> = { 8: "Int8", 16: "Int16", 32: "Int32" };
const arrayOf = (view: string): string => {
  const kind = view.slice(4);
  return `${ARRAY[kind] ?? kind.replace("U", "Uint").replace(/^F/, "Float")}Array`;
};

function factoryText(
  name: string,
  parts: Parts,
  memoryBytes: number,
  used: ReadonlySet<string>,
): string {
  const views = [...parts.views].filter((view) => used.has(view));
  const math = [...used].filter((id) => id.startsWith("Math_") && !(id in SHARED));
  const variables = [
    `buffer = new ArrayBuffer(${memoryBytes})`,
    ...views.map((view) => `${view} = new ${arrayOf(view)}(buffer)`),
    ...math.map((id) => `${id} = Math.${id.slice(5)}`),
    ...[...parts.imports].map(([id, field]) => `${id} = host[${JSON.stringify(field)}]`),
  ];
  const functions = [
    ...Object.entries(IN_FACTORY).flatMap(([id, code]) => (used.has(id) ? [code] : [])),
    ...parts.functions.map(textOf),
  ];
  const exported = [...parts.exports].map(([id, inside]) => `${JSON.stringify(id)}: ${inside}`);
  return [
    `function ${name}(host) {`,
    `var ${variables.join(", ")};`,
    ...functions,
    ...parts.variables.map(textOf), // a table names functions: Espruino knows them from here on
    ...packSegments(parts.segments).map(
      ({ at, text }) => `segment(HEAPU8, ${at}, ${JSON.stringify(text)});`,
    ),
    ...parts.starts.map((id) => `${id}();`),
    `return {${[...exported, "memory: HEAPU8"].join(", ")}};`,
    "}",
  ].join("\n");
}

const textOf = (node: Statement): string => write({ type: "Program", body: [node] });
