// SPDX-License-Identifier: MIT
// The cable from a board with a W5500 to the simulated network.
//
// A segment of its own for each board, in the chip's time: a DHCP server with one address, and the gateway,
// which in truth stands behind the network of datagrams. What goes to another port or host of the segment is
// lost, as on a wire.

import { bridgeHost } from "../network/bridge.ts";
import { createDhcpServer } from "../network/dhcp-server.ts";
import { addressOf, createSegment, type Segment } from "../network/ethernet.ts";
import type { EthernetPlan } from "../plan.ts";
import type { Rp2040 } from "./rp2040/index.ts";
import type { Transport } from "./transport.ts";
import { attachW5500 } from "./w5500/attach.ts";
import type { W5500 } from "./w5500/index.ts";

const ROUTER = addressOf("192.0.2.254"); // and DHCP server; RFC 5737
const LEASE = { mask: addressOf("255.255.255.0"), first: addressOf("192.0.2.253"), count: 1 };
const LEASE_S = 86_400;
const GATEWAY = addressOf("192.0.2.1"); // wherever it is in truth
const LISTENER = addressOf("192.0.2.252"); // hears the group for the gateway
const GROUP = addressOf("239.255.77.78"); // SPEC.md §7
const PORT = 10_000;
const DHCP = { server: 67, client: 68 };

/** Plugs the cable in; `said` gets each message of the board, to the gateway or to its group. */
export function createEthernetLine(
  chip: Rp2040,
  plan: EthernetPlan,
  said: (message: Uint8Array, toGroup: boolean) => void,
): Transport {
  const after = (ns: number, call: () => void): void =>
    void chip.time.atNs(chip.time.nowNs() + ns, call);
  const segment = createSegment(after);
  const made: { chip?: W5500 } = {};
  const jack = segment.jack((datagram) => made.chip!.deliver(datagram));
  made.chip = attachW5500(chip, plan, jack);
  plugRouter(segment, () => chip.time.nowNs() / 1e6);
  let board: string | undefined; // its address and port, once it has said something
  const hear = (toGroup: boolean) => (from: string, message: Uint8Array) => {
    board = from;
    said(message, toGroup);
  };
  const back = bridgeHost(segment, { address: GATEWAY, port: PORT }, hear(false));
  bridgeHost(segment, { address: LISTENER, port: PORT, groups: [GROUP] }, hear(true));
  return {
    hear(_from, message) {
      if (board === undefined) return false;
      back(board, message);
      return true;
    },
    end: () => jack.setLink(false),
  };
}

function plugRouter(segment: Segment, nowMs: () => number): void {
  const settings = { address: ROUTER, router: ROUTER, ...LEASE, leaseS: LEASE_S };
  const server = createDhcpServer(settings, nowMs);
  segment.plug({
    address: ROUTER,
    take({ destinationPort, payload }) {
      const answer = destinationPort === DHCP.server ? server.take(payload) : undefined;
      if (answer === undefined) return;
      const { to, message } = answer;
      const ports = { sourcePort: DHCP.server, destinationPort: DHCP.client };
      segment.send({ source: ROUTER, destination: to, ...ports, payload: message });
    },
  });
}
