// SPDX-License-Identifier: MIT
// A wave on a pin: every edge on the wire, and what a UART there makes of it.
//
// The pin is driven at each edge, so that PIO and interrupts see it. A UART that is set to the pin hears
// through host-sim/line's receiver, at the rate, format and input override that firmware gave it then; a change
// of them takes a new receiver. Beside a device's characters (attach.ts), which cost one call each.

import { createReceiver, type Receiver } from "../../line/receiver.ts";
import type { Wave } from "../../line/wave.ts";
import type { Rp2040 } from "./index.ts";
import type { Alarm } from "./peripheral.ts";
import type { Format } from "./serial.ts";

interface State {
  readonly chip: Rp2040;
  readonly pin: number;
  readonly wave: Wave;
  next: number; // edge
  alarm: Alarm | undefined;
  format: Format | undefined; // of the receiver
  receiver: Receiver | undefined;
}

/** Puts a wave on a pin; its times are ns since power-on, those gone by are skipped. Gives the end of it. */
export function attachWave(chip: Rp2040, pin: number, wave: Wave): () => void {
  const state: State = {
    ...{ chip, pin, wave, next: 0 },
    ...{ alarm: undefined, format: undefined, receiver: undefined },
  };
  while ((wave.edges[state.next] ?? Infinity) < chip.time.nowNs()) state.next++;
  drive(state);
  arm(state);
  return () => {
    state.alarm?.cancel();
    chip.pins.drive(pin, undefined);
  };
}

function drive({ chip, pin, wave, next }: State): void {
  chip.pins.drive(pin, (wave.initial ^ (next & 1)) === 1);
}

// One alarm: the next edge, or the end of a character if that comes first.
function arm(state: State): void {
  const { chip, wave, next, receiver } = state;
  const edgeNs = wave.edges[next] ?? Infinity;
  const dueNs = receiver?.dueNs() ?? Infinity;
  const ns = Math.min(edgeNs, dueNs);
  if (ns === Infinity) return;
  state.alarm = chip.time.atNs(ns, () => {
    if (ns === edgeNs) passEdge(state, edgeNs);
    else receiver?.runTo(ns + 1);
    arm(state);
  });
}

function passEdge(state: State, edgeNs: number): void {
  const { chip, pin } = state;
  follow(state);
  state.next++;
  drive(state);
  state.receiver?.level(chip.serial.level(pin) ? 1 : 0, edgeNs);
}

// The receiver is as firmware has set the UART now.
function follow(state: State): void {
  const { chip, pin } = state;
  const format = chip.serial.listening(pin);
  if (isSame(format, state.format)) return;
  state.format = format;
  state.receiver =
    format &&
    createReceiver(
      { format },
      (octet, errors) => void chip.serial.hear(pin, { octet, errors, format }),
      chip.serial.level(pin) ? 1 : 0,
    );
}

function isSame(a: Format | undefined, b: Format | undefined): boolean {
  return (
    a?.bitNs === b?.bitNs &&
    a?.dataBits === b?.dataBits &&
    a?.parity === b?.parity &&
    a?.stopBits === b?.stopBits
  );
}
