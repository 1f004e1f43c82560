// SPDX-License-Identifier: MIT
// A W5500 Ethernet chip (WIZnet data sheet 1.0.9) at the level of its SPI frames.
//
// A frame lives while its select pin is low: address, control, data with increment. Values of two octets
// are read octet by octet and may change in between, as on the chip. Until RESET_NS after a reset it does
// not answer. UDP alone; the network beyond is the port's.

import { ChipFailure } from "../failure.ts";
import { createSocket, type Datagram, type Socket } from "./socket.ts";

export type { Datagram } from "./socket.ts";

const SOCKETS = 8;
const BUFFER_KIB = 16; // of all sockets together, each way
const REGISTERS = 0x3a;
const RESET_NS = 1_000_000; // data sheet 5.5.1: the PLL locks
const BROADCAST = 0xffffffff;

const MR = 0x00;
const GAR = 0x01;
const SUBR = 0x05;
const SIPR = 0x0f;
const IR = 0x15;
const CONFLICT = 0x80; // of IR
const IMR = 0x16;
const SIR = 0x17;
const SIMR = 0x18;
const RTR = 0x19;
const RCR = 0x1b;
const PHYCFGR = 0x2e;
const VERSIONR = 0x39;

/** The network at the chip's jack. */
export interface EthernetPort {
  /** Whether the cable is in and the other end is up. */
  link(): boolean;
  /** Nanoseconds until an ARP request for that address is answered, undefined: nobody does. */
  answerNs(address: number): number | undefined;
  send(datagram: Datagram): void;
}

/** Time, and the interrupt pin, that the chip is given. */
export interface W5500Host {
  after(ns: number, call: () => void): void;
  interrupt(low: boolean): void;
}

export interface W5500 {
  /** The select pin. */
  select(low: boolean): void;
  /** The reset pin. */
  reset(low: boolean): void;
  /** One octet each way. */
  exchange(sent: number): number;
  /** A datagram from the network; false: dropped. */
  deliver(datagram: Datagram): boolean;
  /** An ARP packet in which somebody else says he has the chip's address. */
  conflict(): void;
}

interface State {
  port: EthernetPort;
  host: W5500Host;
  registers: Uint8Array<ArrayBuffer>;
  sockets: Socket[];
  generation: number; // of resets: what was begun before one does not end after it
  answers: boolean;
  held: boolean;
  position: number; // octet of the frame, -1: not selected
  address: number;
  control: number;
}

export function createW5500(port: EthernetPort, host: W5500Host): W5500 {
  const s: State = {
    port,
    host,
    registers: new Uint8Array(REGISTERS),
    sockets: [],
    generation: 0,
    answers: false,
    held: false,
    position: -1,
    address: 0,
    control: 0,
  };
  restart(s);
  return {
    select: (low) => void (s.position = low ? 0 : -1),
    reset(low) {
      if (s.held && !low) restart(s);
      s.held = low;
      if (low) s.answers = false;
    },
    exchange(sent) {
      if (s.position < 0 || !s.answers) return 0;
      const at = s.position++;
      if (at === 0) s.address = sent << 8;
      else if (at === 1) s.address |= sent;
      else if (at === 2) s.control = sent;
      else {
        const here = (s.address + at - 3) & 0xffff;
        if ((s.control & 3) !== 0)
          throw new ChipFailure("W5500: a frame of fixed length is not modelled");
        if ((s.control & 4) === 0) return read(s, here);
        write(s, here, sent);
      }
      return 0;
    },
    deliver(datagram) {
      const { destination, destinationPort } = datagram;
      const isMine = destination === long(s, SIPR) || hop(s, destination) === BROADCAST;
      if (!s.answers || !s.port.link() || !isMine) return false;
      const socket = s.sockets.find((one) => one.isOpen() && one.port() === destinationPort);
      return socket?.take(datagram) ?? false;
    },
    conflict() {
      s.registers[IR]! |= CONFLICT;
      changed(s);
    },
  };
}

function word(s: State, at: number): number {
  return (s.registers[at]! << 8) | s.registers[at + 1]!;
}

function long(s: State, at: number): number {
  return word(s, at) * 65_536 + word(s, at + 2);
}

function after(s: State, ns: number, call: () => void): void {
  const mine = s.generation;
  s.host.after(ns, () => void (mine === s.generation && call()));
}

function changed(s: State): void {
  s.registers[SIR] = s.sockets.reduce((bits, one, n) => bits | (one.asserted() ? 1 << n : 0), 0);
  const isLow = (s.registers[SIR] & s.registers[SIMR]!) | (s.registers[IR]! & s.registers[IMR]!);
  s.host.interrupt(isLow !== 0);
}

function restart(s: State): void {
  s.generation++;
  s.answers = false;
  s.registers = new Uint8Array(REGISTERS);
  s.registers[RTR] = 2000 >> 8;
  s.registers[RTR + 1] = 2000 & 0xff;
  s.registers[RCR] = 8;
  s.registers[PHYCFGR] = 0xb8;
  s.registers[VERSIONR] = 4;
  s.sockets = Array.from({ length: SOCKETS }, () =>
    createSocket({
      after: (ns, call) => after(s, ns, call),
      send: (part, ended) => send(s, part, ended),
      sendTo: (hardware, part, ended) => sendTo(s, hardware, part, ended),
      changed: () => changed(s),
    }),
  );
  changed(s);
  after(s, RESET_NS, () => void (s.answers = true));
}

/** Where a datagram's frame goes: itself, its gateway, or everybody. */
function hop(s: State, destination: number): number {
  const mask = long(s, SUBR);
  const isBroadcast = destination === BROADCAST || (destination | mask) >>> 0 === BROADCAST;
  if (isBroadcast) return BROADCAST;
  const isNear = (destination & mask) === (long(s, SIPR) & mask);
  return isNear ? destination : long(s, GAR);
}

function send(s: State, part: Omit<Datagram, "source">, ended: (found: boolean) => void): void {
  const source = long(s, SIPR);
  const next = hop(s, part.destination);
  const answerNs = next === BROADCAST ? 0 : s.port.link() ? s.port.answerNs(next) : undefined;
  const patienceNs = word(s, RTR) * 100_000 * (s.registers[RCR]! + 1);
  const found = answerNs !== undefined && answerNs <= patienceNs;
  after(s, found ? answerNs : patienceNs, () => {
    if (found && s.port.link()) s.port.send({ source, ...part });
    ended(found);
  });
}

// RFC 1112, 6.4: who listens to a group hears frames to its address alone.
function sendTo(
  s: State,
  hardware: Uint8Array,
  part: Omit<Datagram, "source">,
  ended: () => void,
): void {
  const { destination } = part;
  if (destination >>> 28 !== 14)
    throw new ChipFailure("W5500: SEND_MAC to other addresses than a group's is not modelled");
  const group = [0x01, 0x00, 0x5e, (destination >>> 16) & 0x7f, (destination >>> 8) & 0xff];
  const isRight = [...group, destination & 0xff].every((octet, at) => octet === hardware[at]);
  const source = long(s, SIPR);
  after(s, 0, () => {
    if (isRight && s.port.link()) s.port.send({ source, ...part });
    ended();
  });
}

function read(s: State, at: number): number {
  const block = s.control >> 3;
  const socket = s.sockets[block >> 2]!;
  if (block === 0) return readCommon(s, at);
  if ((block & 3) === 1) return socket.read(at);
  if ((block & 3) === 0) throw new ChipFailure(`W5500: block ${block} does not exist`);
  return socket.readBuffer((block & 3) === 2 ? "tx" : "rx", at);
}

function readCommon(s: State, at: number): number {
  if (at >= REGISTERS) throw unknown(at);
  if (at === PHYCFGR) return (s.registers[at]! & ~7) | (s.port.link() ? 7 : 0);
  return s.registers[at]!;
}

function write(s: State, at: number, value: number): void {
  const block = s.control >> 3;
  const socket = s.sockets[block >> 2]!;
  if (block === 0) writeCommon(s, at, value);
  else if ((block & 3) === 1) {
    socket.write(at, value);
    if (at === 0x1e || at === 0x1f) checkBuffers(s);
  } else if ((block & 3) === 2) socket.writeBuffer("tx", at, value);
  else throw new ChipFailure(`W5500: block ${block} is written`);
}

function writeCommon(s: State, at: number, value: number): void {
  if (at >= REGISTERS) throw unknown(at);
  if (at === MR && (value & 0x80) !== 0) return restart(s);
  if (at === MR && (value & ~0x10) !== 0)
    throw new ChipFailure(`W5500: mode 0x${value.toString(16)} is not modelled`);
  if (at === VERSIONR || at === SIR) return;
  s.registers[at] = at === IR ? s.registers[at]! & ~value : value;
  changed(s);
}

function checkBuffers(s: State): void {
  for (const size of [0x1e, 0x1f]) {
    const sum = s.sockets.reduce((total, socket) => total + socket.read(size), 0);
    if (sum > BUFFER_KIB)
      throw new ChipFailure(`W5500: buffers of ${sum} KiB, there are ${BUFFER_KIB}`);
  }
}

function unknown(at: number): ChipFailure {
  return new ChipFailure(`W5500: register 0x${at.toString(16)} is not modelled`);
}
