// SPDX-License-Identifier: MIT
// What wasm2js writes, taken apart; nothing unknown passes.
//
// The text is a module of imports, run-time functions, `function asmFunc(imports)`, one call of it and
// exports. Run-time functions are recognised by name and left out: run-time.ts has its own.

import { parse } from "acorn";
import type { Expression, FunctionDeclaration, Literal, Statement } from "./tree.ts";
import { eachNode } from "./tree.ts";

export interface Segment {
  at: number;
  octets: Uint8Array;
}

export interface Parts {
  imports: ReadonlyMap<string, string>; // name in the text -> function of the host
  views: ReadonlySet<string>;
  variables: Statement[]; // globals and table
  functions: FunctionDeclaration[];
  exports: ReadonlyMap<string, string>; // name -> function
  segments: Segment[];
  starts: string[]; // functions called once when the instance is made
}

const VIEWS = /^HEAP(8|16|32|U8|U16|U32|F32|F64)$/;
const MATH = /^Math_(imul|fround|abs|clz32|min|max|floor|ceil|trunc|sqrt)$/;
const GLOBALS = /^(global\$\d+(\$hi)?|__wasm_intrinsics_temp_i64(\$hi)?|i64toi32_i32\$HIGH_BITS)$/;
const RUN_TIME = new RegExp(
  "^wasm2js_(trap|memory_(copy|fill)|scratch_(load|store)_(i32|f32|f64))$",
);
const TOP_FUNCTIONS = /^(base64DecodeToExistingUint8Array|initActiveSegments|asmFunc)$/;
const TOP_VARIABLES = new RegExp(
  "^(bufferView|base64ReverseLookup|scratchBuffer|(i32|f32|f64)ScratchView|retasmFunc|i)$",
);

const unknown = (what: string): Error =>
  new Error(
    `${what} in what wasm2js wrote is not handled: change the node, or boards/js/wasm2js.ts`,
  );

/** Takes the text apart; throws an error that names what it does not know. */
export function takeApart(text: string): Parts {
  const program = parse(text, { ecmaVersion: 2022, sourceType: "module" });
  let factory: FunctionDeclaration | undefined;
  let segments: Segment[] = [];
  for (const node of program.body) {
    if (node.type === "ImportDeclaration") {
      if (node.source.value !== "host") throw unknown(`import from "${String(node.source.value)}"`);
    } else if (node.type === "FunctionDeclaration") {
      if (!TOP_FUNCTIONS.test(node.id.name) && !RUN_TIME.test(node.id.name))
        throw unknown(`function ${node.id.name}`);
      if (node.id.name === "asmFunc") factory = node as unknown as FunctionDeclaration;
      if (node.id.name === "initActiveSegments")
        segments = segmentsOf((node as unknown as FunctionDeclaration).body.body);
    } else if (node.type === "VariableDeclaration") {
      for (const { id } of node.declarations)
        if (id.type === "Identifier" && !TOP_VARIABLES.test(id.name))
          throw unknown(`variable ${id.name}`);
    } else if (!isExpected(node.type)) throw unknown(node.type);
  }
  if (factory === undefined) throw unknown("a text without asmFunc");
  return partsOf(factory, segments);
}

// The filling of the decoder's table, assignments to it, `export var`, `;`.
const isExpected = (type: string): boolean =>
  ["ForStatement", "ExpressionStatement", "ExportNamedDeclaration", "EmptyStatement"].includes(
    type,
  );

function segmentsOf(statements: readonly Statement[]): Segment[] {
  return statements.map((s) => {
    const called = s.type === "ExpressionStatement" ? s.expression : undefined;
    if (
      called?.type !== "CallExpression" ||
      nameOf(called.callee) !== "base64DecodeToExistingUint8Array"
    )
      throw unknown("a data segment that is no constant");
    const [, at, base64] = called.arguments as Literal[];
    if (typeof at?.value !== "number" || typeof base64?.value !== "string")
      throw unknown("a data segment without a constant address");
    return { at: at.value, octets: new Uint8Array(Buffer.from(base64.value, "base64")) };
  });
}

const nameOf = (node: Expression | null): string => (node?.type === "Identifier" ? node.name : "");

function partsOf(factory: FunctionDeclaration, segments: Segment[]): Parts {
  const parts = {
    imports: new Map<string, string>(),
    views: new Set<string>(),
    variables: [] as Statement[],
    functions: [] as FunctionDeclaration[],
    exports: new Map<string, string>(),
    segments,
    starts: [] as string[],
  };
  for (const s of factory.body.body) takeStatement(s, parts as never);
  const declared = parts.variables.flatMap((s) =>
    s.type === "VariableDeclaration" ? s.declarations.map(({ id }) => id.name) : [],
  );
  const functions = parts.functions.map(({ id }) => id.name);
  const labels = parts.functions.flatMap(labelsOf);
  const known = new Set([
    ...declared,
    ...functions,
    ...labels,
    ...parts.imports.keys(),
    ...parts.views,
  ]);
  for (const f of parts.functions) refuseUnknown(f, known);
  return parts;
}

type Mutable = { -readonly [K in keyof Parts]: Parts[K] } & {
  imports: Map<string, string>;
  views: Set<string>;
  exports: Map<string, string>;
};

function takeStatement(s: Statement, parts: Mutable): void {
  if (s.type === "FunctionDeclaration") {
    if (!s.id.name.startsWith("__wasm_memory_")) parts.functions.push(s);
  } else if (s.type === "VariableDeclaration") {
    for (const { id, init } of s.declarations) takeVariable(id.name, init, s, parts);
  } else if (s.type === "ExpressionStatement") {
    const { expression } = s;
    if (expression.type === "AssignmentExpression" && nameOf(expression.left) === "bufferView")
      return;
    const callee = expression.type === "CallExpression" ? nameOf(expression.callee) : "";
    if (callee === "") throw unknown(`a statement ${expression.type} of asmFunc`);
    if (callee !== "initActiveSegments") parts.starts.push(callee);
  } else if (s.type === "ReturnStatement") takeExports(s.argument, parts);
  else if (s.type !== "EmptyStatement") throw unknown(`a statement ${s.type} of asmFunc`);
}

function takeVariable(id: string, init: Expression | null, s: Statement, parts: Mutable): void {
  if (VIEWS.test(id)) parts.views.add(id);
  else if (init?.type === "MemberExpression" && /^(fimport\$\d+)$/.test(id)) {
    if (nameOf(init.object) !== "host") throw unknown(`import ${id}`);
    parts.imports.set(
      id,
      init.computed ? String((init.property as Literal).value) : nameOf(init.property),
    );
  } else if (GLOBALS.test(id) || id === "FUNCTION_TABLE") parts.variables.push(s);
  else if (!MATH.test(id) && !["buffer", "host", "nan", "infinity"].includes(id))
    throw unknown(`variable ${id}`);
  else if (id === "nan" || id === "infinity") parts.variables.push(s);
}

function takeExports(value: Expression | null, parts: Mutable): void {
  if (value?.type !== "ObjectExpression") throw unknown("what asmFunc returns");
  for (const { key, value: exported } of value.properties) {
    const name = key.type === "Literal" ? String(key.value) : nameOf(key);
    if (exported.type === "Identifier") parts.exports.set(name, exported.name);
    else if (name !== "memory") throw unknown(`export ${name}`);
  }
}

function labelsOf(f: FunctionDeclaration): string[] {
  const found: string[] = [];
  eachNode(f, (node) => {
    if (node.type === "LabeledStatement") found.push(node.label.name);
  });
  return found;
}

// Every name is one of the function's own, of the factory's or of run-time.ts.
function refuseUnknown(f: FunctionDeclaration, known: ReadonlySet<string>): void {
  const own = new Set(f.params.map(({ name }) => name));
  eachNode(f, (node) => {
    if (node.type === "VariableDeclarator") own.add(node.id.name);
  });
  eachNode(f, (node) => {
    if (node.type !== "Identifier") return;
    const { name } = node;
    if (name === "__wasm_memory_grow" || name === "__wasm_memory_size")
      throw new Error(
        `the module uses memory.${name.slice(14)}: on a JavaScript board memory cannot grow`,
      );
    if (!own.has(name) && !known.has(name) && !RUN_TIME.test(name) && !MATH.test(name))
      throw unknown(name);
  });
}
