// SPDX-License-Identifier: MIT
// Shrunk and minified factories do what WebAssembly does.
//
// Random modules and those of the example nodes. V8's WebAssembly is the oracle; results, calls of the host and memory are compared after each call. Duktape,
// an engine of its own, runs some of it too.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Script } from "node:vm";
import { delabel } from "../../boards/js/delabel.ts";
import { lint } from "../../boards/js/lint.ts";
import { minify } from "../../boards/js/minify.ts";
import { pack } from "../../boards/js/pack.ts";
import { shrink } from "../../boards/js/shrink.ts";
import { read, write } from "../../boards/js/tree.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { compareModule } from "./js-compare.ts";
import { FUNCTIONS, randomModule } from "./js-random.ts";

const FIRST_SEED = Number(process.env["SEED"] ?? 1);
const MODULES = Number(process.env["MODULES"] ?? 3);
const OUTPUT_BYTES_MAX = 1 << 26;
const OPERANDS = [0, 1, -1, 24, 255, 65536, 0x7fffffff, -0x80000000, 1234567];

type Calls = Record<string, ((a: number, b: number) => number) | undefined>;

/** Everything that calls of all exports bring about, as lines. Plain ES5 text too, for other engines. */
const DRIVER = `function drive(make, print) {
  var line = "", memory;
  var made = make({ probe: function (a, b) {
    line += " " + (a | 0) + "," + (b | 0);
    return (a ^ b << 3) + 1 | 0;
  } });
  for (var i = 0; i < ${FUNCTIONS}; i++) for (var j = 0; j < OPERANDS.length; j++) {
    if (!made["f" + i]) continue;
    line = "";
    var other = OPERANDS[(j * 5 + i) % OPERANDS.length], sum = 0;
    var result = made["f" + i](OPERANDS[j], other) | 0;
    memory = made.memory;
    for (var k = 0; k < 1024; k++) sum = (sum * 31 | 0) + memory[k] | 0;
    print("f" + i + " " + j + ": " + result + " " + sum + line);
  }
}
var OPERANDS = [${OPERANDS.join()}];`;

type Drive = (make: (host: object) => object, print: (line: string) => void) => void;
const drive = new Script(`${DRIVER} drive`).runInThisContext() as Drive;

function linesOf(make: (host: object) => object): string[] {
  const lines: string[] = [];
  drive(make, (line) => void lines.push(line));
  return lines;
}

const asWasm =
  (wasm: Uint8Array) =>
  (host: object): object => {
    const module = new WebAssembly.Module(wasm as BufferSource);
    const { exports } = new WebAssembly.Instance(module, {
      host: host as WebAssembly.ModuleImports,
    });
    const memory = new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer);
    return { ...(exports as unknown as Calls), memory };
  };

const asCode = (code: string): ((host: object) => object) =>
  new Script(`(function () { ${code}\nreturn loop; })()`).runInThisContext() as never;

for (let seed = FIRST_SEED; seed < FIRST_SEED + MODULES; seed++)
  test(`the random module ${seed} does what WebAssembly does`, async () => {
    const wasm = randomModule(seed);
    const expected = linesOf(asWasm(wasm));
    const packed = pack("loop", wasm).code;
    assert.deepEqual(linesOf(asCode(packed)), expected, `packed: SEED=${seed}`);
    const small = shrink(packed);
    assert.ok(small.length < packed.length);
    assert.deepEqual(linesOf(asCode(small)), expected, `shrunk: SEED=${seed}`);
    const least = await minify(write(delabel(read(small))));
    assert.deepEqual(lint(least), []);
    assert.deepEqual(linesOf(asCode(least)), expected, `minified: SEED=${seed}`);
  });

test("Duktape does the same, with the fallbacks of Math too", program("duk"), async () => {
  const wasm = randomModule(FIRST_SEED);
  const expected = linesOf(asWasm(wasm));
  const code = await minify(write(delabel(read(shrink(pack("loop", wasm).code)))));
  const folder = mkdtempSync(join(tmpdir(), "js-shrink-"));
  try {
    for (const before of ["", "Math.imul = Math.clz32 = Math.trunc = undefined;"]) {
      const file = join(folder, "run.js");
      writeFileSync(file, `${before}\n${code}\n${DRIVER}\ndrive(loop, print);`);
      const ran = spawnSync("duk", [file], { encoding: "utf8", maxBuffer: OUTPUT_BYTES_MAX });
      assert.equal(ran.stderr, "");
      assert.deepEqual(ran.stdout.trimEnd().split("\n"), expected);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

for (const node of ["oven", "meter"])
  test(`modules of ${node} for a board are the same, shrunk and minified`, async () => {
    const built = await buildNode(join(PROJECT, "firmware/nodes", node), { board: "kaluma-pico" });
    for (const kind of ["loop", "link"] as const) {
      const { wasm } = built[kind];
      const code = await minify(write(delabel(read(shrink(pack(kind, wasm).code)))));
      assert.deepEqual(lint(code), []);
      for (const seed of [1, 2, 3, 4, 5, 6])
        assert.equal(
          compareModule(kind, wasm, code, { seed, calls: 300 }),
          null,
          `${kind} ${seed}`,
        );
    }
  });

test("the same module gives the same octets", () => {
  const { code } = pack("loop", randomModule(FIRST_SEED));
  assert.equal(shrink(code), shrink(code));
});
