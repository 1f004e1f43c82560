// SPDX-License-Identifier: MIT
// What the translator may keep of memory across a call of a host function.
//
// Goal: what a host function writes is read anew, what the module wrote is what the host reads, on every way
// that the C may be built: file by file, with link-time optimisation, host and module in one file.
// Method: a module and a host of few lines, in V8 and as C on this machine.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { translate } from "../../aot/index.ts";
import { hostKnown } from "../../scripts/build/imports.ts";
import { assembleModule } from "../aot/assemble.ts";
import { ferrule } from "../support/ferrule.ts";
import { program } from "../support/need.ts";

const needsCompiler = program("gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule host memory "));
after(() => rmSync(folder, { recursive: true, force: true }));

// host.entropy writes its address into every octet, host.ring_put gives the sum of the octets it reads.
const WASM = assembleModule({
  imports: [
    { module: "host", field: "entropy", type: "i32 i32 -> i32" },
    { module: "host", field: "ring_put", type: "i32 i32 -> i32" },
    { module: "host", field: "tap_take", type: "i32 i32 i32 -> i32" },
  ],
  functions: [
    {
      export: "written", // by the host, over what the module stored and read
      type: "-> i32",
      code: `i32.const 0; i32.const 7; i32.store 64; i32.const 0; i32.load 64
        i32.const 64; i32.const 4; call 0; drop; i32.const 0; i32.load 64; i32.add`,
    },
    {
      export: "beside", // what was stored there stays known
      type: "-> i32",
      code: `i32.const 0; i32.const 11; i32.store 96; i32.const 92; i32.const 4; call 0; drop
        i32.const 0; i32.load 96`,
    },
    {
      export: "last", // octet of the last of two entries of 8 octets
      type: "-> i32",
      code: `i32.const 0; i32.const 5; i32.store8 143
        i32.const 0; i32.const 128; i32.const 2; call 2; drop
        i32.const 0; i32.load8_u 143`,
    },
    {
      export: "reads", // what the module stored last
      type: "i32 -> i32",
      code: `i32.const 0; local.get 0; i32.store 160
        i32.const 160; i32.const 4; call 1
        i32.const 0; local.get 0; i32.const 1; i32.add; i32.store 160
        i32.const 160; i32.const 4; call 1
        i32.const 1000; i32.mul; i32.add`,
    },
    {
      export: "octet", // octets that nobody writes, and octets that the host does
      type: "i32 -> i32",
      code: `i32.const 200; i32.const 4; call 0; drop
        local.get 0; i32.const 7; i32.and; i32.load8_u 200`,
    },
    {
      export: "leave", // for the host to see when it returned
      type: "i32 ->",
      code: "i32.const 0; local.get 0; i32.store 240",
    },
  ],
  memory: { pages: 1, export: "memory" },
  data: [{ at: "i32.const 200", bytes: [1, 2, 3, 4, 5, 6, 7, 8] }],
});

const HOST = `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "m.h"
_Noreturn void m_trap(int kind, unsigned f, unsigned o) {
  printf("trap %d in %u at %u", kind, f, o);
  exit(1);
}
static uint32_t fill(uint32_t address, uint32_t octets) {
  for (uint32_t i = 0; i < octets; i++) m_memory[address + i] = (uint8_t)address;
  return octets;
}
uint32_t host_entropy(uint32_t address, uint32_t length) { return fill(address, length); }
uint32_t host_tap_take(uint32_t tap, uint32_t address, uint32_t n) {
  return fill(address, 8 * n) + tap;
}
uint32_t host_ring_put(uint32_t address, uint32_t length) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < length; i++) sum += m_memory[address + i];
  return sum;
}
static uint32_t left(uint32_t value) {
  m_leave(value);
  return m_memory[240] + 256u * m_memory[241];
}
int main(int argc, char **argv) {
  const uint32_t x = (uint32_t)argc;
  m_init();
  (void)argv;
  printf("%u %u %u ", m_written(), m_beside(), m_last());
  printf("%u %u %u ", m_reads(x), m_octet(x), m_octet(x + 4));
  printf("%u ", left(x + 300));
  printf("%u\\n", left(x + 301));
  return 0;
}
`;

async function inEngine(): Promise<string> {
  const memory = (): Uint8Array => new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer);
  const fill = (address: number, octets: number): number => {
    memory().fill(address & 255, address, address + octets);
    return octets;
  };
  const host = {
    entropy: fill,
    tap_take: (_tap: number, address: number, n: number) => fill(address, 8 * n),
    ring_put: (address: number, length: number) =>
      memory()
        .subarray(address, address + length)
        .reduce((a, b) => a + b, 0),
  };
  const { instance } = await WebAssembly.instantiate(new Uint8Array(WASM), { host });
  const { exports } = instance;
  const call = (name: string, ...operands: number[]): number =>
    (exports[name] as (...operands: number[]) => number)(...operands);
  const left = (value: number): number => {
    call("leave", value);
    return memory()[240]! + 256 * memory()[241]!;
  };
  const said = [call("written"), call("beside"), call("last"), call("reads", 1)];
  said.push(call("octet", 1), call("octet", 5), left(301), left(302));
  return said.join(" ");
}

function inC(flags: string[], sources: string[]): string {
  const path = join(folder, "program");
  const common = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused"];
  const always = ["-ffp-contract=off", "-fno-strict-aliasing", "-o", path];
  const built = spawnSync("gcc", [...common, ...flags, ...always, ...sources], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(built.status, 0, built.stderr);
  return spawnSync(path, { encoding: "utf8" }).stdout.trim();
}

const WAYS: [name: string, flags: string[], sources: string[]][] = [
  ["file by file", ["-O2"], ["host.c", "m.c"]],
  ["at -O3", ["-O3"], ["host.c", "m.c"]],
  ["with link-time optimisation", ["-O2", "-flto"], ["host.c", "m.c"]],
  ["in one partition", ["-O3", "-flto", "-flto-partition=one"], ["host.c", "m.c"]],
  ["in one file", ["-O2"], ["one.c"]],
  ["in one file, the other way round", ["-O3"], ["other.c"]],
];

test("memory is the same for host and module however the C is built", needsCompiler, async () => {
  const { c, header } = translate(WASM, { name: "m", ...hostKnown(WASM), hostWrites: [] });
  writeFileSync(join(folder, "m.h"), header);
  writeFileSync(join(folder, "m.c"), c);
  writeFileSync(join(folder, "host.c"), HOST);
  writeFileSync(join(folder, "one.c"), '#include "m.c"\n#include "host.c"\n');
  writeFileSync(join(folder, "other.c"), '#include "host.c"\n#include "m.c"\n');
  assert.match(c, /return 11u;/); // beside: the call did not lose what is known
  const expected = await inEngine();
  for (const [name, flags, sources] of WAYS) assert.equal(inC(flags, sources), expected, name);
});

test("a host function that is declared to write less than it does is believed", () => {
  const pointer = (length: number) => [{ address: 0, length, access: "write" as const }];
  const c = (octets: number): string =>
    translate(WASM, {
      ...{ name: "m", ...hostKnown(WASM), hostWrites: [] },
      hostPointers: { ...hostKnown(WASM).hostPointers, "host.entropy": pointer(octets) },
    }).c;
  assert.deepEqual(
    [4, 5].map((octets) => /return 11u;/.test(c(octets))),
    [true, false],
  );
});

test("--imports declares what an import writes, and refuses what is none", async () => {
  writeFileSync(join(folder, "in.wasm"), PRIVATE);
  const out = async (manifest: unknown): Promise<string> => {
    writeFileSync(join(folder, "imports.json"), JSON.stringify(manifest));
    const args = ["aot", "in.wasm", "-o", "out.c", "--imports", "imports.json"];
    const { code, stderr } = await ferrule(args, { cwd: folder });
    return code === 0 ? readFileSync(join(folder, "out.c"), "utf8") : stderr;
  };
  const writes = (octetsEach: number) => [{ address: 0, count: 1, octetsEach }];
  assert.match(
    await out({ "env.fill": { name: "put", writes: writes(1) } }),
    /return 17039619u;[^]*put\(/,
  );
  assert.doesNotMatch(await out({ "env.fill": { writes: writes(2) } }), /return 17039619u;/);
  assert.doesNotMatch(await out({ "env.fill": "put" }), /return 17039619u;/);
  assert.match(await out({ "env.fill": { writes: [{ address: -1 }] } }), /no list of names/);
});

const PRIVATE = assembleModule({
  imports: [{ module: "env", field: "fill", type: "i32 i32 ->" }],
  functions: [
    { type: "-> i32", code: "i32.const 0; i32.load 64", export: "f" },
    { type: "->", code: "i32.const 60; i32.const 4; call 0", export: "g" },
  ],
  memory: { pages: 1 },
  data: [{ at: "i32.const 64", bytes: [3, 1, 4, 1] }],
});

test("--explain says of each access what became of its check", () => {
  const wasm = assembleModule({
    functions: [
      {
        export: "f",
        type: "i32 i32 -> i32",
        locals: "i32 i32",
        code: `local.get 0; local.get 1; i32.store 8; local.get 0; i32.load 4
          i32.const 0; i32.load 64; i32.add; local.set 3
          loop void
            local.get 2; local.get 1; i32.lt_s
            if void
              local.get 2; i32.const 16; i32.ge_u
              if void; unreachable; end
              local.get 3; local.get 2; i32.load8_u 256; i32.add; local.set 3
              local.get 2; i32.const 1; i32.add; local.set 2; br 1
            end
          end
          local.get 3`,
      },
    ],
    memory: { pages: 1 },
  });
  const { reasons } = translate(wasm, { name: "m" });
  assert.deepEqual(
    reasons.map((line) => line.replaceAll(/octet \d+/g, "octet N")),
    [
      "checked: 4 octets at 8..65532 may end behind 65536",
      "merged: 4 octets at 4..65528 of memory's 65536 octets, check at octet N",
      "proven: 4 octets at 64 of memory's 65536 octets",
      "hoisted: 1 octets at 256..271 of memory's 65536 octets, test of octet N before the loop",
    ].map((why) => `function 0, octet N: ${why}`),
  );
});
