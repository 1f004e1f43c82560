// SPDX-License-Identifier: MIT
// Writes firmware/generated/uses.ts: what a node type uses of the firmware.
//
// A part that is not used costs flash and SRAM on a board: floats alone are 7 KB of libgcc.

import { TYPE_F32 } from "../../firmware/wire/record.ts";
import { allChannels, type NodeType } from "./schema.ts";
import { typeOf } from "./steps.ts";
import { findsOut, watchedTaps } from "./tap-watch.ts";

/** The text of firmware/generated/uses.ts for a checked node type. */
export function generateUses(node: NodeType): string {
  const floats = allChannels(node).some(([, channel]) => typeOf(channel) === TYPE_F32);
  const setpoints = Object.keys(node.setpoints).length > 0;
  return [
    "// SPDX-License-Identifier: MIT",
    "// What a node type uses of the firmware, written by scripts/build/generate-uses.ts.",
    "",
    `export const USES_FLOATS: bool = ${floats};`,
    `export const USES_SETPOINTS: bool = ${setpoints};`,
    `export const USES_TAP_EVENTS: bool = ${findsOut(node) || watchedTaps(node) !== 0};`,
    `export const USES_FINDINGS: bool = ${findsOut(node)};`,
    `export const USES_NOTICES: bool = ${watchedTaps(node) !== 0};`,
    "",
  ].join("\n");
}
