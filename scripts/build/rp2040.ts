// SPDX-License-Identifier: MIT
// A node as a flash image of an RP2040: ELF, UF2, map, sizes, bill of parts.
//
// Same input, same octets, in whichever folder: all C is laid into one folder, the compiler works in it by relative
// names, and nothing says when or where. Debian's arm-none-eabi-gcc is the compiler.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { translate } from "../../aot/index.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import { installLine } from "../run/debian.ts";
import { budgetOf } from "./budget.ts";
import { writeWhole } from "./cache.ts";
import { loadSegments } from "./elf.ts";
import { hostKnown } from "./imports.ts";
import { type Identity, identitySector } from "./identity.ts";
import { memoryBound } from "./memory.ts";
import type { BuiltNode } from "./modules.ts";
import { boardHeader, boardText, readBoard, type Rp2040Board } from "./rp2040-board.ts";
import { billOfMaterials } from "./sbom.ts";
import { imageSizes, type Sizes } from "./size.ts";
import { PROJECT } from "./sources.ts";
import { decodeUf2, encodeUf2, FLASH_START, flashImage, SECTOR_BYTES } from "./uf2.ts";
import { packageVersion } from "./version.ts";

const COMPILER = "arm-none-eabi-gcc";
const PACKAGE = "gcc-arm-none-eabi";
const HOST = join(PROJECT, "boards/rp2040");
const SHARED = ["host.h", "host.c", "channel.h", "channel.c"]; // with the other boards
const TARGET = ["-mcpu=cortex-m0plus", "-mthumb"];
const FLAGS = [
  ...TARGET,
  ...["-O2", "-std=gnu11", "-ffreestanding", "-ffunction-sections", "-fdata-sections"],
  ...["-fno-tree-loop-distribute-patterns", "-masm-syntax-unified", "--param=min-pagesize=0"],
  ...["-ffp-contract=off", "-fno-strict-aliasing", "-fno-common"],
  ...["-DLOOP_CALL_DEPTH_MAX=24", "-DLINK_CALL_DEPTH_MAX=24"], // recursion, of stacks of 3.5 and 4 KiB
];
// What a tick runs through; all else is compiled for size.
const HOT = ["tick.c", "memory.c", "channel.c", "tap.c", "analog.c", "pins.c", "accelerometer.c"];
const WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-type-limits"];
const LINK_FLAGS = [
  ...["-nostdlib", "-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments"],
  ...["-Wl,--build-id=none", "-Wl,--fatal-warnings", "-Wl,--sort-section=alignment"],
];

export interface Rp2040Image {
  program: string; // path of the UF2 file
  sources: string; // folder of the C
  elf: string;
  map: string;
  sbom: string;
  sizes: Sizes;
  takes?: undefined;
}

/** Makes the image of a built node in a folder; whether it keeps its budget is in the sizes. Throws Failure. */
export function buildRp2040(name: string, built: BuiltNode, out: string): Rp2040Image {
  const board = readBoard(name);
  const folder = resolve(out);
  const [sources, objects] = [join(folder, "c"), join(folder, "o")];
  for (const path of [join(sources, "rp2040"), objects]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }
  const version = compilerVersion();
  writeSources(sources, board, built);
  const file = (ending: string): string => join(folder, `${built.type.type}.${ending}`);
  compile(objects, file("elf"), file("map"));
  const elf = readFileSync(file("elf"));
  const image = flashImage(loadSegments(elf), board.flashBytes);
  const sizes = imageSizes(elf, readFileSync(file("map"), "utf8"), budgetOf(board, built.type));
  writeWhole(file("uf2"), encodeUf2([{ address: FLASH_START, bytes: image }]));
  writeWhole(file("cdx.json"), bill(built, image, version));
  writeWhole(file("size.json"), `${JSON.stringify(sizes, null, 2)}\n`);
  return {
    program: file("uf2"),
    ...{ sources, elf: file("elf"), map: file("map"), sbom: file("cdx.json"), sizes },
  };
}

/** The UF2 of an image for a board, with an identity's sector: in one file, since the board starts after the first. */
export function withIdentity(board: string, program: string, identity?: Identity): Uint8Array {
  const uf2 = new Uint8Array(readFileSync(program));
  if (identity === undefined) return uf2;
  const image = Buffer.concat(decodeUf2(uf2).map(({ bytes }) => bytes)); // from the start, without gaps
  const last = FLASH_START + readBoard(board).flashBytes - SECTOR_BYTES;
  return encodeUf2([
    { address: FLASH_START, bytes: image },
    { address: last, bytes: identitySector(identity) },
  ]);
}

function writeSources(sources: string, board: Rp2040Board, built: BuiltNode): void {
  const put = (name: string, text: string): void => writeWhole(join(sources, name), text);
  const copy = (from: string, to: string): void => put(to, readFileSync(from, "utf8"));
  for (const name of SHARED) copy(join(PROJECT, "boards", name), name);
  for (const folder of [HOST, join(HOST, board.transport.kind)])
    for (const file of readdirSync(folder, { withFileTypes: true }))
      if (file.isFile()) copy(join(folder, file.name), `rp2040/${file.name}`);
  for (const name of ["loop", "link"] as const) {
    const { wasm } = built[name];
    const memoryBytes = memoryBound(`${name} of ${built.type.type}`, wasm);
    const { c, header } = translate(wasm, { name, memoryBytes, ...hostKnown(wasm) });
    put(`rp2040/${name}.c`, c);
    put(`rp2040/${name}.h`, header);
  }
  put("rp2040/board.h", boardHeader(board, built));
  put("rp2040/board.c", boardText(board, built));
}

// Works in the folder of the objects: every name the compiler is told is relative.
function compile(objects: string, elf: string, map: string): void {
  const names = readdirSync(join(objects, "../c/rp2040")).toSorted();
  const path = (name: string): string => `../c/rp2040/${name}`;
  const translated = ["link.c", "loop.c"];
  const own = names.filter((name) => /\.[cS]$/.test(name) && !translated.includes(name));
  const shared = SHARED.filter((name) => name.endsWith(".c"));
  const all = [...shared.map((name) => `../c/${name}`), ...own.map(path)];
  const isHot = (file: string): boolean => HOT.includes(basename(file));
  const base = ["-c", ...FLAGS, "-I../c/rp2040"];
  run(objects, [...base, ...WARNINGS, ...all.filter(isHot)]);
  run(objects, [...base, ...WARNINGS, "-Os", ...all.filter((file) => !isHot(file))]);
  run(objects, [...base, "-Os", "-fno-inline-functions-called-once", ...translated.map(path)]);
  const parts = [...shared, ...names.filter((name) => /\.[cS]$/.test(name))];
  run(objects, [
    ...[...TARGET, ...LINK_FLAGS, "-T", path("image.ld"), "-Wl,-Map=image.map", "-o", "image.elf"],
    ...[...parts.map((name) => name.replace(/\.[cS]$/, ".o")), "-lgcc"],
  ]);
  writeWhole(elf, readFileSync(join(objects, "image.elf")));
  writeWhole(map, readFileSync(join(objects, "image.map")));
}

function run(cwd: string, args: readonly string[]): void {
  const ran = spawnSync(COMPILER, args, { cwd, encoding: "utf8" });
  if (ran.error !== undefined) throw noCompiler();
  if (ran.status !== 0)
    throw new Failure(
      EXIT_FAILED,
      `${COMPILER} refuses the C of this node:\n${ran.stderr.slice(0, 2000)}`,
      "this is not your code: report it with your node.json",
    );
}

/** Version of the cross compiler. Throws Failure where there is none. */
export function compilerVersion(): string {
  const ran = spawnSync(COMPILER, ["-dumpfullversion"], { encoding: "utf8" });
  if (ran.error !== undefined || ran.status !== 0) throw noCompiler();
  return ran.stdout.trim();
}

function noCompiler(): Failure {
  return new Failure(
    EXIT_NOT_FOUND,
    `there is no C compiler for this board (${COMPILER})`,
    installLine([PACKAGE]),
  );
}

function bill({ type, loop, link }: BuiltNode, image: Uint8Array, gcc: string): string {
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const version = packageVersion();
  const license = "MIT";
  return billOfMaterials({
    node: type.type,
    image,
    parts: [
      { name: "ferrule-rp2040", version, type: "firmware", license },
      { name: "loop.wasm", version, type: "application", sha256: sha256(loop.wasm) },
      { name: "link.wasm", version, type: "application", sha256: sha256(link.wasm) },
      {
        ...{ name: "libgcc", version: gcc, type: "library" as const },
        license: "GPL-3.0-or-later WITH GCC-exception-3.1",
      },
    ],
    tools: [
      { name: "ferrule", version },
      { name: COMPILER, version: gcc },
    ],
  });
}
