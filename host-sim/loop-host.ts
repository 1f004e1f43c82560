// SPDX-License-Identifier: MIT
// Host functions of loop: exactly the import table of SPEC.md §1.1.

import type { HostFunctions, ModuleMemory } from "./engine.ts";
import {
  nodeTimeUs,
  pulseCount,
  sendOnTap,
  setDigitalOutput,
  setOutput,
  traceNode,
  type Hardware,
} from "./hardware.ts";
import { isDutyBeyond, isRecordBeyond } from "./limits-watch.ts";
import { hex } from "./trace.ts";
import { LINE_FORMATS } from "../firmware/wire/line-names.ts";
import { TAP_ENTRY_BYTES } from "../firmware/wire/tap.ts";
import { BURST_FIFO_SAMPLES, EDGES_WAITING_MAX, TAP_ENTRIES_MAX } from "./limits.ts";

const DUTY_MAX = 65_535;
const SAMPLE_BYTES = 2;
const EDGE_BYTES = 4;
const FORMAT_INVERTED = 128; // beside a format code

/** The functions of one instance, bound to its memory. */
export function createLoopHost(hardware: Hardware, memory: ModuleMemory): HostFunctions {
  const { ring, counters, setup, ports } = hardware;

  return {
    ...createPinFunctions(hardware),
    ...createTapFunctions(hardware, memory),
    now_us: () => nodeTimeUs(hardware),

    adc_read: (input) => setup.device.adc(input!),

    pwm_write(output, duty) {
      if (isDutyBeyond(setup.plan, output!, duty!)) hardware.beyondLimits++;
      return setOutput(hardware, output!, Math.max(0, Math.min(DUTY_MAX, duty!)));
    },

    burst_take(device, address, capacity) {
      const accelerometer = hardware.accelerometers.get(device!);
      const wanted = Math.min(capacity! >>> 0, BURST_FIFO_SAMPLES);
      const at = memory.reach(address!, wanted * SAMPLE_BYTES);
      const taken = accelerometer?.take(hardware.nowUs, memory.octets(), at, wanted) ?? 0;
      if (taken !== 0 && ports.trace.on)
        traceNode(hardware, "burst", { m: "loop", device: device!, taken });
      return taken;
    },

    mailbox_take(address, capacity) {
      const at = memory.reach(address!, capacity!);
      const length = hardware.mailbox.take(memory.octets(), at, capacity! >>> 0);
      if (length > 0 && ports.trace.on) {
        const record = hex(memory.octets().subarray(at, at + length));
        traceNode(hardware, "mailbox-take", { m: "loop", record });
      }
      return length;
    },

    ring_put(address, length) {
      const at = memory.reach(address!, length!);
      const taken = ring.put(memory.octets(), at, length!);
      if (isRecordBeyond(setup.plan, memory.octets(), at)) hardware.beyondLimits++;
      if (!taken) counters.ringDropped++;
      if (ports.trace.on) {
        const record = hex(memory.octets().subarray(at, at + length!));
        traceNode(hardware, "ring-put", { m: "loop", taken, record });
      }
      return taken ? 1 : 0;
    },
  };
}

// Pins of one bit and the counters behind them.
function createPinFunctions(hardware: Hardware): HostFunctions {
  const { device } = hardware.setup;
  return {
    digital_read: (pin) => device.digital?.(pin!) ?? -1,
    digital_write: (pin, level) => setDigitalOutput(hardware, pin!, level === 0 ? 0 : 1),
    pulse_count: (input) => pulseCount(hardware, input!),
  };
}

// Characters, and where a line has them its edges.
function createTapFunctions(hardware: Hardware, memory: ModuleMemory): HostFunctions {
  const { taps, ports } = hardware;
  const { device } = hardware.setup;
  return {
    tap_take(tap, address, capacity) {
      // More than the queue holds never comes, so a huge capacity cannot overflow the product.
      const wanted = Math.min(capacity! >>> 0, TAP_ENTRIES_MAX);
      const at = memory.reach(address!, wanted * TAP_ENTRY_BYTES);
      const taken = taps[tap!]?.take(memory.octets(), at, wanted) ?? 0;
      if (taken > 0 && ports.trace.on)
        traceNode(hardware, "tap-take", { m: "loop", tap: tap!, taken });
      return taken;
    },

    tap_put(tap, address, length) {
      const at = memory.reach(address!, length!);
      return sendOnTap(hardware, tap!, memory.octets().subarray(at, at + (length! >>> 0)));
    },

    edge_take(tap, address, capacity) {
      const line = device.edgeLine?.(tap!);
      if (line === undefined) return -1;
      const wanted = Math.min(capacity! >>> 0, EDGES_WAITING_MAX);
      const at = memory.reach(address!, wanted * EDGE_BYTES);
      const octets = memory.octets();
      return line.take(wanted, (index, entry) => {
        for (let i = 0; i < EDGE_BYTES; i++)
          octets[at + EDGE_BYTES * index + i] = entry / 2 ** (8 * i);
      });
    },

    edge_unit_ps: (tap) => device.edgeLine?.(tap!)?.unitPs ?? 0,
    tap_open(tap, baud, format) {
      if (hardware.taps[tap!] === undefined) return -1;
      // A line without edges gives octets at any rate, as a pty does.
      const name = LINE_FORMATS[format! & ~FORMAT_INVERTED] ?? "8N1";
      device.edgeLine?.(tap!)?.open(baud! >>> 0, name, (format! & FORMAT_INVERTED) !== 0);
      return 0;
    },
  };
}
