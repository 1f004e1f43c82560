// SPDX-License-Identifier: MIT
// An Ethernet segment: UDP datagrams and ARP between stations and chips.
//
// A datagram takes WIRE_NS, an ARP request is answered after ARP_NS. A station hears its address, broadcasts
// and its groups. What a chip has no room for, or is not there to hear, is dropped and counted.

import type { Datagram, EthernetPort } from "../chips/w5500/index.ts";

const WIRE_NS = 50_000;
const ARP_NS = 100_000;
export const BROADCAST = 0xffffffff;

/** A host that is no chip. */
export interface Station {
  readonly address: number;
  readonly groups?: readonly number[];
  take(datagram: Datagram): void;
}

/** Where a chip's cable goes. */
export interface Jack extends EthernetPort {
  setLink(up: boolean): void;
  counts(): { readonly sent: number; readonly delivered: number; readonly dropped: number };
}

export interface Segment {
  plug(station: Station): void;
  unplug(station: Station): void;
  /** A place for a chip; `deliver` is the chip's, false: it has no room. */
  jack(deliver: (datagram: Datagram) => boolean): Jack;
  /** From a station to whoever it is for. */
  send(datagram: Datagram): void;
  /** ARP requests for this address wait so much longer, undefined: nobody answers; 0: as ever. */
  delayArp(address: number, ns: number | undefined): void;
}

interface Plugged {
  address: number; // of a jack: the source of what it last sent, 0: none yet
  link: boolean;
  hears(datagram: Datagram): void;
}

/** A segment on somebody's clock. */
export function createSegment(after: (ns: number, call: () => void) => void): Segment {
  const stations = new Map<Station, Plugged>();
  const jacks: Plugged[] = [];
  const delays = new Map<number, number | undefined>();

  function carry(from: Plugged | undefined, datagram: Datagram): void {
    after(WIRE_NS, () => {
      for (const plugged of [...stations.values(), ...jacks])
        if (plugged !== from && plugged.link) plugged.hears(datagram);
    });
  }

  function answerNs(asker: Plugged, address: number): number | undefined {
    const all = [...stations.values(), ...jacks];
    const isThere = all.some((one) => one !== asker && one.link && one.address === address);
    const delay = delays.has(address) ? delays.get(address) : 0;
    return isThere && delay !== undefined ? ARP_NS + delay : undefined;
  }

  return {
    plug(station) {
      const { address, groups = [] } = station;
      const hears = (datagram: Datagram): void => {
        const { destination } = datagram;
        if ([address, BROADCAST, ...groups].includes(destination)) station.take(datagram);
      };
      stations.set(station, { address, link: true, hears });
    },
    unplug: (station) => void stations.delete(station),
    jack(deliver) {
      const counts = { sent: 0, delivered: 0, dropped: 0 };
      const hears = (datagram: Datagram): void => {
        const isForAnother = datagram.destination !== me.address && me.address !== 0;
        if (isForAnother && datagram.destination !== BROADCAST) return;
        if (deliver(datagram)) counts.delivered++;
        else counts.dropped++;
      };
      const me: Plugged = { address: 0, link: true, hears };
      jacks.push(me);
      return {
        link: () => me.link,
        setLink: (up) => void (me.link = up),
        answerNs: (address) => answerNs(me, address),
        send(datagram) {
          me.address = datagram.source;
          counts.sent++;
          carry(me, datagram);
        },
        counts: () => counts,
      };
    },
    send: (datagram) => carry(undefined, datagram),
    delayArp: (address, ns) => void delays.set(address, ns),
  };
}

/** "192.0.2.5". */
export function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** The address of "192.0.2.5"; it is one. */
export function addressOf(text: string): number {
  return text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}
