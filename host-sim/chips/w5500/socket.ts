// SPDX-License-Identifier: MIT
// One of the eight sockets of a W5500 (data sheet 1.0.9, 4.2), for UDP.
//
// Pointers are 16 bits and wrap; a buffer sees them modulo its size. A datagram that finds no room is dropped
// whole. The command register clears COMMAND_NS after it is written. Other protocols end the run.

import { ChipFailure } from "../failure.ts";

const SOCKET_UDP = 0x22;
const CLOSED = 0;
const MODE_UDP = 2;
const OPEN = 0x01;
const CLOSE = 0x10;
const SEND = 0x20;
const SEND_MAC = 0x21;
const RECEIVE = 0x40;
const SENT = 0x10;
const TIMED_OUT = 0x08;
const RECEIVED = 0x04;
const HEADER_BYTES = 8; // address, port, length
const BUFFER_BYTES_MAX = 16_384;
const COMMAND_NS = 3_000; // "a few us": not in the data sheet

/** Offsets of the registers. */
const MR = 0x00;
const CR = 0x01;
const IR = 0x02;
const SR = 0x03;
const PORT = 0x04;
const DHAR = 0x06;
const DIPR = 0x0c;
const DPORT = 0x10;
const TTL = 0x16;
const RXBUF = 0x1e;
const TXBUF = 0x1f;
const TX_FSR = 0x20;
const TX_RD = 0x22;
const TX_WR = 0x24;
const RX_RSR = 0x26;
const RX_RD = 0x28;
const RX_WR = 0x2a;
const IMR = 0x2c;
const REGISTERS = 0x30;

export interface Datagram {
  source: number; // IPv4 address, the first octet highest
  sourcePort: number;
  destination: number;
  destinationPort: number;
  payload: Uint8Array;
}

/** What a socket asks of its chip. */
export interface SocketHost {
  /** Calls once after this many nanoseconds. */
  after(ns: number, call: () => void): void;
  /** Puts a datagram on the wire; `ended` is told whether somebody's address was found. */
  send(datagram: Omit<Datagram, "source">, ended: (found: boolean) => void): void;
  /** The same to this hardware address: nobody is asked. */
  sendTo(hardware: Uint8Array, datagram: Omit<Datagram, "source">, ended: () => void): void;
  /** An interrupt bit changed. */
  changed(): void;
}

export interface Socket {
  read(offset: number): number;
  write(offset: number, value: number): void;
  readBuffer(which: "tx" | "rx", address: number): number;
  writeBuffer(which: "tx" | "rx", address: number, value: number): void;
  /** IR, masked. */
  asserted(): boolean;
  port(): number;
  isOpen(): boolean;
  /** A datagram for this socket; false: no room. */
  take(datagram: Datagram): boolean;
}

interface State {
  host: SocketHost;
  registers: Uint8Array<ArrayBuffer>;
  buffers: { tx: Uint8Array<ArrayBuffer>; rx: Uint8Array<ArrayBuffer> };
  sending: boolean;
  taken: number; // RX_RD as the last RECV left it
}

export function createSocket(host: SocketHost): Socket {
  const s: State = {
    host,
    registers: new Uint8Array(REGISTERS),
    buffers: { tx: new Uint8Array(BUFFER_BYTES_MAX), rx: new Uint8Array(BUFFER_BYTES_MAX) },
    sending: false,
    taken: 0,
  };
  s.registers[RXBUF] = s.registers[TXBUF] = 2;
  s.registers[TTL] = 128;
  s.registers[IMR] = 0xff;
  return {
    read(offset) {
      if (offset >= REGISTERS) throw unknown(offset);
      if (offset >> 1 === TX_FSR >> 1) return octet(free(s), offset);
      return offset >> 1 === RX_RSR >> 1 ? octet(used(s), offset) : s.registers[offset]!;
    },
    write(offset, value) {
      if (offset >= REGISTERS) throw unknown(offset);
      if (offset === CR) return command(s, value);
      if (offset === IR) {
        s.registers[IR]! &= ~value;
        return s.host.changed();
      }
      const isRead = offset === SR || (offset >= TX_FSR && offset < TX_WR);
      if (isRead || offset >> 1 === RX_RSR >> 1 || offset >> 1 === RX_WR >> 1) return;
      if (offset === RXBUF || offset === TXBUF) checkSize(value);
      s.registers[offset] = value;
      if (offset === IMR) s.host.changed();
    },
    readBuffer: (which, address) => readBuffer(s, which, address),
    writeBuffer: (which, address, value) =>
      void (s.buffers[which][place(s, which, address)] = value),
    asserted: () => (s.registers[IR]! & s.registers[IMR]!) !== 0,
    port: () => word(s, PORT),
    isOpen: () => s.registers[SR] === SOCKET_UDP,
    take({ source, sourcePort, payload }) {
      if (size(s, "rx") - used(s) < HEADER_BYTES + payload.length) return false;
      const address = [24, 16, 8, 0].map((shift) => (source >>> shift) & 0xff);
      const rest = [sourcePort, payload.length].flatMap((value) => [value >> 8, value & 0xff]);
      push(s, [...address, ...rest]);
      push(s, payload);
      raise(s, RECEIVED);
      return true;
    },
  };
}

function word(s: State, at: number): number {
  return (s.registers[at]! << 8) | s.registers[at + 1]!;
}

function setWord(s: State, at: number, value: number): void {
  s.registers[at] = value >> 8;
  s.registers[at + 1] = value;
}

function size(s: State, which: "tx" | "rx"): number {
  return s.registers[which === "tx" ? TXBUF : RXBUF]! * 1024;
}

function used(s: State): number {
  return (word(s, RX_WR) - s.taken) & 0xffff;
}

function free(s: State): number {
  return size(s, "tx") - ((word(s, TX_WR) - word(s, TX_RD)) & 0xffff);
}

function raise(s: State, bits: number): void {
  s.registers[IR]! |= bits;
  s.host.changed();
}

function command(s: State, value: number): void {
  if (s.sending && (value === SEND || value === SEND_MAC))
    throw new ChipFailure("W5500: SEND before the one before it ended");
  if (s.registers[CR] !== 0)
    throw new ChipFailure("W5500: a socket command before the one before it was taken");
  s.registers[CR] = value;
  s.host.after(COMMAND_NS, () => void (s.registers[CR] = 0));
  if (value === OPEN) open(s);
  else if (value === CLOSE) s.registers[SR] = CLOSED;
  else if (value === SEND || value === SEND_MAC) send(s, value);
  else if (value === RECEIVE) {
    s.taken = word(s, RX_RD);
    if (used(s) > 0) raise(s, RECEIVED);
  } else throw new ChipFailure(`W5500: socket command 0x${value.toString(16)} is not modelled`);
}

function open(s: State): void {
  if ((s.registers[MR]! & 15) !== MODE_UDP)
    throw new ChipFailure(`W5500: socket mode 0x${s.registers[MR]!.toString(16)} is not modelled`);
  s.registers[SR] = SOCKET_UDP;
  for (const at of [TX_RD, TX_WR, RX_RD, RX_WR]) setWord(s, at, 0);
  s.taken = 0;
}

function send(s: State, how: number): void {
  if (s.registers[SR] !== SOCKET_UDP)
    throw new ChipFailure("W5500: SEND of a socket that is closed");
  const end = word(s, TX_WR);
  const length = (end - word(s, TX_RD)) & 0xffff;
  if (length > size(s, "tx")) throw new ChipFailure("W5500: SEND of more than the buffer holds");
  const payload = Uint8Array.from({ length }, (_, at) => readBuffer(s, "tx", word(s, TX_RD) + at));
  const destination = word(s, DIPR) * 65_536 + word(s, DIPR + 2);
  const ports = { sourcePort: word(s, PORT), destinationPort: word(s, DPORT) };
  const ended = (found: boolean): void => {
    s.sending = false;
    setWord(s, TX_RD, end);
    raise(s, found ? SENT : TIMED_OUT);
  };
  s.sending = true;
  const datagram = { destination, ...ports, payload };
  if (how === SEND) s.host.send(datagram, ended);
  else s.host.sendTo(s.registers.slice(DHAR, DHAR + 6), datagram, () => ended(true));
}

function place(s: State, which: "tx" | "rx", address: number): number {
  const bytes = size(s, which);
  if (bytes === 0) throw new ChipFailure(`W5500: a ${which} buffer of no size is used`);
  return address & (bytes - 1);
}

function readBuffer(s: State, which: "tx" | "rx", address: number): number {
  return s.buffers[which][place(s, which, address)]!;
}

function push(s: State, octets: Iterable<number>): void {
  let at = word(s, RX_WR);
  for (const octet of octets) s.buffers.rx[place(s, "rx", at++)] = octet;
  setWord(s, RX_WR, at & 0xffff);
}

const octet = (value: number, offset: number): number =>
  (offset & 1) === 0 ? value >> 8 : value & 0xff;

function checkSize(value: number): void {
  if (![0, 1, 2, 4, 8, 16].includes(value))
    throw new ChipFailure(`W5500: a buffer cannot have ${value} KiB`);
}

function unknown(offset: number): ChipFailure {
  return new ChipFailure(`W5500: socket register 0x${offset.toString(16)} is not modelled`);
}
