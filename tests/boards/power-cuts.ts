// SPDX-License-Identifier: MIT
// Power cuts on the emulated chip: chains of power-ons, each cut at random.
//
// Flash goes from one power-on to the next, torn where it was written; SRAM does not. What the node says is judged on the
// line alone, with the hub's decoders: (P1) a power-on has one boot number, larger than all before it. (P2) a reading
// (boot, sequence) is one value for ever. (P3) without a cut the node publishes readings within 4 s. A chain begins where
// a sector of boot numbers is nearly full, so that the change of sectors is cut too. Same seed, same chain.

import { createFrameDecoder, createFrameEncoder } from "../../gateway/frame.ts";
import { createCore } from "../../host-sim/chips/armv6m/core.ts";
import { createRp2040, FLASH_BYTES, type Rp2040 } from "../../host-sim/chips/rp2040/index.ts";
import { formatOf } from "../../host-sim/chips/rp2040/serial.ts";
import { createPrng, type Prng } from "../../host-sim/prng.ts";
import { createCborCheck } from "../../hub/cbor.ts";
import { createCborReader } from "../../hub/cbor-reader.ts";
import { decodeBirthPart, decodeStatus } from "../../hub/decode-birth.ts";
import { createPackDecoder, type PackKind } from "../../hub/decode.ts";
import { createFewWords, type FewWords, type Publication } from "./few-words.ts";

export const CUTS_A_CHAIN = 20;
const SECTOR_BYTES = 4096;
const LINK = FLASH_BYTES - 3 * SECTOR_BYTES;
const ENTRIES = SECTOR_BYTES / 8;
const MS = 1e6;
const PACE = 0.1; // the processor waits for the flash: less of it to run
const [ERASE_MS, PROGRAM_MS, STEP_MS] = [45 * PACE, 0.4 * PACE, 0.02];
const [BOOT_MS, LATER_MS, COMES_BACK_MS] = [110, 2000, 4000];
const FORMAT = formatOf(115_200, "8N1");
const CHARACTER_NS = Math.ceil(10 * FORMAT.bitNs);
const [TX, RX] = [0, 1];
const WALL_MS = 1.8e12;

export interface ChainResult {
  cuts: number;
  torn: number; // cuts in the middle of an erase or a program
  readings: number; // different ones on the line
  boots: number; // numbers on the line
  failure: string | undefined;
}

interface PowerOn {
  readonly chip: Rp2040;
  readonly gateway: FewWords;
}

/** Runs a chain on a copy of this flash. */
export function runChain(image: Uint8Array, seed: number, cuts = CUTS_A_CHAIN): ChainResult {
  const prng = createPrng(seed);
  const flash = image.slice();
  const seen = createSeen(fillBoots(flash, prng));
  const result = { cuts: 0, torn: 0, readings: 0, boots: 0, failure: undefined };
  const sum = (failure?: string): ChainResult => ({ ...result, ...seen.counts(), failure });
  try {
    for (; result.cuts < cuts; result.cuts++) {
      const power = powerOn(flash, prng.below(2 ** 31), result.cuts);
      runToCut(power.chip, prng);
      if (power.chip.nor.busy()) result.torn++;
      power.chip.cutPower();
      seen.judge(power.gateway.published);
    }
    const power = powerOn(flash, prng.below(2 ** 31), cuts);
    const before = seen.counts().readings;
    for (let ms = 0; ms < COMES_BACK_MS && seen.counts().readings === before; ms += 100) {
      power.chip.runToNs(ms * MS);
      seen.judge(power.gateway.published, false);
    }
    if (seen.counts().readings === before) return sum("the node did not come back");
  } catch (error) {
    return sum(`cut ${result.cuts + 1}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return sum();
}

// One sector is full, the other holds all but a few of its entries, or is empty; the largest number.
function fillBoots(flash: Uint8Array, prng: Prng): number {
  const view = new DataView(flash.buffer, flash.byteOffset + LINK);
  const holder = prng.below(2);
  const used = ENTRIES - prng.below(8);
  const put = (sector: number, entry: number, boot: number): void => {
    view.setUint32(sector * SECTOR_BYTES + 8 * entry, boot, true);
    view.setUint32(sector * SECTOR_BYTES + 8 * entry + 4, ~boot, true);
  };
  for (let i = 0; i < ENTRIES; i++) put(1 - holder, i, 1 + i);
  for (let i = 0; i < used; i++) put(holder, i, 1 + ENTRIES + i);
  return ENTRIES + used;
}

function powerOn(flash: Uint8Array, seed: number, number: number): PowerOn {
  const chip = createRp2040({ flash, seed, makeCore: createCore, flashPace: PACE });
  for (const pin of [26, 27, 28]) chip.pins.setVolts(pin, 1.6);
  const gateway = createFewWords(() => WALL_MS + 10_000 * number + chip.time.nowNs() / MS);
  const decoder = createFrameDecoder();
  const encode = createFrameEncoder();
  let freeNs = 0;
  const say = (octet: number): void => {
    freeNs = Math.max(freeNs, chip.time.nowNs()) + CHARACTER_NS;
    chip.time.atNs(freeNs, () => void chip.serial.hear(RX, { octet, errors: 0, format: FORMAT }));
  };
  chip.serial.onSay(TX, ({ octet }) =>
    decoder.push(Uint8Array.of(octet), (message) => {
      for (const answer of gateway.answer(message)) encode(answer).forEach(say);
    }),
  );
  return { chip, gateway };
}

// In a write of the flash, in the start, or at any time: each about as often.
function runToCut(chip: Rp2040, prng: Prng): void {
  const kind = prng.below(10);
  if (kind < 3) return chip.runToNs(prng.below(BOOT_MS * 1000) * 1000);
  if (kind < 5) return chip.runToNs(prng.below(LATER_MS * 1000) * 1000);
  const { counts } = chip.nor;
  const writes = prng.below(4); // of the seed, of the boot number; each may need an erase
  let ms = 0;
  while (counts.erases + counts.programs <= writes && ms < 2 * BOOT_MS)
    chip.runToNs((ms += STEP_MS) * MS);
  const last = chip.nor.busy() && counts.programs === 0 ? ERASE_MS : PROGRAM_MS;
  chip.runToNs((ms + (prng.below(1000) / 1000) * (prng.chance(0.5) ? ERASE_MS : last)) * MS);
}

interface Seen {
  /** What one power-on published; `ended`: nothing more comes of it. Throws. */
  judge(published: readonly Publication[], ended?: boolean): void;
  counts(): { readings: number; boots: number };
}

function createSeen(largest: number): Seen {
  const [check, reader] = [createCborCheck(), createCborReader()];
  const decodePack = createPackDecoder(check, reader);
  const values = new Map<string, string>();
  const boots = new Set<number>();
  let before = largest;
  let current = -1;
  const meet = (boot: number): void => {
    if (boot <= before) throw new Error(`boot ${boot} comes again: ${before} was said before`);
    if (current >= 0 && boot !== current) throw new Error(`boot ${boot} after ${current}`);
    current = boot;
    boots.add(boot);
  };
  const takePack = (payload: Uint8Array, kind: PackKind): void => {
    const pack = decodePack(payload, kind);
    if (typeof pack === "string") throw new Error(`a pack is ${pack}`);
    meet(pack.boot);
    for (const { sequence, name, alarm, value, cause } of pack.entries.slice(0, pack.count)) {
      const key = `${pack.boot}/${sequence}`;
      const text = `${name} ${alarm} ${value} ${cause}`;
      if ((values.get(key) ?? text) !== text)
        throw new Error(`${key}: ${text}, ${values.get(key)}`);
      values.set(key, text);
    }
  };
  const take = ({ topic, payload }: Publication): void => {
    if (topic === "data" || topic === "event") return takePack(payload, topic);
    const isBirth = topic.startsWith("birth/");
    if (!isBirth && topic !== "status") return;
    const told = (isBirth ? decodeBirthPart : decodeStatus)(check, reader, payload);
    if (typeof told === "string") throw new Error(`${topic} is ${told}`);
    meet(told.boot);
  };
  return {
    judge(published, ended = true) {
      published.forEach(take);
      if (!ended) return;
      before = Math.max(before, current);
      current = -1;
    },
    counts: () => ({ readings: values.size, boots: boots.size }),
  };
}
