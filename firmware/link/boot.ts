// SPDX-License-Identifier: MIT
// The boot counter: a number that never repeats, whatever instant the power goes.
//
// Spec: SPEC.md §1.6. Two sectors of entries `boot u32 | ~boot u32`; the host's flash calls are made by
// index.ts, which shows every chunk of both sectors to bootScan() and then writes where bootPlan() says.
// (I1) a number counts as taken only after its entry was read back. (I2) only a sector that does not
// hold the largest entry is erased. A torn entry has a pair of equal bits, so it does not check.
// State: `boot`.

export const FLASH_SECTORS: u32 = 2;
export const FLASH_SECTOR_BYTES: u32 = 4096;
export const BOOT_ENTRY_BYTES: u32 = 8;
const ENTRIES_PER_SECTOR: u32 = FLASH_SECTOR_BYTES / BOOT_ENTRY_BYTES;

export namespace boot {
  export let number: u32 = 0; // to be taken
  export let sector: u32 = 0; // where its entry goes
  export let entry: u32 = 0; // order in that sector
  export let erase: bool = false; // that sector is erased before
  export let used0: u32 = 0; // entries of each sector that are not free, torn ones between them included
  export let used1: u32 = 0;
  export let largest: u32 = 0;
  export let holder: u32 = 0; // the sector of the largest
}

export function bootScanStart(): void {
  boot.used0 = 0;
  boot.used1 = 0;
  boot.largest = 0;
  boot.holder = 0;
}

/** Looks at one entry at `at`; entries come in order, sector by sector. */
export function bootScan(at: usize, sector: u32, entry: u32): void {
  const number = load<u32>(at);
  const check = load<u32>(at, 4);
  if ((number & check) == u32.MAX_VALUE) return;
  if (sector == 0) boot.used0 = entry + 1;
  else boot.used1 = entry + 1;
  if (number != ~check || number <= boot.largest) return;
  boot.largest = number;
  boot.holder = sector;
}

/** Decides the next number and the place of its entry. */
export function bootPlan(): void {
  // The last number of 32 bits is never reached by counting starts; a wrap would repeat numbers.
  assert(boot.largest != u32.MAX_VALUE);
  boot.number = boot.largest + 1;
  boot.sector = boot.holder;
  boot.entry = boot.holder == 0 ? boot.used0 : boot.used1;
  boot.erase = boot.entry == ENTRIES_PER_SECTOR;
  if (!boot.erase) return;
  boot.sector = FLASH_SECTORS - 1 - boot.holder;
  boot.entry = 0;
}

/** Flash offset of the planned entry. */
export function bootOffset(): u32 {
  return boot.sector * FLASH_SECTOR_BYTES + boot.entry * BOOT_ENTRY_BYTES;
}

/** Writes the planned entry to memory, or compares memory with it. */
export function bootEntryTo(at: usize): void {
  store<u32>(at, boot.number);
  store<u32>(at, ~boot.number, 4);
}

export function bootEntryIs(at: usize): bool {
  return load<u32>(at) == boot.number && load<u32>(at, 4) == ~boot.number;
}
