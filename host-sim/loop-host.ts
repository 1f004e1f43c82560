// SPDX-License-Identifier: MIT
// Host functions of loop: exactly the import table of SPEC.md §1.1.

import type { HostFunctions, ModuleMemory } from "./engine.ts";
import { nodeTimeUs, setOutput, traceNode, type Hardware } from "./hardware.ts";
import { hex } from "./trace.ts";
import { TAP_ENTRY_BYTES } from "../firmware/wire/tap.ts";
import { TAP_ENTRIES_MAX } from "./limits.ts";

const DUTY_MAX = 65_535;

/** The functions of one instance, bound to its memory. */
export function createLoopHost(hardware: Hardware, memory: ModuleMemory): HostFunctions {
  const { ring, taps, counters, setup, ports } = hardware;

  return {
    now_us: () => nodeTimeUs(hardware),

    adc_read: (input) => setup.device.adc(input!),

    pwm_write: (output, duty) =>
      setOutput(hardware, output!, Math.max(0, Math.min(DUTY_MAX, duty!))),

    tap_take(tap, address, capacity) {
      // More than the queue holds never comes, so a huge capacity cannot overflow the product.
      const wanted = Math.min(capacity! >>> 0, TAP_ENTRIES_MAX);
      const at = memory.reach(address!, wanted * TAP_ENTRY_BYTES);
      const taken = taps[tap!]?.take(memory.octets(), at, wanted) ?? 0;
      if (taken > 0) traceNode(hardware, "tap-take", { m: "loop", tap: tap!, taken });
      return taken;
    },

    ring_put(address, length) {
      const at = memory.reach(address!, length!);
      const taken = ring.put(memory.octets(), at, length!);
      if (!taken) counters.ringDropped++;
      if (ports.trace.on) {
        const record = hex(memory.octets().subarray(at, at + length!));
        traceNode(hardware, "ring-put", { m: "loop", taken, record });
      }
      return taken ? 1 : 0;
    },
  };
}
