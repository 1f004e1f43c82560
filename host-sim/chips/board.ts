// SPDX-License-Identifier: MIT
// One node as its flash image on the emulated chip.
//
// The same interface as node.ts: both kinds stand in one simulation. The chip follows the clock of the run in
// steps of SLICE_US: what it says is sent at the end of the step in which the last character stood on the line,
// what comes is heard from its own time on.
// (B1) flash outlives power; everything else of the chip starts anew.
// (B2) while no chip drives an output, a resistor makes it safe.
// (B3) no sampling: a debugger takes the tick's alarm and the watchdog away, link goes on.

import { compileModule } from "../engine.ts";
import { newestBoot } from "../flash.ts";
import { GROUP, type NodePorts, type NodeSetup } from "../hardware.ts";
import { createLedger, type Ledger } from "../ledger.ts";
import type { Node } from "../node.ts";
import type { ChipPlan, NodePlan } from "../plan.ts";
import type { Device } from "../devices/device.ts";
import { hex } from "../trace.ts";
import { createCore } from "./armv6m/core.ts";
import { createBoardFlash, type BoardFlash } from "./board-flash.ts";
import { createEthernetLine } from "./ethernet-line.ts";
import { createLives, type Lives } from "./lives.ts";
import { breaksLimits, createMachineAtPins, driveSafe } from "./machine.ts";
import { attachDevice, type Attachment, type Wiring } from "./rp2040/attach.ts";
import { measured, ideal } from "./rp2040/adc.ts";
import { createRp2040, type Rp2040 } from "./rp2040/index.ts";
import { SRAM_BASE } from "./rp2040/bus.ts";
import { ChipFailure } from "./rp2040/peripheral.ts";
import { formatOf } from "./rp2040/serial.ts";
import { createSerialLine } from "./serial-line.ts";
import { createSpan, type Span } from "./span.ts";
import type { Transport } from "./transport.ts";

const SLICE_US = 1000; // twelve characters at 115,200 baud
const TICK_ALARM = 0;
const TIMER_INTE_CLEAR = 0x40057038;
const WATCHDOG_CTRL_CLEAR = 0x4005b000;
const WATCHDOG_ON = 1 << 30;

interface Powered {
  readonly chip: Rp2040;
  readonly attachment: Attachment;
  readonly transport: Transport;
  resets: number; // told
  readonly ticks: { ns: number; means: string }[]; // not told yet; none without a trace
}

interface State {
  readonly setup: NodeSetup;
  readonly ports: NodePorts;
  readonly plan: NodePlan;
  readonly image: ChipPlan;
  readonly seed: number;
  readonly flash: BoardFlash;
  readonly ledger: Ledger;
  readonly lives: Lives;
  readonly span: Span;
  readonly machine: Device;
  readonly duties: Map<number, number>;
  powered: Powered | undefined;
  ranUs: number; // the chip stands there
  sampling: boolean;
  beyondLimits: number;
}

/** A node without power; its plan has a chip. */
export function createChipNode(setup: NodeSetup, ports: NodePorts, ledger = createLedger()): Node {
  const state = createState(setup, ports, ledger);
  driveSafe(state.machine, state.plan);
  return {
    id: state.plan.id,
    flash: state.flash,
    ledger,
    ...bindPower(state),
    ...bindRun(state),
    waiting: () => (state.powered === undefined ? 0 : state.lives.waiting()),
    linkCounters: () => state.lives.counters(),
    hostCounters: () => state.lives.hostCounters(),
    beyondLimits: () => state.beyondLimits,
    duties: () => state.plan.outputs.map(({ output }) => state.duties.get(output) ?? 0),
    addDrift: (ppm, nowUs) => state.span.addDrift(ppm, nowUs),
  };
}

function createState(setup: NodeSetup, ports: NodePorts, ledger: Ledger): State {
  const { plan, compile = compileModule } = setup;
  const image = plan.chip!;
  const span = createSpan();
  const machine = createMachineAtPins(setup.device, span, {
    pwm(output, duty) {
      state.duties.set(output, duty);
      if (breaksLimits(plan, output, duty)) state.beyondLimits++;
      tell(state, "pwm", { output, duty });
    },
    digital: (pin, level) => tell(state, "digital", { pin, level }),
  });
  const state: State = {
    ...{ setup, ports, plan, image, ledger, span, machine },
    seed: setup.entropy.nextU32(),
    flash: createBoardFlash(image, setup.flash),
    lives: createLives(plan, image, ledger, compile),
    duties: new Map(),
    ...{ powered: undefined, ranUs: 0, sampling: true, beyondLimits: 0 },
  };
  return state;
}

function bindPower(state: State): Pick<Node, "powerOn" | "powerCut" | "powered"> {
  return {
    powerOn(nowUs) {
      if (state.powered === undefined) startPower(state, nowUs);
    },
    powerCut(nowUs) {
      runTo(state, nowUs);
      if (state.powered !== undefined) endPower(state, state.powered);
    },
    powered: () => state.powered !== undefined,
  };
}

function bindRun(
  state: State,
): Pick<Node, "datagram" | "run" | "nextDueUs" | "stopSampling" | "skipTicks"> {
  return {
    datagram(from, bytes, nowUs) {
      runTo(state, nowUs);
      if (state.powered === undefined) return;
      const taken = state.powered.transport.hear(from, bytes);
      tell(state, "datagram-take", { m: "link", from, taken, length: bytes.length });
    },
    run: (nowUs) => runTo(state, nowUs),
    nextDueUs: () => (state.powered === undefined ? Infinity : state.ranUs + SLICE_US),
    stopSampling() {
      state.sampling = false;
      if (state.powered !== undefined) stopTicks(state, state.powered);
    },
    skipTicks(nowUs) {
      const skippedUs = nowUs - state.ranUs;
      if (state.powered === undefined || skippedUs <= 0) return 0;
      state.span.standStill(state.ranUs, nowUs);
      state.ranUs = nowUs;
      return Math.ceil(skippedUs / state.plan.periodUs);
    },
  };
}

// ---- power

function startPower(state: State, nowUs: number): void {
  const { setup, ports, image, machine, flash, span, seed } = state;
  state.ranUs = nowUs;
  span.start(nowUs);
  setup.device.advance(nowUs, () => undefined); // what the machine did meanwhile, nobody heard
  const chip = createRp2040({
    ...{ flash: flash.whole, seed, makeCore: createCore },
    convert: image.wideCodes ? measured : ideal,
    alarmFired(alarm, cycle) {
      if (alarm !== TICK_ALARM || !state.sampling || !ports.trace.on) return;
      powered.ticks.push({ ns: chip.time.nsAt(cycle), means: meansIn(image, chip.sram) });
    },
  });
  const powered: Powered = {
    chip,
    attachment: attachDevice(chip, machine, wiringOf(state)),
    transport: connect(state, chip),
    ...{ resets: chip.counts.resets, ticks: [] },
  };
  state.powered = powered;
  flash.watch(chip.nor);
  state.lives.start(chip.sram, newestBoot(flash));
  tell(state, "power", { on: true });
}

function endPower(state: State, { chip, attachment, transport }: Powered): void {
  const { ranUs, lives, flash, machine, plan } = state;
  lives.end(ranUs);
  transport.end();
  attachment.end();
  chip.cutPower();
  flash.watch(undefined);
  state.powered = undefined;
  driveSafe(machine, plan); // (B2)
  tell(state, "power", { on: false });
}

function wiringOf({ plan, image }: State): Wiring {
  const { analog, digital, pulses, pwm, taps, accelerometers } = image;
  const lines = plan.taps.map(({ baud, format }, place) => ({
    rx: taps[place]!,
    tx: image.sends?.[place],
    format: formatOf(baud, format),
  }));
  return { analog, digital, pulses, pwm, accelerometers, taps: lines };
}

// ---- run

function runTo(state: State, nowUs: number): void {
  while (state.powered !== undefined && state.ranUs < nowUs) {
    state.ranUs = Math.min(state.ranUs + SLICE_US, nowUs);
    runSlice(state, state.powered);
  }
}

function runSlice(state: State, powered: Powered): void {
  const { chip } = powered;
  const { span, flash, lives, ranUs, plan } = state;
  try {
    chip.runToNs(span.chipUs(ranUs) * 1000);
    stopTicks(state, powered);
  } catch (error) {
    if (!(error instanceof ChipFailure)) throw error;
    throw new ChipFailure(`${plan.id}, ${(ranUs / 1e6).toFixed(3)} s: ${error.message}`);
  }
  powered.resets = tellLife(state, powered);
  lives.look(flash.boot(), ranUs);
  if (flash.cutIsDue()) endPower(state, powered);
}

// (B3) Before link lives the timer may be held in reset.
function stopTicks({ sampling, lives }: State, { chip: { bus } }: Powered): void {
  if (sampling || !lives.alive()) return;
  bus.write(TIMER_INTE_CLEAR, 4, 1 << TICK_ALARM);
  bus.write(WATCHDOG_CTRL_CLEAR, 4, WATCHDOG_ON);
}

function tellLife(state: State, { chip, ticks, resets }: Powered): number {
  for (const { ns, means } of ticks.splice(0))
    tell(state, "tick", { m: "loop", us: Math.floor(state.span.runUs(ns / 1000)), adc: means });
  if (chip.counts.resets !== resets) tell(state, "reset", { bites: chip.counts.bites });
  return chip.counts.resets;
}

// What loop will read in the tick that begins now.
function meansIn({ means }: ChipPlan, sram: Uint8Array): string {
  if (means === undefined) return "";
  const view = new DataView(sram.buffer, sram.byteOffset + means.address - SRAM_BASE, means.size);
  return Array.from({ length: means.size / 4 }, (_, i) => view.getUint32(4 * i, true)).join(" ");
}

function connect(state: State, chip: Rp2040): Transport {
  const { image, setup } = state;
  const { transport } = image;
  const [gateway = GROUP] = setup.gateways;
  const said = (message: Uint8Array, toGroup = false): void =>
    send(state, toGroup ? GROUP : gateway, message);
  return transport.kind === "serial"
    ? createSerialLine(chip, transport, said)
    : createEthernetLine(chip, transport, said);
}

function send(state: State, to: string, message: Uint8Array): void {
  const { ports } = state;
  const taken = ports.send(to, message);
  if (ports.trace.on) tell(state, "datagram-put", { m: "link", to, taken, hex: hex(message) });
}

function tell(
  state: State,
  event: string,
  fields: Record<string, string | number | boolean>,
): void {
  const { trace } = state.ports;
  if (trace.on) trace.write(state.ranUs, event, { n: state.plan.id, ...fields });
}
