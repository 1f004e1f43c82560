// SPDX-License-Identifier: MIT
// XOSC, ROSC and PLLs (datasheet 2.16 to 2.18).
//
// The crystal is stable after STARTUP.DELAY x 256 periods; a PLL locks PLL_LOCK_NS after it is powered.
// A VCO outside its range is a failure. DORMANT is not modelled.

import type { Prng } from "../../prng.ts";
import { unknownRegister, unknownValue, type Context } from "./context.ts";
import { ChipFailure, type Alarm, type Peripheral } from "./peripheral.ts";

export const XOSC_HZ = 12_000_000;
export const ROSC_HZ = 6_500_000; // datasheet 2.17.1: typical after reset
const ROSC_SPREAD = 0.1; // of one part against another; the range allowed is wider
const PLL_LOCK_NS = 50_000; // not in the datasheet; shorter than firmware waits
const VCO_HZ_MIN = 750e6;
const VCO_HZ_MAX = 1600e6;
const FBDIV_MIN = 16;
const FBDIV_MAX = 320;
const RANDOM_GAP_NS = 1000; // bits read closer than this resemble each other
const RANDOM_SAME = 0.75; // how often, then
const RANDOM_HIGH = 0.53; // a ring does not spend equal times high and low

/** Frequency of the ring oscillator of one part, by its seed. */
export function roscHz(prng: Prng): number {
  return Math.round(ROSC_HZ * (1 + ROSC_SPREAD * (prng.below(2001) / 1000 - 1)));
}

/** XOSC after reset: off. */
export function createXosc({ time, tree }: Context): Peripheral {
  let ctrl = 0;
  let startup = 0xc4;
  let stable = false;
  let bad = false;
  let starting: Alarm | undefined;
  tree.setSource("xosc", 0);

  function start(): void {
    const periods = (startup & 0x3fff) * 256 * (startup & (1 << 20) ? 4 : 1);
    starting = time.atNs(time.nowNs() + (periods * 1e9) / XOSC_HZ, () => {
      stable = true;
      tree.setSource("xosc", XOSC_HZ);
    });
  }

  function peek(offset: number): number {
    const on = ((ctrl >> 12) & 0xfff) === 0xfab;
    if (offset === 0) return ctrl;
    if (offset === 4)
      return ((stable ? 1 << 31 : 0) | (bad ? 1 << 24 : 0) | (on ? 1 << 12 : 0)) >>> 0;
    return offset === 0xc ? startup : unknownRegister("XOSC", offset);
  }

  return {
    read: peek,
    peek,
    write(offset, value) {
      if (offset === 0xc) startup = value & 0x103fff;
      else if (offset === 0) {
        const was = ((ctrl >> 12) & 0xfff) === 0xfab;
        const now = ((value >> 12) & 0xfff) === 0xfab;
        bad ||= (value & 0xfff) !== 0xaa0;
        ctrl = value & 0xffffff;
        if (now && !was) start();
        if (was && !now) {
          starting?.cancel();
          stable = false;
          tree.setSource("xosc", 0);
        }
      } else unknownRegister("XOSC", offset);
    },
  };
}

/** ROSC after reset: running. `dead` makes RANDOMBIT stand still, as a locked oscillator does. */
export function createRosc(
  context: Context,
  prng: Prng,
  hz: number,
  dead: () => boolean,
): Peripheral {
  const { time, tree } = context;
  const frequency = [0, 0]; // FREQA, FREQB
  let ctrl = 0xaa0;
  let on = true;
  let bit = 0;
  let readNs = -Infinity;
  tree.setSource("rosc", hz);

  function randomBit(): number {
    const near = time.nowNs() - readNs < RANDOM_GAP_NS;
    readNs = time.nowNs();
    if (dead() || !on || (near && prng.chance(RANDOM_SAME))) return bit;
    bit = prng.chance(RANDOM_HIGH) ? 1 : 0;
    return bit;
  }

  function peek(offset: number): number {
    if (offset === 0) return ctrl;
    if (offset === 4 || offset === 8) return frequency[(offset >> 2) - 1]!;
    if (offset === 0x10) return 0xaa0 + 16;
    if (offset === 0x18) return on ? ((1 << 31) | (1 << 16) | (1 << 12)) >>> 0 : 0;
    return offset === 0x1c ? bit : unknownRegister("ROSC", offset);
  }

  return {
    read: (offset) => (offset === 0x1c ? randomBit() : peek(offset)),
    peek,
    write(offset, value) {
      const enable = (value >> 12) & 0xfff;
      if (offset === 4 || offset === 8) {
        // The drive strengths move the frequency; without the password they are all 0.
        frequency[(offset >> 2) - 1] = value >>> 16 === 0x9696 ? value & 0x7777 : 0;
        if (on)
          tree.setSource("rosc", hz * (1 + (ones(frequency[0]!) + ones(frequency[1]!)) / 100));
      } else if (offset === 0) {
        if (enable !== 0xfab && enable !== 0xd1e && enable !== 0)
          unknownValue("ROSC", offset, value);
        ctrl = value & 0xffffff;
        if (enable !== 0) on = enable === 0xfab;
        tree.setSource("rosc", on ? hz : 0);
      } else if (peek(offset) !== value) unknownRegister("ROSC", offset);
    },
  };
}

function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}

const PLL_PD = 1 << 0;
const PLL_POSTDIV_PD = 1 << 3;
const PLL_VCO_PD = 1 << 5;

function checkedVco(block: string, referenceHz: number, fbdiv: number): number {
  const hz = referenceHz * fbdiv;
  if (fbdiv >= FBDIV_MIN && fbdiv <= FBDIV_MAX && hz >= VCO_HZ_MIN && hz <= VCO_HZ_MAX) return hz;
  throw new ChipFailure(`${block}: VCO at ${hz / 1e6} MHz, FBDIV ${fbdiv}: out of range`);
}

/** A PLL after reset: powered down. */
export function createPll(context: Context, source: "pllSys" | "pllUsb"): Peripheral {
  const { time, tree } = context;
  const block = source === "pllSys" ? "PLL_SYS" : "PLL_USB";
  const registers = new Uint32Array([1, 0x2d, 0, 0x77000]); // CS, PWR, FBDIV_INT, PRIM
  let locked = false;
  let locking: Alarm | undefined;
  tree.setSource(source, 0);
  const vcoHz = (): number =>
    checkedVco(block, tree.sources.xosc / (registers[0]! & 63), registers[2]!);

  function powerChanged(): void {
    const vcoOn = (registers[1]! & (PLL_PD | PLL_VCO_PD)) === 0;
    if (vcoOn && !locked && locking === undefined) {
      vcoHz();
      locking = time.atNs(time.nowNs() + PLL_LOCK_NS, () => {
        locked = true;
        locking = undefined;
        output();
      });
    } else if (!vcoOn) {
      locking?.cancel();
      locking = undefined;
      locked = false;
    }
    output();
  }

  function output(): void {
    const running = locked && (registers[1]! & PLL_POSTDIV_PD) === 0;
    const prim = registers[3]!;
    const divide = ((prim >> 16) & 7) * ((prim >> 12) & 7);
    if (running && divide === 0) throw new ChipFailure(`${block}: a post divider of 0`);
    tree.setSource(source, running ? vcoHz() / divide : 0);
  }

  function peek(offset: number): number {
    if (offset > 0xc) return unknownRegister(block, offset);
    const value = registers[offset >> 2]!;
    return offset === 0 && locked ? (value | (1 << 31)) >>> 0 : value;
  }

  return {
    read: peek,
    peek,
    write(offset, value) {
      if (offset > 0xc) unknownRegister(block, offset);
      if (offset === 0 && (value & 0x100) !== 0) unknownValue(block, offset, value); // bypass
      const moves = offset !== 4 && offset !== 0xc && value !== registers[offset >> 2];
      if (moves && (locked || locking !== undefined))
        throw new ChipFailure(`${block}: the divisor of a running VCO changes`);
      registers[offset >> 2] = offset === 0 ? value & 63 : value;
      if (offset === 4) powerChanged();
      else if (offset === 0xc) output();
    },
  };
}
