// SPDX-License-Identifier: MIT
// The flash image of the example nodes: what is in it, and that it stays the same.
//
// Goal: one command makes an image that a Pico's boot ROM takes, with the sizes it says. Method: the real compiler, the
// files read back by other readers where there are some; nothing runs here.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildBoard } from "../../scripts/build/boards.ts";
import { budgetOf } from "../../scripts/build/budget.ts";
import { loadSegments, readSymbols } from "../../scripts/build/elf.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { boardText, readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { imageSizes, overBudget, sizeTable } from "../../scripts/build/size.ts";
import { decodeUf2, stageCrc } from "../../scripts/build/uf2.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";

const needsCompiler = program("arm-none-eabi-gcc", "arm-none-eabi-objdump");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico "));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
let oven: BuiltNode;
let image: Rp2040Image;

before(async () => {
  oven = await buildNode(join(PROJECT, "firmware/nodes/oven"));
  if (needsCompiler.skip === false) image = buildRp2040("pico", oven, join(folder, "oven"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test(
  "the UF2 holds the octets of the ELF file, and a second stage that checks",
  needsCompiler,
  () => {
    const flash = new Uint8Array(1 << 21);
    for (const { address, bytes } of decodeUf2(readFileSync(image.program)))
      flash.set(bytes, address - 0x10000000);
    for (const { address, bytes } of loadSegments(readFileSync(image.elf))) {
      const at = address - 0x10000000;
      const from = at === 0 ? 256 : 0; // before that the build fills in the CRC
      assert.equal(hex(flash.subarray(at + from, at + bytes.length)), hex(bytes.subarray(from)));
    }
    const crc = new DataView(flash.buffer).getUint32(252, true);
    assert.equal(crc, stageCrc(flash.subarray(0, 252)));
    assert.notEqual(crc, 0);
  },
);

test("the same node gives the same octets in another folder", needsCompiler, () => {
  const again = buildRp2040("pico", oven, join(folder, "somewhere else"));
  for (const key of ["program", "elf", "map", "sbom"] as const)
    assert.ok(readFileSync(image[key]).equals(readFileSync(again[key])), key);
  assert.ok(!readFileSync(image.map, "utf8").includes(folder));
});

test("the size that is told is the size that another reader finds", needsCompiler, () => {
  const { stdout } = spawnSync("arm-none-eabi-objdump", ["-h", image.elf], { encoding: "utf8" });
  const bytes = (name: string): number =>
    parseInt(new RegExp(`\\s\\${name}\\s+([0-9a-f]+)`).exec(stdout)![1]!, 16);
  assert.equal(image.sizes.flashBytes, bytes(".boot2") + bytes(".flash") + bytes(".image"));
  const bss = parseInt(/\s\.bss\s+[0-9a-f]+\s+([0-9a-f]+)/.exec(stdout)![1]!, 16);
  assert.equal(image.sizes.sramBytes, bss + bytes(".bss") - 0x20000000 + 8192);
  assert.ok(image.sizes.kept);
});

test("code is told apart as another reader of the objects does", needsCompiler, () => {
  const { stdout } = spawnSync("arm-none-eabi-nm", ["-S", image.elf], { encoding: "utf8" });
  const said = image.sizes.rows.find(({ part }) => part === "code of link")!.flashBytes;
  const poll = parseInt(/ ([0-9a-f]{8}) T link_poll\n/.exec(stdout)![1]!, 16);
  const { stdout: object } = spawnSync("arm-none-eabi-size", [join(image.sources, "../o/link.o")], {
    encoding: "utf8",
  });
  const whole = Number(/\n\s*(\d+)/.exec(object)![1]);
  assert.ok(said > poll && said <= whole && said > whole - 1024, `${poll} < ${said} <= ${whole}`);
});

test("an image over its budget is told apart from one that keeps it", needsCompiler, () => {
  const [elf, map] = [readFileSync(image.elf), readFileSync(image.map, "utf8")];
  const { flashBytes, sramBytes, budget } = image.sizes;
  const sizes = (changes: object) => imageSizes(elf, map, { ...budget, ...changes });
  assert.deepEqual(budget, { flashBytes: 65_536, sramBytes: 73_728, tickCycles: 625_000 });
  assert.deepEqual(overBudget(sizes({ flashBytes, sramBytes })), []);
  assert.equal(sizes({ flashBytes: flashBytes - 1 }).kept, false);
  assert.equal(sizes({ sramBytes: sramBytes - 1 }).kept, false);
  assert.deepEqual(overBudget(sizes({ sramBytes: sramBytes - 7 })), [
    `SRAM: ${sramBytes} of ${sramBytes - 7} octets, 7 too many`,
  ]);
});

test("node.json has the last word on a budget", () => {
  const budgets = { sramBytes: 70_000, tickCycles: 9 };
  const type = { ...oven.type, budgets };
  assert.deepEqual(budgetOf(readBoard("pico"), type), { flashBytes: 65_536, ...budgets });
});

test("the table tells what changed since another build", needsCompiler, () => {
  const { sizes } = image;
  const before = {
    ...sizes,
    rows: sizes.rows.map((row) => ({ ...row, flashBytes: row.flashBytes - 4 })),
    sramBytes: sizes.sramBytes + 100,
  };
  const lines = sizeTable(sizes, before).split("\n");
  assert.match(lines[1]!, /^second stage +256 +\+4 +0$/);
  assert.match(
    lines.find((line) => line.startsWith("sum"))!,
    / {4}-100$/,
  );
});

test("the bill names both modules by their hashes and has no time in it", needsCompiler, () => {
  const bill = JSON.parse(readFileSync(image.sbom, "utf8")) as {
    bomFormat: string;
    specVersion: string;
    serialNumber: string;
    components: { name: string; hashes?: { content: string }[] }[];
  };
  assert.equal(bill.bomFormat, "CycloneDX");
  assert.equal(bill.specVersion, "1.5");
  assert.match(bill.serialNumber, /^urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
  const hashOf = (name: string) =>
    bill.components.find((c) => c.name === name)?.hashes?.[0]?.content;
  assert.equal(hashOf("loop.wasm"), Buffer.from(oven.loop.hash).toString("hex"));
  assert.equal(hashOf("link.wasm"), Buffer.from(oven.link.hash).toString("hex"));
});

test("everything that runs after start-up lies in SRAM", needsCompiler, () => {
  const inFlash = readSymbols(readFileSync(image.elf)).filter(
    ({ address, size }) => size > 0 && address >= 0x10000000 && address < 0x20000000,
  );
  assert.deepEqual(inFlash.map(({ name }) => name).toSorted(), ["set_up_clocks", "start_pll"]);
});

test("a node that needs more than the board has is refused by name", () => {
  const board = readBoard("pico");
  const none = { ...board, analog: [] };
  assert.throws(() => boardText(none, oven), /pico has no analog input 0: it has none/);
  const few = { ...board, pwm: [] };
  assert.throws(() => boardText(few, oven), /pico has no PWM output 0/);
});

test("without the compiler the build says what to install", async () => {
  const { PATH } = process.env;
  process.env["PATH"] = folder;
  try {
    await assert.rejects(buildBoard("pico", oven, join(folder, "none")), {
      message: /there is no C compiler for this board \(arm-none-eabi-gcc\)/,
      next: /apt-get install .*gcc-arm-none-eabi/,
    });
  } finally {
    process.env["PATH"] = PATH;
  }
});

for (const name of ["meter", "press", "scale"])
  test(`the node ${name} becomes an image`, needsCompiler, async () => {
    const built = await buildNode(join(PROJECT, "firmware/nodes", name));
    assert.ok(buildRp2040("pico", built, join(folder, name)).sizes.kept);
  });
