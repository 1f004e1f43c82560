// SPDX-License-Identifier: MIT
// Writes firmware/generated/uses.ts: what a node type uses of the firmware.
//
// A part that is not used costs flash and SRAM on a board: floats alone are 7 KB of libgcc.

import { TYPE_F32, TYPE_U32 } from "../../firmware/wire/record.ts";
import { exchangeProtocols } from "./exchange-taps.ts";
import { lineUses } from "./line-taps.ts";
import { polls } from "./polls.ts";
import { tableCode, textBytes, typeCode } from "./registers.ts";
import { isJsBoard } from "./board-names.ts";
import type { BoardNode } from "./board-values.ts";
import { allChannels, type RegisterChannel } from "./schema.ts";
import { typeOf } from "./steps.ts";
import { findsOut, watchedTaps } from "./tap-watch.ts";

/** The text of firmware/generated/uses.ts for a checked node type. */
export function generateUses(node: BoardNode): string {
  const floats = allChannels(node).some(([, channel]) => typeOf(channel) === TYPE_F32);
  const setpoints = Object.keys(node.setpoints).length > 0;
  const registers = Object.values(node.channels).filter((one) => one.kind === "register");
  const taps = Object.values(node.taps);
  const written = registers.some(({ fromWrites }) => fromWrites);
  const isWhole = !isJsBoard(node.board);
  const polling = taps.some(polls);
  const uses = {
    FLOATS: floats,
    SETPOINTS: setpoints,
    TAP_EVENTS: written || polling || findsOut(node) || watchedTaps(node) !== 0,
    FINDINGS: findsOut(node),
    NOTICES: watchedTaps(node) !== 0,
    POLLING: polling,
    COILS: registers.some((one) => tableCode(one) <= 2),
    MODBUS_ASCII: taps.some(({ protocol }) => ["modbus-ascii", "auto"].includes(protocol)),
    TWO_WIRES: taps.some((tap) => "requestsOn" in tap && tap.requestsOn !== undefined),
    REGISTER_PARTS: registers.some((one) => typeCode(one) >= 256),
    REGISTER_WIDE: registers.some(({ type }) => type.endsWith("64")),
    ...lineUses(taps),
    UNCONFIRMED: allChannels(node).some(([, { qos }]) => qos === 0),
    SEARCH: isWhole,
    OFFERED_TOPICS: isWhole,
    GOODBYE: isWhole,
    MEDIAN_5: Object.values(node.channels).some((one) => one.kind === "analog" && one.median === 5),
    FLASH_CHUNKS: isWhole,
    HOST_STATE: isWhole,
    UNSIGNED: isWhole || allChannels(node).some(([, channel]) => typeOf(channel) === TYPE_U32),
    RARE_CODES: isWhole,
    FREE_SLOTS: false, // only `ferrule tap` asks what a meter says
  };
  return [
    "// SPDX-License-Identifier: MIT",
    "// What a node type uses of the firmware, written by scripts/build/generate-uses.ts.",
    "",
    ...Object.entries(uses).map(([name, used]) => `export const USES_${name}: bool = ${used};`),
    `export const EXCHANGE_PROTOCOLS: i32 = ${exchangeProtocols(node)};`,
    `export const TEXT_BYTES: i32 = ${longestText(registers)};`,
    "",
  ].join("\n");
}

// A multiple of 8, so that slots of the outbox stay aligned.
function longestText(registers: RegisterChannel[]): number {
  return Math.ceil(Math.max(0, ...registers.map(textBytes)) / 8) * 8;
}
