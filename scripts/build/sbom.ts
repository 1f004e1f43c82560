// SPDX-License-Identifier: MIT
// What a flash image is made of, as CycloneDX 1.5 JSON.
//
// Deterministic: the serial number follows from the image, and there is no time of day. Components are what ends up in
// the image; what made it stands under metadata.tools.

import { createHash } from "node:crypto";

export interface Part {
  name: string;
  version: string;
  type: "application" | "firmware" | "library";
  sha256?: string;
  license?: string;
}

export interface BillInput {
  node: string;
  image: Uint8Array;
  parts: readonly Part[];
  tools: readonly { name: string; version: string }[];
}

/** The bill of an image. */
export function billOfMaterials({ node, image, parts, tools }: BillInput): string {
  const sha256 = createHash("sha256").update(image).digest("hex");
  const ref = `image:${sha256}`;
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(sha256)}`,
    version: 1,
    metadata: {
      tools: {
        components: tools.map(({ name, version }) => ({ type: "application", name, version })),
      },
      component: {
        type: "firmware",
        "bom-ref": ref,
        name: node,
        version: sha256.slice(0, 12),
        hashes: [{ alg: "SHA-256", content: sha256 }],
      },
    },
    components: parts.map(component),
    dependencies: [{ ref, dependsOn: parts.map(refOf) }, ...parts.map((p) => ({ ref: refOf(p) }))],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function component(part: Part): Record<string, unknown> {
  const { type, name, version, sha256, license } = part;
  return {
    type,
    "bom-ref": refOf(part),
    name,
    version,
    ...(sha256 !== undefined && { hashes: [{ alg: "SHA-256", content: sha256 }] }),
    ...(license !== undefined && { licenses: [{ expression: license }] }),
  };
}

function refOf({ name, version }: Part): string {
  return `${name}@${version}`;
}

// RFC 9562 version 8: octets of our own choice, here of a hash.
function uuidOf(hex: string): string {
  const variant = ((parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
