// SPDX-License-Identifier: MIT
// A flash image on the emulated chip, with a W5500 on a segment.
//
// On the segment: a DHCP server and a gateway of few words.

import { readFileSync } from "node:fs";
import { attachDevice } from "../../host-sim/chips/rp2040/attach.ts";
import { FLASH_BYTES, loadUf2, type Rp2040 } from "../../host-sim/chips/rp2040/index.ts";
import { formatOf } from "../../host-sim/chips/rp2040/serial.ts";
import { attachW5500 } from "../../host-sim/chips/w5500/attach.ts";
import type { Datagram, EthernetPort, W5500 } from "../../host-sim/chips/w5500/index.ts";
import type { Device } from "../../host-sim/devices/device.ts";
import { bridgeHost } from "../../host-sim/network/bridge.ts";
import {
  createDhcpServer,
  type DhcpServer,
  type DhcpSettings,
} from "../../host-sim/network/dhcp-server.ts";
import {
  addressOf,
  createSegment,
  type Jack,
  type Segment,
} from "../../host-sim/network/ethernet.ts";
import { readAddresses } from "../../scripts/build/elf.ts";
import { type Identity, identitySector } from "../../scripts/build/identity.ts";
import { readBoard } from "../../scripts/build/rp2040-board.ts";
import type { Rp2040Image } from "../../scripts/build/rp2040.ts";
import { answerTo, powerUp, wordsAt } from "./rp2040-rig.ts";

const SECTOR_BYTES = 4096;
const APART_NS = 300_000; // answers of a server
const GROUP = addressOf("239.255.77.78");
export const GATEWAY = addressOf("192.0.2.2");
export const POOL: DhcpSettings = {
  ...{ address: addressOf("192.0.2.1"), mask: addressOf("255.255.255.0") },
  ...{ router: addressOf("192.0.2.1"), first: addressOf("192.0.2.50"), count: 20, leaseS: 3600 },
};

export interface Wired {
  chip: Rp2040;
  segment: Segment;
  jack: Jack;
  ethernet: W5500;
  dhcp: DhcpServer;
  /** What the DHCP server's answers become on the way: none, one, several. */
  tamper: { answers: (message: Uint8Array) => Uint8Array[] };
  messages: { at: number; from: string; bytes: Uint8Array }[]; // at the gateway, ms
  lateMax(): number; // cycles from the match of alarm 0 to the first instruction of its handler
  words(symbol: string, count: number): number[];
  /** A datagram of the gateway, to "address:port". */
  back(to: string, bytes: Uint8Array): void;
}

export interface Plan {
  identity?: Identity;
  device?: Device | undefined;
  dhcp?: Partial<DhcpSettings>;
  seed?: number;
  flash?: Uint8Array;
  /** The gateway elsewhere: what came for it; gives what brings a datagram back. */
  away?: (from: string, bytes: Uint8Array) => void;
}

/** Powers a chip up with the cable in. */
export function wire(image: Rp2040Image, plan: Plan = {}): Wired {
  const { seed = 3, flash = new Uint8Array(FLASH_BYTES).fill(0xff) } = plan;
  loadUf2(readFileSync(image.program), flash);
  if (plan.identity !== undefined)
    flash.set(identitySector(plan.identity), FLASH_BYTES - SECTOR_BYTES);
  const symbols = readAddresses(readFileSync(image.elf));
  const { chip, late } = powerUp(flash, seed);
  const lateMax = (): number => Math.max(...late.keys());
  const board = readBoard("w5500-evb-pico");
  if (board.transport.kind !== "ethernet") throw new Error("the board has no Ethernet");
  const { analog, digital, pulses, pwm } = board;
  const taps = board.taps.map(({ rx }) => ({ rx, format: formatOf(9600, "8N1") }));
  if (plan.device !== undefined)
    attachDevice(chip, plan.device, { analog, digital, pulses, pwm, taps });
  else for (const pin of analog) chip.pins.setVolts(pin, 1.6);
  const after = (ns: number, call: () => void): void =>
    void chip.time.atNs(chip.time.nowNs() + ns, call);
  const segment = createSegment(after);
  const made: { ethernet?: W5500 } = {};
  const jack = segment.jack((datagram) => made.ethernet!.deliver(datagram));
  made.ethernet = attachW5500(chip, board.transport, jack satisfies EthernetPort);
  const nowMs = (): number => chip.time.nowNs() / 1e6;
  const tamper: Wired["tamper"] = { answers: (message) => [message] };
  const dhcp = createDhcpServer({ ...POOL, ...plan.dhcp }, nowMs);
  plugDhcp(segment, dhcp, tamper, after);
  const messages: Wired["messages"] = [];
  const back = bridgeHost(
    segment,
    { address: GATEWAY, port: 10_000, groups: [GROUP] },
    (from, bytes) => {
      messages.push({ at: nowMs(), from, bytes });
      if (plan.away !== undefined) return plan.away(from, bytes);
      const answer = bytes[1] === 1 ? Uint8Array.of(3, 2, 1) : answerTo(bytes); // SEARCHGW: GWINFO
      if (answer !== undefined) back(from, answer);
    },
  );
  const words = (symbol: string, n: number): number[] => wordsAt(chip, symbols.get(symbol)!, n);
  const { ethernet } = made;
  return { chip, segment, jack, ethernet, dhcp, tamper, messages, lateMax, words, back };
}

function plugDhcp(
  segment: Segment,
  server: DhcpServer,
  tamper: Wired["tamper"],
  after: (ns: number, call: () => void) => void,
): void {
  const address = server.settings.address;
  segment.plug({
    address,
    take({ destinationPort, payload }: Datagram) {
      const answer = destinationPort === 67 ? server.take(payload) : undefined;
      if (answer === undefined) return;
      const head = { source: address, sourcePort: 67, destination: answer.to, destinationPort: 68 };
      tamper
        .answers(answer.message)
        .forEach((payload, i) => after(i * APART_NS, () => segment.send({ ...head, payload })));
    },
  });
}

/** Types of MQTT-SN messages. */
export function typesOf(messages: Wired["messages"]): number[] {
  return messages.map(({ bytes }) => (bytes[0] === 1 ? bytes[3]! : bytes[1]!));
}
