// SPDX-License-Identifier: MIT
// Goal: no pair and no reading comes out of noise.
// Method: the release module hears xorshift64 noise of a known hash; 1 MiB by default, `node --import tsx tests/loop/noise.test.ts 16` for 16 MiB.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { lastCounters, mapRegisters, playSolid, type HeardRegister } from "../support/capture.ts";
import { buildLoop, createLoopHost } from "../support/loop-host.ts";
import { KIND_READING } from "../../firmware/wire/record.ts";

const MIB = 1 << 20;
const MIBS = Number(process.argv[2] ?? 1);
const FIRST_MIB_SHA256 = "237e5f2ae4de3aec2e9ff9f19f09cec3c4eed4ae1dffd74609671b4a5434033e";
const CHARACTER_US = 87; // 115,200 baud

// xorshift64, shifts 13, 7, 17; each state as eight octets, least significant first. Two halves of 32
// bits: BigInt would take a minute for 16 MiB.
function createNoise(): (octets: Uint8Array) => void {
  let low = Number(88172645463325252n & 0xffff_ffffn) | 0;
  let high = Number(88172645463325252n >> 32n) | 0;
  return (octets) => {
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    for (let at = 0; at < octets.length; at += 8) {
      high ^= (high << 13) | (low >>> 19);
      low ^= low << 13;
      const shifted = (low >>> 7) | (high << 25);
      high ^= high >>> 7;
      low ^= shifted;
      high ^= (high << 17) | (low >>> 15);
      low ^= low << 17;
      view.setInt32(at, low, true);
      view.setInt32(at + 4, high, true);
    }
  };
}

test(`${MIBS} MiB of noise give no pair and no reading`, async (t) => {
  const registers = Array.from({ length: 250 }, (_, address): HeardRegister => {
    return { unit: 1 + (address % 247), code: 3, address, value: 0 };
  });
  const node = mapRegisters(registers, { baud: 38_400, format: "8N1" });
  const host = createLoopHost(await buildLoop(node));
  host.init();
  const fill = createNoise();
  const octets = new Uint8Array(MIB);
  for (let i = 0; i < MIBS; i++) {
    fill(octets);
    if (i === 0) assert.equal(createHash("sha256").update(octets).digest("hex"), FIRST_MIB_SHA256);
    playSolid(host, octets, CHARACTER_US);
  }
  for (let i = 0; i < 1200; i++) host.tick(host.nowUs + 10_000);
  assert.deepEqual(
    host.records.filter(({ kind }) => kind === KIND_READING),
    [],
  );
  const counters = lastCounters(host);
  t.diagnostic(JSON.stringify(counters));
  assert.equal(counters["bytes"], MIBS * MIB);
  assert.equal(counters["pairs"], 0);
  // Random frames with right fields: about one a MiB (15 in 16).
  assert.ok(counters["frames"]! <= 2 * MIBS, `${counters["frames"]} frames`);
});
