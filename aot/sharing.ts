// SPDX-License-Identifier: MIT
// What other modules may reach of a module beside its functions and globals.
//
// A memory is shared when it is imported, or exported and not declared private. A private one has no
// X_memory_size in C, so that a program in which another module imports it does not link. A table is shared
// when it is imported or exported. Of what is shared nothing is known but its declared minimum.

import type { Module } from "./ir.ts";

/** True when another module may read, write and grow memory; `isPrivate` is the host's word against it. */
export function sharesMemory({ memory, exports }: Module, isPrivate: boolean): boolean {
  if (memory?.imported !== undefined) return true;
  return !isPrivate && exports.some(({ kind }) => kind === "memory");
}

/** True when slots of the table may hold functions of another module, and another may call those of this one. */
export function sharesTable({ table, exports }: Module): boolean {
  return table?.imported !== undefined || exports.some(({ kind }) => kind === "table");
}

/** Functions that element segments name, imports too. */
export function listedFunctions({ elements }: Module): number[] {
  return elements.flatMap(({ functions }) => functions.filter((index) => index !== null));
}
