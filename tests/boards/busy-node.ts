// SPDX-License-Identifier: MIT
// A node whose link, flash and tap are never at rest.
//
// Link is the real one, but each poll first draws random octets, so that instructions are under way, and every
// ERASE_EVERY-th erases, programs and reads the sector that the boot counter does not use.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import binaryen from "binaryen";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { constantExport } from "../../scripts/build/wasm-facts.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";

const ERASE_EVERY = 8; // polls
const ERASED_SECTOR = 4096;
const SCRATCH_BYTES = 4096;
const PAGE_BYTES = 256;
const DRAWN_BYTES = 512;

export const TAP = { baud: 115_200, format: "8N1" } as const;
export const UNIT = 17; // on the tap's line
export const REGISTER = 107;

export interface BusyNode {
  built: BuiltNode;
  image: Rp2040Image;
}

/** Makes the image of such a node with this period. */
export async function makeBusyNode(folder: string, periodMs: number): Promise<BusyNode> {
  const source = join(folder, "busy");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "node.json"), JSON.stringify(nodeOf(periodMs)));
  const node = await buildNode(source);
  const built = { ...node, link: { ...node.link, wasm: busy(node.link.wasm) } };
  return { built, image: buildRp2040("pico", built, join(folder, "image")) };
}

function nodeOf(periodMs: number): object {
  const scale = { raw: [0, 4095], value: [0, 100] };
  const analog = (input: number): object => ({
    ...{ kind: "analog", input, unit: "Cel", decimals: 2, everyMs: 10, scale },
    ...{ median: 3, ema: 0.2, deadband: 0, heartbeatMs: 100 },
  });
  const place = { tap: "bus", unitId: UNIT, table: "holding", address: REGISTER };
  return {
    type: "busy",
    periodMs,
    transport: { congestionWaitS: 1 },
    taps: { bus: { uart: 0, protocol: "modbus-rtu", ...TAP } },
    channels: {
      one: analog(0),
      // In 0.1 ms a tick has no time for three that are due in the same one.
      ...(periodMs < 1 ? {} : { two: analog(1), three: analog(2) }),
      reg: { kind: "register", ...place, unit: "A" },
    },
  };
}

function busy(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm);
  const { i32 } = binaryen;
  const number = (value: number): binaryen.ExpressionRef => module.i32.const(value);
  const insideOf = (exported: string): string =>
    binaryen.getExportInfo(module.getExport(exported)).value;
  const poll = insideOf("poll");
  const end = constantExport(wasm, "memoryBytes");
  const scratch = (): binaryen.ExpressionRef => number(end); // room of its own, behind all of link's
  const host = (base: string, ...operands: binaryen.ExpressionRef[]): binaryen.ExpressionRef =>
    module.drop(module.call(importName(module, base), operands, i32));
  const polls = (): binaryen.ExpressionRef => module.global.get("polls", i32);
  module.addGlobal("polls", i32, true, number(0));
  const flash = module.block(null, [
    host("flash_erase", number(ERASED_SECTOR)),
    host("flash_program", number(ERASED_SECTOR), scratch(), number(PAGE_BYTES)),
    host("flash_read", number(ERASED_SECTOR), scratch(), number(SCRATCH_BYTES)),
  ]);
  const steps = [
    module.global.set("polls", module.i32.add(polls(), number(1))),
    host("entropy", scratch(), number(DRAWN_BYTES)),
    module.if(module.i32.eqz(module.i32.rem_u(polls(), number(ERASE_EVERY))), flash),
    module.call(poll, [], i32),
  ];
  module.addFunction("busy-poll", binaryen.none, i32, [], module.block(null, steps, i32));
  module.removeFunction(insideOf("memoryBytes"));
  module.removeExport("memoryBytes");
  module.addFunction("more", binaryen.none, i32, [], number(end + SCRATCH_BYTES));
  module.addFunctionExport("more", "memoryBytes");
  module.removeExport("poll");
  module.addFunctionExport("busy-poll", "poll");
  const { MVP, SignExt, BulkMemory, BulkMemoryOpt } = binaryen.Features;
  module.setFeatures(MVP | SignExt | BulkMemory | BulkMemoryOpt); // what asc uses, and nothing newer
  if (!module.validate()) throw new Error("the busy module is not valid");
  return module.emitBinary();
}

// What a host function is called inside the module.
function importName(module: binaryen.Module, base: string): string {
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(i));
    if (info.base === base) return info.name;
  }
  throw new Error(`link imports no ${base}`);
}
