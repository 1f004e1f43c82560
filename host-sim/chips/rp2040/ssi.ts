// SPDX-License-Identifier: MIT
// SSI, XIP and the QSPI pins: the way to the flash (datasheet 2.6.3, 4.10).
//
// Command mode: 8-bit frames both ways, chip select forced by IO_QSPI; a frame takes 8 x BAUDR cycles.
// XIP: serial 03h reads of 32-bit frames, set up by the second stage. Other modes are not modelled.
// (X1) the flash window opens only in XIP mode, with chip select left to the SSI and the flash idle.
// (X2) the cache keeps words until FLUSH: what was programmed meanwhile is seen by uncached reads only.

import { createStore, unknownRegister, unknownValue, type Context } from "./context.ts";
import type { Nor } from "./nor.ts";
import { ChipFailure, type Peripheral } from "./peripheral.ts";

const FIFO = 16;
const CTRLR0_COMMAND = 7 << 16;
const CTRLR0_XIP = (31 << 16) | (3 << 8);
const SPI_CTRLR0_XIP = (3 << 24) | (2 << 8) | (6 << 2);
const WORD_CLOCKS = 64; // command, address, 32 bits of data
const CACHE_WORDS = 4096;
const SELECT_LOW = 2;
const SELECT_HIGH = 3;

export interface FlashPath {
  readonly ssi: Peripheral;
  readonly ioQspi: Peripheral;
  readonly padsQspi: Peripheral;
  readonly xipCtrl: Peripheral;
  /** A word of the flash window; `alias` 0 cached to 3 neither cached nor allocated. */
  fetch(offset: number, alias: number): number;
  /** Cycles beyond two that it takes. */
  waits(offset: number, alias: number): number;
  /** Whether the cache serves as SRAM at 0x15000000. */
  cacheIsSram(): boolean;
}

interface Chain {
  readonly nor: Nor;
  readonly cycles: Context["clock"];
  readonly received: number[];
  readonly registers: Uint32Array; // by offset / 4
  select: number; // override of the chip select pin
  pending: number; // frames sent and not through
  freeCycle: number;
}

export function createFlashPath({ clock }: Context, nor: Nor): FlashPath {
  const chain: Chain = {
    nor,
    cycles: clock,
    received: [],
    registers: new Uint32Array(64),
    select: 0,
    pending: 0,
    freeCycle: 0,
  };
  const cache = createCache();
  const word = (offset: number): number =>
    littleEndian(nor.bytes, (offset % nor.bytes.length) & ~3);
  const isCached = (alias: number): boolean => alias < 2 && cache.enabled();

  return {
    ssi: createSsi(chain),
    ioQspi: createIoQspi((mode) => moveSelect(chain, mode)),
    padsQspi: createPadsQspi(),
    xipCtrl: cache.registers,
    fetch(offset, alias) {
      const reason = closedBecause(chain);
      if (isCached(alias) && cache.has(offset)) return cache.get(offset);
      if (reason !== "")
        throw new ChipFailure(
          `flash window read at offset 0x${offset.toString(16)} while ${reason}`,
        );
      const value = word(offset);
      if (isCached(alias) && alias === 0) cache.put(offset, value);
      return value;
    },
    waits(offset, alias) {
      if (isCached(alias) && cache.has(offset)) return 0;
      return WORD_CLOCKS * (chain.registers[0x14 >> 2] || 2);
    },
    cacheIsSram: () => !cache.enabled(),
  };
}

function littleEndian(bytes: Uint8Array, at: number): number {
  const high = (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return (bytes[at]! | (bytes[at + 1]! << 8) | high) >>> 0;
}

// ---- XIP

// Why the flash window does not answer (X1), empty: it does.
function closedBecause({ registers, nor, select, pending }: Chain): string {
  if (nor.busy()) return "the flash erases or programs";
  if (select !== 0) return "chip select is forced";
  if (registers[2] !== 1 || pending > 0) return "the SSI is off or sends";
  const mode = registers[0] === CTRLR0_XIP && registers[0xf4 >> 2] === SPI_CTRLR0_XIP;
  return mode && registers[4] === 1 ? "" : "the SSI is not set up for 03h reads";
}

interface Cache {
  readonly registers: Peripheral;
  enabled(): boolean;
  has(offset: number): boolean;
  get(offset: number): number;
  put(offset: number, value: number): void;
}

// Direct mapped by word where silicon has two ways of 8 bytes: the time of a miss is the same.
function createCache(): Cache {
  const tags = new Int32Array(CACHE_WORDS).fill(-1);
  const words = new Uint32Array(CACHE_WORDS);
  const store = createStore("XIP_CTRL", {
    0x0: { reset: 3, mask: 0xb },
    0x8: { reset: 2, mask: 0 }, // FIFO empty
    0x10: { reset: 0, mask: 0 },
  });
  const slot = (offset: number): number => (offset >> 2) & (CACHE_WORDS - 1);
  const peek = (offset: number): number => (offset === 4 ? 0 : store.peek(offset));
  return {
    registers: {
      read: peek,
      peek,
      write(offset, value) {
        if (offset === 0 && (value & ~3) !== 0) unknownValue("XIP_CTRL", offset, value);
        if (offset !== 4) store.write(offset, value);
        tags.fill(-1);
      },
    },
    enabled: () => (store.peek(0) & 1) === 1,
    has: (offset) => tags[slot(offset)] === offset >> 2,
    get: (offset) => words[slot(offset)]!,
    put(offset, value) {
      tags[slot(offset)] = offset >> 2;
      words[slot(offset)] = value;
    },
  };
}

// ---- command mode

function moveSelect(chain: Chain, mode: number): void {
  if (mode === chain.select) return;
  if (chain.pending > 0) throw new ChipFailure("SSI: chip select moves during a transfer");
  if (mode === SELECT_LOW) chain.nor.select();
  else if (chain.select === SELECT_LOW) chain.nor.deselect();
  chain.select = mode;
}

function send(chain: Chain, octet: number): void {
  const { registers, cycles, received, nor } = chain;
  if (registers[2] !== 1) throw new ChipFailure("SSI: data written while it is off");
  if (registers[0] !== CTRLR0_COMMAND || registers[4] !== 1)
    throw new ChipFailure("SSI: data written without 8-bit frames both ways");
  if (chain.select !== SELECT_LOW && chain.select !== SELECT_HIGH)
    throw new ChipFailure("SSI: data written while chip select is not forced");
  if (chain.pending >= FIFO) throw new ChipFailure("SSI: transmit FIFO overflows");
  chain.pending++;
  chain.freeCycle = Math.max(chain.freeCycle, cycles.now()) + 8 * registers[0x14 >> 2]!;
  cycles.at(chain.freeCycle, () => {
    chain.pending--;
    if (received.length >= FIFO) throw new ChipFailure("SSI: receive FIFO overflows");
    received.push(chain.select === SELECT_LOW ? nor.exchange(octet) : 0xff);
  });
}

function createSsi(chain: Chain): Peripheral {
  const { registers, received } = chain;

  function peek(offset: number): number {
    if (offset === 0x20) return chain.pending;
    if (offset === 0x24) return received.length;
    if (offset === 0x28) {
      const idle = chain.pending === 0 ? 4 : 1;
      const room = chain.pending < FIFO ? 2 : 0;
      return idle | room | (received.length > 0 ? 8 : 0) | (received.length >= FIFO ? 16 : 0);
    }
    if (offset === 0x60) return received[0] ?? 0;
    return isSetting(offset) ? registers[offset >> 2]! : unknownRegister("SSI", offset);
  }

  return {
    peek,
    read(offset) {
      if (offset !== 0x60) return peek(offset);
      const octet = received.shift();
      if (octet === undefined) throw new ChipFailure("SSI: receive FIFO read while empty");
      return octet;
    },
    write(offset, value) {
      if (offset === 0x60) return send(chain, value & 0xff);
      if (!isSetting(offset)) unknownRegister("SSI", offset);
      if (offset !== 8 && offset !== 0x10 && registers[2] === 1)
        throw new ChipFailure("SSI: a setting changes while it is on");
      if (offset === 0x14 && (value & 1) !== 0) unknownValue("SSI", offset, value);
      if (offset === 8 && value === 0) {
        if (chain.pending > 0) throw new ChipFailure("SSI: turned off during a transfer");
        received.length = 0;
      }
      registers[offset >> 2] = value;
    },
  };
}

// CTRLR0, CTRLR1, SSIENR, SER, BAUDR, RX_SAMPLE_DLY, SPI_CTRLR0.
function isSetting(offset: number): boolean {
  return [0, 4, 8, 0x10, 0x14, 0xf0, 0xf4].includes(offset);
}

// ---- pins

// Of the six pins only chip select can be forced: CTRL at 0x0C, bits 9:8.
function createIoQspi(select: (mode: number) => void): Peripheral {
  const ctrl = new Uint32Array(6);

  function peek(offset: number): number {
    if (offset < 0x30) return (offset & 4) === 0 ? 0 : ctrl[offset >> 3]!;
    return unknownRegister("IO_QSPI", offset);
  }

  return {
    read: peek,
    peek,
    write(offset, value) {
      if (offset >= 0x30 || (offset & 4) === 0) unknownRegister("IO_QSPI", offset);
      const allowed = offset === 0xc ? 0x300 : 0;
      if ((value & ~allowed) !== 0) unknownValue("IO_QSPI", offset, value);
      ctrl[offset >> 3] = value;
      if (offset === 0xc) select((value >> 8) & 3);
    },
  };
}

function createPadsQspi(): Peripheral {
  const pad = (reset: number): { reset: number; mask: number } => ({ reset, mask: 0xff });
  return createStore("PADS_QSPI", {
    0x0: { reset: 0, mask: 1 },
    0x4: pad(0x56),
    ...{ 0x8: pad(0x52), 0xc: pad(0x52), 0x10: pad(0x52), 0x14: pad(0x52) },
    0x18: pad(0x5a),
  });
}
