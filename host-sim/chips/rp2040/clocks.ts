// SPDX-License-Identifier: MIT
// CLOCKS (datasheet 2.15): clock generators and the frequency counter.
//
// Modelled: clk_ref, clk_sys, clk_peri, clk_usb, clk_adc, clk_rtc and FC0. Selecting a source that does
// not run, or moving AUXSRC of a clock that runs from it, is a failure: silicon would hang or glitch.
// Clock outputs, resuscitation and gated clocks are not modelled.

import type { ClockName, ClockSource, ClockTree } from "./clock-tree.ts";
import { unknownRegister, unknownValue, type Context } from "./context.ts";
import { ChipFailure, type Peripheral } from "./peripheral.ts";

const BLOCK = "CLOCKS";
const ENABLE = 1 << 11;
const FC0_NS_MIN = 980; // datasheet 2.15.6.2: the interval is 0.98 us << INTERVAL

type Rule = (sources: Readonly<Record<ClockSource, number>>) => Record<ClockName, number>;

interface Generator {
  name: ClockName;
  base: number;
  glitchless: boolean; // has SRC
  aux: readonly (ClockSource | ClockName | undefined)[];
  divMask: number; // writable bits of DIV, 0: there is none
}

const USB_AUX = ["pllUsb", "pllSys", "rosc", "xosc"] as const;
const GENERATORS: readonly Generator[] = [
  { name: "ref", base: 0x30, glitchless: true, aux: ["pllUsb"], divMask: 0x300 },
  {
    name: "sys",
    base: 0x3c,
    glitchless: true,
    aux: ["pllSys", "pllUsb", "rosc", "xosc"],
    divMask: 0xffffffff,
  },
  {
    name: "peri",
    base: 0x48,
    glitchless: false,
    aux: ["sys", "pllSys", "pllUsb", "rosc", "xosc"],
    divMask: 0,
  },
  { name: "usb", base: 0x54, glitchless: false, aux: USB_AUX, divMask: 0x300 },
  { name: "adc", base: 0x60, glitchless: false, aux: USB_AUX, divMask: 0x300 },
  { name: "rtc", base: 0x6c, glitchless: false, aux: USB_AUX, divMask: 0xffffffff },
];

// FC0_SRC numbers.
const FC0_SOURCES: Readonly<Record<number, ClockSource | ClockName>> = {
  1: "pllSys",
  2: "pllUsb",
  3: "rosc",
  5: "xosc",
  8: "ref",
  9: "sys",
  10: "peri",
  11: "usb",
  12: "adc",
  13: "rtc",
};

/** The block after reset: clk_ref and clk_sys on the ring oscillator, the others stopped. */
export function createClocks({ time, tree }: Context): Peripheral {
  const ctrl = new Uint32Array(GENERATORS.length);
  const div = new Uint32Array(GENERATORS.length).fill(0x100);
  const counter = createCounter(tree, () => time.nowNs());
  tree.setRule(createRule(ctrl, div));

  function peek(offset: number): number {
    if (offset >= 0x80 && offset < 0xa0) return counter.peek(offset);
    if (offset === 0x7c || (offset >= 0xb8 && offset <= 0xc4)) return 0; // no resuscitation
    if (offset >= 0xa0 && offset < 0xb8) return gate(offset);
    if (offset === 0x78) return 0xff;
    const index = GENERATORS.findIndex(({ base }) => offset >= base && offset < base + 12);
    if (index < 0) return unknownRegister(BLOCK, offset);
    const { base, glitchless, divMask } = GENERATORS[index]!;
    if (offset === base) return ctrl[index]!;
    if (offset === base + 8) return glitchless ? 1 << (ctrl[index]! & 3) : 1;
    return divMask === 0 ? unknownRegister(BLOCK, offset) : div[index]!;
  }

  return {
    read: peek,
    peek,
    write(offset, value) {
      if (offset >= 0x80 && offset < 0xa0) return counter.write(offset, value);
      const index = GENERATORS.findIndex(({ base }) => offset === base || offset === base + 4);
      if (index < 0) {
        if (peek(offset) !== value) unknownValue(BLOCK, offset, value);
        return;
      }
      const generator = GENERATORS[index]!;
      if (offset !== generator.base) {
        if (generator.divMask === 0) unknownRegister(BLOCK, offset);
        div[index] = value & generator.divMask;
      } else {
        refuseGlitch(generator, ctrl[index]!, value);
        ctrl[index] = value;
      }
      tree.settle();
    },
  };
}

// WAKE_EN and SLEEP_EN reset to every clock on, and ENABLED says so; nothing is gated here.
function gate(offset: number): number {
  return (offset & 4) === 0 ? 0xffffffff : 0x7fff;
}

// Datasheet 2.15.3.2: AUXSRC may change only while the clock does not run from it.
function refuseGlitch({ name, glitchless }: Generator, old: number, next: number): void {
  const auxChanges = ((old ^ next) & 0xe0) !== 0;
  const runsFromAux = glitchless ? (old & 3) === 1 : (old & ENABLE) !== 0;
  const switches = glitchless && (next & 3) !== 1;
  if (auxChanges && runsFromAux && !switches)
    throw new ChipFailure(`CLOCKS: AUXSRC of clk_${name} changes while the clock runs from it`);
}

function createRule(ctrl: Uint32Array, div: Uint32Array): Rule {
  return (sources) => {
    const hz: Record<ClockName, number> = { ref: 0, sys: 0, peri: 0, usb: 0, adc: 0, rtc: 0 };
    GENERATORS.forEach(({ name, glitchless, aux, divMask }, index) => {
      const value = ctrl[index]!;
      const auxName = aux[(value >> 5) & 7];
      const auxHz = auxName === undefined ? 0 : ({ ...sources, ...hz }[auxName] ?? 0);
      let from = auxHz;
      if (glitchless)
        from = [name === "sys" ? hz.ref : sources.rosc, auxHz, sources.xosc, 0][value & 3]!;
      else if ((value & ENABLE) === 0) from = 0;
      hz[name] = divMask === 0 ? from : from / divisor(div[index]!);
    });
    return hz;
  };
}

// 24.8 fixed point; a whole part of 0 is 65536.
function divisor(div: number): number {
  return div >>> 8 === 0 ? 65536 : div / 256;
}

interface Counter {
  peek(offset: number): number;
  write(offset: number, value: number): void;
}

// FC0 counts one clock against clk_ref, which REF_KHZ describes.
function createCounter(tree: ClockTree, nowNs: () => number): Counter {
  const registers = new Uint32Array(8); // REF_KHZ 0, MIN 1, MAX 2, DELAY 3, INTERVAL 4, SRC 5
  registers.set([0, 0, 0x1ffffff, 1, 8, 0]);
  let doneNs = Infinity;
  let result = 0;
  return {
    peek(offset) {
      const index = (offset - 0x80) >> 2;
      if (offset === 0x98) return nowNs() >= doneNs ? 1 << 4 : doneNs < Infinity ? 1 << 8 : 0;
      if (offset === 0x9c) return nowNs() >= doneNs ? result : 0;
      return registers[index]!;
    },
    write(offset, value) {
      if (offset >= 0x98) unknownRegister(BLOCK, offset);
      registers[(offset - 0x80) >> 2] = value;
      if (offset !== 0x94) return;
      const source = FC0_SOURCES[value];
      if (source === undefined && value !== 0) unknownValue(BLOCK, offset, value);
      const hz = source === undefined ? 0 : { ...tree.sources, ...tree.hz }[source];
      result = Math.floor((hz / tree.hz.ref) * registers[0]! * 32);
      doneNs = nowNs() + FC0_NS_MIN * 2 ** (registers[4]! & 15);
    },
  };
}
