// SPDX-License-Identifier: MIT
// The sector in flash that says who a node is and where its gateways are.
//
// Spec: SPEC.md section 15. One image for all nodes of a type: what differs is here. A record that the file
// says nothing of is left out: the node then goes by its chip's id, asks for an address, looks for a gateway.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { crc32c } from "../../gateway/frame.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";

const SECTOR_BYTES = 4096;
const GATEWAYS_MAX = 4;
const [ID_BYTES, EUI64_BYTES] = [24, 8];
const NETWORK_AT = 256;
const NETWORK_BYTES = 52; // without its CRC

const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ip = `${octet}(\\.${octet}){3}`;
const address = z.string().regex(new RegExp(`^${ip}$`), "an address as 192.0.2.20");

const identitySchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,23}$/, "1 to 23 letters, digits, - and _")
    .optional(),
  eui64: z
    .string()
    .regex(/^[0-9a-f]{16}$/, "16 hexadecimal digits")
    .optional()
    .describe("absent: made of the id"),
  wifi: z
    .strictObject({
      ssid: z.string().min(1).max(32),
      password: z
        .string()
        .regex(/^[\x20-\x7e]{8,63}$/, "8 to 63 printable ASCII characters")
        .optional()
        .describe("absent: the network is open"),
    })
    .optional()
    .describe("of a board with WiFi"),
  network: z
    .strictObject({
      address: z
        .string()
        .regex(new RegExp(`^${ip}/([89]|[12]\\d|30)$`), "an address as 192.0.2.20/24")
        .optional()
        .describe("absent: by DHCP"),
      router: address.optional(),
      gateways: z
        .array(z.string().regex(new RegExp(`^${ip}:\\d{1,5}$`), "an address as 192.0.2.2:10000"))
        .max(GATEWAYS_MAX)
        .default([])
        .describe("none: the node looks for one"),
    })
    .optional(),
});

export type Identity = z.input<typeof identitySchema>;

/** An identity file. Throws Failure. */
export function readIdentity(file: string): Identity {
  try {
    return identitySchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Failure(EXIT_FAILED, `${file}: ${why}`, 'for example {"id": "oven-1"}');
  }
}

/** The whole sector; FF where nothing is said. */
export function identitySector(identity: Identity): Uint8Array {
  const sector = new Uint8Array(SECTOR_BYTES).fill(0xff);
  const { id, network } = identity;
  if (id !== undefined) sector.set(idRecord(id, identity.eui64));
  if (network !== undefined) sector.set(networkRecord(network), NETWORK_AT);
  return sector;
}

function idRecord(id: string, eui64: string | undefined): Uint8Array {
  const record = new Uint8Array(4 + ID_BYTES + EUI64_BYTES);
  record.set(Buffer.from("FRI1"));
  record.set(Buffer.from(id), 4);
  record.set(eui64 === undefined ? eui64Of(id) : Buffer.from(eui64, "hex"), 4 + ID_BYTES);
  return checked(record);
}

/** The EUI-64 of an id: locally administered, no group. */
export function eui64Of(id: string): Uint8Array {
  const made = createHash("sha256").update(id).digest().subarray(0, EUI64_BYTES);
  made[0] = (made[0]! & 0xfc) | 0x02;
  return made;
}

function networkRecord({ address: own, router, gateways = [] }: NonNullable<Identity["network"]>) {
  const record = new Uint8Array(NETWORK_BYTES);
  const octets = (text: string): number[] => text.split(".").map(Number);
  record.set(Buffer.from("FRN1"));
  if (own !== undefined) {
    const [host, bits] = own.split("/");
    record.set(octets(host!), 4);
    const mask = (0xffffffff << (32 - Number(bits))) >>> 0;
    new DataView(record.buffer).setUint32(8, mask);
  }
  if (router !== undefined) record.set(octets(router), 12);
  record[16] = gateways.length;
  gateways.forEach((gateway, place) => {
    const [host, port] = gateway.split(":");
    record.set(octets(host!), 20 + 8 * place);
    new DataView(record.buffer).setUint16(24 + 8 * place, Number(port), true);
  });
  return checked(record);
}

function checked(record: Uint8Array): Uint8Array {
  const whole = new Uint8Array(record.length + 4);
  whole.set(record);
  new DataView(whole.buffer).setUint32(record.length, crc32c(record, record.length), true);
  return whole;
}
