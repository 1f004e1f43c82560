// SPDX-License-Identifier: MIT
// SSI, XIP and the QSPI pins: the way to the flash (datasheet 2.6.3, 4.10).
//
// Command mode: 8-bit frames both ways, chip select forced by IO_QSPI; a frame takes 8 x BAUDR cycles.
// XIP: serial 03h reads of 32-bit frames, set up by the second stage. Other modes are not modelled.
// (X1) the flash window opens only in XIP mode, with chip select left to the SSI and the flash idle.
// The cache is not modelled: the window at 0x10000000 is plain memory, as if each access hit, the others
// take the time of a miss. Nothing stale is ever seen; start-up is shorter than on silicon.

import { createStore, unknownRegister, unknownValue, type Context } from "./context.ts";
import type { Nor } from "./nor.ts";
import { ChipFailure, type Peripheral } from "./peripheral.ts";

const FIFO = 16;
const CTRLR0_COMMAND = 7 << 16;
const CTRLR0_XIP = (31 << 16) | (3 << 8);
const SPI_CTRLR0_XIP = (3 << 24) | (2 << 8) | (6 << 2);
const WORD_CLOCKS = 64; // command, address, 32 bits of data
const SELECT_LOW = 2;
const SELECT_HIGH = 3;

export interface FlashPath {
  readonly ssi: Peripheral;
  readonly ioQspi: Peripheral;
  readonly padsQspi: Peripheral;
  readonly xipCtrl: Peripheral;
  /** A word of the flash window. */
  fetch(offset: number): number;
  /** Cycles beyond two that it takes. */
  waits(): number;
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
  readonly opened: (open: boolean) => void;
  open: boolean;
}

/** The path after reset, closed; `opened` hears of each change of that. */
export function createFlashPath(
  { clock }: Context,
  nor: Nor,
  opened: (open: boolean) => void,
): FlashPath {
  const chain: Chain = {
    ...{ nor, opened },
    cycles: clock,
    received: [],
    registers: new Uint32Array(64),
    select: 0,
    pending: 0,
    freeCycle: 0,
    open: false,
  };
  const xipCtrl = createXipCtrl();
  opened(false);
  return {
    ssi: createSsi(chain),
    ioQspi: createIoQspi((mode) => moveSelect(chain, mode)),
    padsQspi: createPadsQspi(),
    xipCtrl,
    fetch(offset) {
      const why = closedBecause(chain);
      if (why === "") return littleEndian(nor.bytes, (offset % nor.bytes.length) & ~3);
      throw new ChipFailure(`flash window read at offset 0x${offset.toString(16)} while ${why}`);
    },
    waits: () => WORD_CLOCKS * (chain.registers[0x14 >> 2] || 2),
    cacheIsSram: () => (xipCtrl.peek(0) & 1) === 0,
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

function settle(chain: Chain): void {
  const open = closedBecause(chain) === "";
  if (open === chain.open) return;
  chain.open = open;
  chain.opened(open);
}

function createXipCtrl(): Peripheral {
  const store = createStore("XIP_CTRL", {
    0x0: { reset: 3, mask: 3 },
    0x4: { reset: 0, mask: 0 }, // FLUSH: done at once
    0x8: { reset: 2, mask: 0 }, // FIFO empty
  });
  return {
    ...store,
    write(offset, value) {
      if (offset === 8 || (offset === 0 && (value & ~3) !== 0))
        unknownValue("XIP_CTRL", offset, value);
      store.write(offset, value);
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
  settle(chain);
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
      settle(chain);
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
