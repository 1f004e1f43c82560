// SPDX-License-Identifier: MIT
// The flash image of a node as a simulation takes it, from the cache.
//
// Its key is all that goes in: modules, node.json, host, board, translator, this build and the compiler. Octets
// and where a debugger finds link's memory; nothing else of the image is looked at.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChipPlace, ChipPlan } from "../../host-sim/plan.ts";
import { cacheFolder, dropOldest, hashTexts, makeFolders, writeWhole } from "./cache.ts";
import { readSymbols } from "./elf.ts";
import type { BuiltNode } from "./modules.ts";
import { polls } from "./polls.ts";
import { readBoard } from "./rp2040-board.ts";
import { buildRp2040, compilerVersion } from "./rp2040.ts";
import { PROJECT } from "./sources.ts";

const IMAGES_MAX = 40; // in the cache: 2 files of about 200 KB each
const SOURCES = ["boards", "aot", "scripts/build"];

/** A plan but for who the node is. */
export type ChipImage = Omit<ChipPlan, "identity">;

/** The image of a built node for a board, made where it is not there; `building` is told then. Throws Failure. */
export function cachedChip(board: string, built: BuiltNode, building = (): void => {}): ChipImage {
  const folder = join(cacheFolder() ?? tmpdir(), "chip");
  const stem = join(folder, keyOf(board, built));
  if (!existsSync(`${stem}.uf2`) || !existsSync(`${stem}.elf`)) {
    building();
    make(board, built, stem);
    for (const ending of [".uf2", ".elf"]) dropOldest(folder, ending, IMAGES_MAX);
  }
  return describe(board, built, stem);
}

function make(board: string, built: BuiltNode, stem: string): void {
  const out = mkdtempSync(join(tmpdir(), "ferrule-chip-"));
  try {
    const { program, elf } = buildRp2040(board, built, out);
    makeFolders(join(stem, ".."));
    writeWhole(`${stem}.elf`, readFileSync(elf));
    writeWhole(`${stem}.uf2`, readFileSync(program));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function keyOf(board: string, { type, loop, link }: BuiltNode): string {
  const hash = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
  const texts: [string, string][] = [
    ["board", board],
    ["type", JSON.stringify(type)],
    ["modules", `${hash(loop.hash)} ${hash(link.hash)}`],
    ["compiler", compilerVersion()],
  ];
  for (const top of SOURCES)
    for (const name of readdirSync(join(PROJECT, top), { recursive: true }).map(String).toSorted())
      if (/\.(ts|c|h|S|ld|json)$/.test(name))
        texts.push([`${top}/${name}`, readFileSync(join(PROJECT, top, name), "utf8")]);
  return hashTexts(texts).slice(0, 40);
}

function describe(name: string, { type }: BuiltNode, stem: string): ChipImage {
  const board = readBoard(name);
  const { flashBytes, transport, analog, digital, pulses, pwm, accelerometers } = board;
  const symbols = readSymbols(readFileSync(`${stem}.elf`));
  const place = (wanted: string): ChipPlace => {
    const found = symbols.find(({ name }) => name === wanted);
    if (found === undefined) throw new Error(`the image has no symbol ${wanted}`);
    return { address: found.address, size: found.size };
  };
  const inputs = Object.values(type.channels).flatMap((c) =>
    c.kind === "analog" ? [c.input] : [],
  );
  const meansBytes = 4 * new Set(inputs).size;
  return {
    ...{ board: name, flashBytes, transport, analog, digital, pulses, pwm, accelerometers },
    uf2: new Uint8Array(readFileSync(`${stem}.uf2`)),
    taps: Object.values(type.taps).map(({ uart }) => board.taps[uart]!.rx),
    sends: Object.values(type.taps).map((tap) =>
      polls(tap) ? board.taps[tap.uart]!.tx : undefined,
    ),
    wideCodes: false,
    symbols: {
      link_memory: place("link_memory"),
      ring: place("ring"),
      host_counters: place("host_counters"),
    },
    ...(meansBytes > 0 && { means: { ...place("means"), size: meansBytes } }),
  };
}
