// SPDX-License-Identifier: MIT
// Memory of what node code makes once: controllers, ramps, sequences, interlocks.
//
// State: madeBytes and room(), handed out from its start and never given back. All of it is 0 at first.

import { PARTS_BYTES } from "../limits";

let madeBytes = 0; // handed out

// A function, so that only a module that makes a part has the memory.
function room(): usize {
  return memory.data(PARTS_BYTES, 8);
}

/** The next part, zeroed; traps when PARTS_BYTES are spent, so make parts at the top level of loop.ts. */
export function makePart<T>(): T {
  const part = room() + madeBytes;
  madeBytes += (<i32>offsetof<T>() + 7) & ~7; // each keeps the next one aligned
  assert(madeBytes <= PARTS_BYTES);
  return changetype<T>(part);
}
