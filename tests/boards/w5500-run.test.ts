// SPDX-License-Identifier: MIT
// Flash images of a W5500-EVB-Pico on the emulated chip: addresses and cables.
//
// Goal: each example node gets its readings through by DHCP and by a fixed address; what the network does (no server, a
// cable pulled, a lease that ends, nobody at an address) is lived through without a late tick. Method: the UF2 itself in
// virtual time; chip, segment and DHCP server are models; a gateway of few words.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createOven } from "../../host-sim/devices/oven.ts";
import { createPress } from "../../host-sim/devices/press.ts";
import { createScale } from "../../host-sim/devices/scale.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { ACK, DECLINE, DISCOVER, NAK, REQUEST } from "../../host-sim/network/dhcp-server.ts";
import type { Identity } from "../../scripts/build/identity.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { HOSTILE, patched, TYPE_AT, withOption } from "./dhcp-hostile.ts";
import { GATEWAY, type Plan, POOL, typesOf, wire, type Wired } from "./w5500-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule w5500 "));
const SECOND = 1e9;
const LATE_CYCLES_MAX = 60;
const [PUBLISH, CONNECT] = [0x0c, 0x04];
const MACHINES: Record<string, Plan["device"]> = {
  oven: createOven(createPrng(3)),
  press: createPress(createPrng(3)),
  scale: createScale(0, 9600, createPrng(3)),
  meter: undefined,
};
const FIXED: Identity = {
  id: "oven-1",
  network: { address: "192.0.2.9/24", router: "192.0.2.1", gateways: ["192.0.2.2:10000"] },
};
const images = new Map<string, Rp2040Image>();

before(async () => {
  if (tools.skip !== false) return;
  for (const name of Object.keys(MACHINES)) {
    const built = await buildNode(join(PROJECT, "firmware/nodes", name));
    images.set(name, buildRp2040("w5500-evb-pico", built, join(folder, name)));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

const oven = (plan: Plan = {}): Wired => wire(images.get("oven")!, plan);
const published = ({ messages }: Wired, fromMs = 0): number =>
  typesOf(messages.filter(({ at }) => at >= fromMs)).filter((type) => type === PUBLISH).length;

/** Nothing went wrong in the host, and no tick was late. */
function isSound({ chip, words, lateMax }: Wired): void {
  assert.deepEqual(words("host_counters", 4), [0, 0, 0, 0]);
  assert.deepEqual(chip.counts, { resets: 1, bites: 0 });
  assert.equal(words("rhythm", 2)[1], 0);
  assert.ok(lateMax() >= 15 && lateMax() <= LATE_CYCLES_MAX, `${lateMax()} cycles`);
}

const counters = ({ words }: Wired): Record<string, number> => {
  const names = [
    "resets",
    "cableLosses",
    "conflicts",
    "unanswered",
    "dropped",
    "tooLong",
    "broken",
  ];
  return Object.fromEntries(
    words("ethernet_counters", names.length).map((value, i) => [names[i]!, value]),
  );
};

for (const name of Object.keys(MACHINES))
  test(`the ${name} asks for an address, finds its gateway and publishes`, tools, () => {
    const wired = wire(images.get(name)!, { device: MACHINES[name] });
    wired.chip.runToNs(5 * SECOND);
    assert.deepEqual(wired.dhcp.asked, [DISCOVER, REQUEST]);
    const [mac] = [...wired.dhcp.leases.keys()];
    assert.equal(parseInt(mac!.slice(0, 2), 16) & 3, 2, mac); // locally administered, no group
    assert.match(wired.messages[0]!.from, /^192\.0\.2\.50:\d+$/);
    assert.deepEqual(typesOf(wired.messages).slice(0, 2), [1, CONNECT]); // SEARCHGW first
    assert.ok(published(wired) >= 2, String(typesOf(wired.messages)));
    assert.deepEqual(counters(wired), { ...counters(wired), resets: 0, unanswered: 0, broken: 0 });
    isSound(wired);
  });

test("a fixed address asks no server, and the record's gateway is not searched", tools, () => {
  const wired = oven({ identity: FIXED });
  wired.chip.runToNs(5 * SECOND);
  assert.deepEqual(wired.dhcp.asked, []);
  assert.match(wired.messages[0]!.from, /^192\.0\.2\.9:\d+$/);
  assert.equal(typesOf(wired.messages)[0], CONNECT);
  assert.match(Buffer.from(wired.messages[0]!.bytes).toString("latin1"), /oven-1$/);
  assert.ok(published(wired) >= 2);
  isSound(wired);
});

test("a cable pulled for three seconds: the lease is verified, readings come again", tools, () => {
  const wired = oven();
  const { chip, jack, dhcp } = wired;
  chip.runToNs(5 * SECOND);
  jack.setLink(false);
  chip.runToNs(8 * SECOND);
  assert.equal(published(wired, 5001), 0);
  jack.setLink(true);
  chip.runToNs(14 * SECOND);
  assert.deepEqual(dhcp.asked, [DISCOVER, REQUEST, REQUEST]); // INIT-REBOOT: no new DISCOVER
  assert.ok(published(wired, 8000) >= 1);
  assert.equal(counters(wired)["cableLosses"], 1);
  isSound(wired);
});

test(
  "a lease is renewed at T1, anybody is asked at T2, and at its end there is no address",
  tools,
  () => {
    const wired = oven({ dhcp: { leaseS: 8 } });
    const { chip, dhcp, messages } = wired;
    chip.runToNs(6 * SECOND);
    assert.deepEqual(dhcp.asked, [DISCOVER, REQUEST, REQUEST]); // after 4 s
    dhcp.mood.silent = true;
    chip.runToNs(16 * SECOND);
    assert.deepEqual(dhcp.asked.slice(3, 5), [REQUEST, REQUEST]); // T1, T2
    assert.ok(dhcp.asked.length > 5 && dhcp.asked.slice(5).every((type) => type === DISCOVER));
    const lastMs = messages.at(-1)!.at;
    assert.ok(lastMs < 14_500, `${lastMs} ms`);
    dhcp.mood.silent = false;
    chip.runToNs(50 * SECOND);
    assert.ok(published(wired, 16_000) >= 1, String(dhcp.asked));
    isSound(wired);
  },
);

test("refused while it renews, the node lets go of its address and asks anew", tools, () => {
  const wired = oven({ dhcp: { leaseS: 8 } });
  const { chip, dhcp, messages } = wired;
  chip.runToNs(3.5 * SECOND);
  dhcp.mood.refuses = true;
  dhcp.settings.first += 10;
  dhcp.leases.clear();
  chip.runToNs(5.5 * SECOND);
  dhcp.mood.refuses = false;
  chip.runToNs(12 * SECOND);
  assert.equal(wired.words("dhcp", 1)[0]! & 255, 5); // DHCP_BOUND
  assert.equal(messages.at(-1)!.from.split(":")[0], "192.0.2.60");
  isSound(wired);
});

test("an address that somebody has is declined, the next one is taken", tools, () => {
  const wired = oven();
  wired.segment.plug({ address: POOL.first, take: () => undefined });
  wired.chip.runToNs(14 * SECOND);
  const { asked } = wired.dhcp;
  assert.deepEqual(asked.slice(0, 3), [DISCOVER, REQUEST, DECLINE]);
  assert.deepEqual(asked.slice(3), [DISCOVER, REQUEST]);
  assert.match(wired.messages[0]!.from, /^192\.0\.2\.51:/);
  isSound(wired);
});

test("without a server it asks after 4, 8, 16 s, a second more or less", tools, () => {
  const wired = oven();
  const { chip, dhcp } = wired;
  dhcp.mood.silent = true;
  const asked: number[] = [];
  for (let ms = 0; ms < 34_000; ms += 20) {
    chip.runToNs(ms * 1e6);
    while (asked.length < dhcp.asked.length) asked.push(ms);
  }
  const gaps = asked.slice(1).map((ms, i) => ms - asked[i]!);
  assert.equal(gaps.length, 3, String(asked));
  gaps.forEach((gap, i) => assert.ok(Math.abs(gap - 4000 * 2 ** i) <= 1030, String(gaps)));
  isSound(wired);
});

test("nobody at the gateway's address: SEND times out, is counted, and all goes on", tools, () => {
  const wired = oven({ identity: FIXED });
  const { chip, segment } = wired;
  segment.delayArp(GATEWAY, undefined);
  chip.runToNs(4 * SECOND);
  assert.equal(wired.messages.length, 0);
  assert.ok(counters(wired)["unanswered"]! >= 1);
  segment.delayArp(GATEWAY, 250e6); // within 300 ms
  chip.runToNs(9 * SECOND);
  assert.ok(published(wired) >= 1);
  isSound(wired);
});

test("hostile answers are counted drops, and the good one behind them is taken", tools, () => {
  const wired = oven();
  wired.tamper.answers = (message) => [...Object.values(HOSTILE).map((of) => of(message)), message];
  wired.chip.runToNs(5 * SECOND);
  assert.deepEqual(wired.dhcp.asked, [DISCOVER, REQUEST]);
  assert.ok(published(wired) >= 1);
  assert.deepEqual([counters(wired)["tooLong"], wired.jack.counts().dropped], [2, 0]);
  isSound(wired);
});

test("a NAK of another server than the chosen one changes nothing", tools, () => {
  const wired = oven();
  wired.tamper.answers = (message) => {
    if (message[TYPE_AT] !== ACK) return [message];
    return [withOption(patched(message, TYPE_AT, NAK), 54, [192, 0, 2, 77]), message];
  };
  wired.chip.runToNs(6 * SECOND);
  assert.deepEqual(wired.dhcp.asked, [DISCOVER, REQUEST]);
  assert.equal(wired.messages[0]!.from.split(":")[0], "192.0.2.50");
});

test("a chip that stops answering is reset, and the node comes back", tools, () => {
  const wired = oven({ identity: FIXED });
  const { chip, ethernet } = wired;
  chip.runToNs(4 * SECOND);
  ethernet.conflict();
  chip.runToNs(4.3 * SECOND);
  assert.equal(counters(wired)["conflicts"], 1);
  ethernet.reset(true); // as a brown-out of the chip alone: its registers are gone
  ethernet.reset(false);
  chip.runToNs(14 * SECOND);
  assert.ok(counters(wired)["resets"]! >= 1);
  assert.ok(published(wired, 6000) >= 1);
  isSound(wired);
});
