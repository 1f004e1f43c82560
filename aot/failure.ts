// SPDX-License-Identifier: MIT
// Why a module is not translated: which function, octet and instruction.

/** A module that this translator refuses, or that is no valid WebAssembly. */
export class AotError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "AotError";
  }
}

/** Refuses an instruction by name, at its octet in the module. */
export function refuseAt(
  functionIndex: number,
  offset: number,
  instruction: string,
  why: string,
): never {
  throw new AotError(`function ${functionIndex}, offset ${offset}: ${instruction} ${why}`);
}
