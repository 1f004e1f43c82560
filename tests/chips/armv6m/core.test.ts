// SPDX-License-Identifier: MIT
// Goal: firmware that touches what is not there ends its run with a name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChipFailure } from "../../../host-sim/chips/failure.ts";
import { EMPTY_BUS } from "./bus.ts";

test("an access to nothing is a failure of the chip that names the address", () => {
  assert.throws(() => EMPTY_BUS.read(0xd000_0004, 4), {
    constructor: ChipFailure,
    message: "nothing at 0xd0000004",
  });
});
