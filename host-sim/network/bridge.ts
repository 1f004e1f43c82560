// SPDX-License-Identifier: MIT
// A host of the segment that lives elsewhere.
//
// It may be in the simulated network, or behind a real socket: both take names and octets.
// The chips of the segment are named there by "address:port".

import { addressOf, dotted, type Segment } from "./ethernet.ts";

/** The host as chips see it. */
export interface BridgedHost {
  address: number;
  port: number;
  groups?: readonly number[]; // it listens to these too, on the same port
}

/** Plugs it in. What comes for it goes to `away`; what is returned brings a datagram back. */
export function bridgeHost(
  segment: Segment,
  host: BridgedHost,
  away: (from: string, bytes: Uint8Array) => void,
): (to: string, bytes: Uint8Array) => void {
  const { address, port, groups = [] } = host;
  segment.plug({
    ...{ address, groups },
    take({ source, sourcePort, destinationPort, payload }) {
      if (destinationPort === port) away(`${dotted(source)}:${sourcePort}`, payload);
    },
  });
  return (to, bytes) => {
    const [name, toPort] = to.split(":");
    segment.send({
      ...{ source: address, sourcePort: port, payload: bytes },
      ...{ destination: addressOf(name!), destinationPort: Number(toPort) },
    });
  };
}
