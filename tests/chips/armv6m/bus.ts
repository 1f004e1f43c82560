// SPDX-License-Identifier: MIT
// A bus that has nothing on it: every access is a failure.

import type { Bus } from "../../../host-sim/chips/armv6m/core.ts";
import { ChipFailure, hex32 } from "../../../host-sim/chips/failure.ts";

function refuse(address: number): never {
  throw new ChipFailure(`nothing at ${hex32(address)}`);
}

export const EMPTY_BUS: Bus = { read: refuse, write: refuse, waits: () => 0 };
