// SPDX-License-Identifier: MIT
// A weighing scale that says its weight on a serial line five times a second.
//
// Lines as the KERN EW series sends them: sign, seven characters with the point, blank, G for grams,
// blank, S stable, U unstable or E overload (the zeros before E are no value), CR LF: +0026.90 G S.
// Somebody lays on things of random weight, waits, takes them off; now and then one is too heavy.
// 9600 8N1: a character takes 10 bit times. Integrated in steps of STEP_US with + - * / only.

import type { Prng } from "../prng.ts";
import type { Device } from "./device.ts";

const STEP_US = 10_000;
const STEP_S = 0.01;
const LINE_PERIOD_US = 200_000;
const BITS_PER_CHARACTER = 10;
const CAPACITY_G = 3000;
const ITEM_G = { min: 20, spread: 2700 };
const OVERLOAD_CHANCE = 0.08;
const OVERLOAD_G = 3500;
const REST_S = { min: 3, spread: 6 }; // an item stays so long, and the pan is empty so long
const SETTLING_S = 0.35; // time constant of the pan
const STABLE_G = 0.5; // nearer than this to where it will rest
const TREMBLE_G = 3; // while it moves

export interface Scale extends Device {
  /** What lies on the pan, grams. */
  loadG(): number;
}

/** An empty scale on a tap of this baud. */
export function createScale(tap: number, baud: number, prng: Prng): Scale {
  const hand = prng.fork("hand");
  const tremble = prng.fork("tremble");
  const characterUs = (BITS_PER_CHARACTER * 1_000_000) / baud;
  const line: number[] = []; // the octets under way
  let sent = 0;
  let lineStartUs = 0;
  let nextLineUs = LINE_PERIOD_US;
  let steps = 0;
  let loadG = 0;
  let panG = 0;
  let movesAtStep = restSteps();

  function restSteps(): number {
    return Math.floor((REST_S.min + hand.below(REST_S.spread * 100) / 100) / STEP_S);
  }

  function step(): void {
    steps++;
    if (steps >= movesAtStep) {
      if (loadG > 0) loadG = 0;
      else if (hand.chance(OVERLOAD_CHANCE)) loadG = OVERLOAD_G;
      else loadG = ITEM_G.min + hand.below(ITEM_G.spread * 100) / 100;
      movesAtStep = steps + restSteps();
    }
    panG += ((loadG - panG) / SETTLING_S) * STEP_S;
  }

  function say(): void {
    const moving = Math.abs(loadG - panG) >= STABLE_G;
    const shakeG = moving ? ((tremble.below(201) - 100) / 100) * TREMBLE_G : 0;
    line.length = 0;
    sent = 0;
    for (const c of weightLine(moving ? panG + shakeG : loadG, moving)) line.push(c.charCodeAt(0));
  }

  return {
    advance(nowUs, sink) {
      for (;;) {
        const endUs = Math.round(lineStartUs + (sent + 1) * characterUs);
        if (sent < line.length && endUs <= nowUs) {
          sink(tap, endUs, line[sent]!, 0);
          sent++;
        } else if (sent === line.length && nextLineUs <= nowUs) {
          while (steps < Math.floor(nextLineUs / STEP_US)) step();
          lineStartUs = nextLineUs;
          nextLineUs += LINE_PERIOD_US;
          say();
        } else return;
      }
    },
    adc: () => -1,
    pwm: () => undefined,
    loadG: () => loadG,
  };
}

/** One line with its CR LF. */
export function weightLine(grams: number, moving: boolean): string {
  if (grams > CAPACITY_G) return "+0000.00 G E\r\n";
  const digits = Math.abs(grams).toFixed(2).padStart(7, "0");
  return `${grams < 0 ? "-" : "+"}${digits} G ${moving ? "U" : "S"}\r\n`;
}
