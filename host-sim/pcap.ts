// SPDX-License-Identifier: MIT
// Writes the datagrams of a run as a classic pcap file that dissectors read.
//
// Format: libpcap 2.4, microseconds, link type 101 (raw IP). IPv4 (RFC 791) and UDP (RFC 768) headers
// with right checksums; addresses are of 192.0.2.0/24 (RFC 5737), the group is 239.255.77.78.

export interface Endpoint {
  host: string; // dotted quad
  port: number;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const IP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
const LINK_TYPE_RAW = 101;
const SNAP_BYTES = 65_535;

/** The 24 octets that open a file. */
export function encodePcapHeader(): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_BYTES, true);
  view.setUint32(20, LINK_TYPE_RAW, true);
  return bytes;
}

/** One datagram with its record header; `wallUs` is its time since 1970 in µs. */
export function encodePcapDatagram(
  wallUs: number,
  from: Endpoint,
  to: Endpoint,
  payload: Uint8Array,
): Uint8Array {
  const ipBytes = IP_HEADER_BYTES + UDP_HEADER_BYTES + payload.length;
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + ipBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(wallUs / 1_000_000), true);
  view.setUint32(4, wallUs % 1_000_000, true);
  view.setUint32(8, ipBytes, true);
  view.setUint32(12, ipBytes, true);

  const ip = RECORD_HEADER_BYTES;
  view.setUint8(ip, 0x45); // version 4, five words
  view.setUint16(ip + 2, ipBytes);
  view.setUint16(ip + 6, 0x4000); // don't fragment
  view.setUint8(ip + 8, to.host.startsWith("239.") ? 1 : 64); // time to live
  view.setUint8(ip + 9, 17); // UDP
  putAddress(bytes, ip + 12, from.host);
  putAddress(bytes, ip + 16, to.host);
  view.setUint16(ip + 10, complement(sum(view, ip, IP_HEADER_BYTES)));

  const udp = ip + IP_HEADER_BYTES;
  const udpBytes = UDP_HEADER_BYTES + payload.length;
  view.setUint16(udp, from.port);
  view.setUint16(udp + 2, to.port);
  view.setUint16(udp + 4, udpBytes);
  bytes.set(payload, udp + UDP_HEADER_BYTES);
  // The pseudo header: both addresses, the protocol, the length.
  const checksum = complement(sum(view, ip + 12, 8) + 17 + udpBytes + sum(view, udp, udpBytes));
  view.setUint16(udp + 6, checksum === 0 ? 0xffff : checksum);
  return bytes;
}

/** "192.0.2.1:10000" as an endpoint. */
export function parseEndpoint(key: string): Endpoint {
  const colon = key.lastIndexOf(":");
  return { host: key.slice(0, colon), port: Number(key.slice(colon + 1)) };
}

function putAddress(bytes: Uint8Array, offset: number, host: string): void {
  host.split(".").forEach((octet, i) => {
    bytes[offset + i] = Number(octet);
  });
}

function sum(view: DataView, offset: number, length: number): number {
  let total = 0;
  for (let i = 0; i + 1 < length; i += 2) total += view.getUint16(offset + i);
  if (length % 2 === 1) total += view.getUint8(offset + length - 1) << 8;
  return total;
}

function complement(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}
