// SPDX-License-Identifier: MIT
// Encodes MQTT 3.1.1 packets with mqtt-packet.

import { generate, type Packet } from "mqtt-packet";

/** The octets of one packet. */
export function encode(packet: Packet): Uint8Array {
  return generate(packet, { protocolVersion: 4 });
}
