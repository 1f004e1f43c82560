// SPDX-License-Identifier: MIT
// Goal: a command is checked, handed on once, acknowledged; its result arrives.
// Method: release link.wasm against a scripted gateway: each code, repeats, faults by seed, hostile octets.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { packet, u16, type GatewayScript } from "../support/link-gateway.ts";
import { buildLink, parseNode } from "../support/link-host.ts";
import { delivered, put, startLink, type Rig } from "../support/link-rig.ts";
import {
  applyAll,
  encodeSet,
  mailboxOf,
  outcome,
  pubacks,
  resultsOf,
  sendSet,
  type Command,
  type Value,
} from "../support/link-set.ts";

const NODE = {
  type: "writable",
  channels: { heat: { kind: "computed" } },
  setpoints: {
    target: { unit: "Cel", decimals: 1, min: -20, max: 300, default: 20, staleMs: 5000 },
    speed: { unit: "1/s", decimals: 0, min: 5, max: 2_000_000_000, default: 5 },
  },
};
const FIRST = 1; // channel of the first set-point

let module: WebAssembly.Module;
before(async () => {
  module = await buildLink(parseNode(NODE));
});

function connected(script: GatewayScript = {}): Rig {
  const rig = startLink(module, script);
  rig.host.run(3000);
  return rig;
}

let request = 1000;

/** Sends one command and gives what came of it: mailbox records and results. */
function command(rig: Rig, name: string, value: Value, lifetimeMs?: number) {
  const sent: Command = { request: ++request, name, value };
  if (lifetimeMs !== undefined) sent.lifetimeMs = lifetimeMs;
  return offer(rig, encodeSet(sent), request & 0xffff);
}

function offer(rig: Rig, payload: Uint8Array, msgId: number, flags?: number) {
  const { publications, heard } = rig.gateway;
  const [published, said] = [publications.length, heard.length];
  sendSet(rig, payload, msgId, flags);
  rig.host.run(100);
  assert.deepEqual(pubacks(rig, said), [[msgId, 0]], "one PUBACK");
  return {
    mailbox: mailboxOf(rig.host.mailbox.splice(0)),
    results: resultsOf(publications.slice(published)),
  };
}

const subscriptions = (rig: Rig): [number, string][] =>
  rig.gateway.heard
    .filter(({ type }) => type === "SUBSCRIBE")
    .map(({ bytes }) => [bytes[2]! & 0x60, Buffer.from(bytes.subarray(5)).toString()]);

test("a node subscribes to set at QoS 1 when it has set-points, and only then", async () => {
  const time: [number, string] = [0, "ferrule/oven-01/time"];
  assert.deepEqual(subscriptions(connected()), [time, [0x20, "ferrule/oven-01/set"]]);
  const plain = startLink(await buildLink(parseNode({ type: "x", channels: NODE.channels })));
  plain.host.run(3000);
  assert.deepEqual(subscriptions(plain), [time]);
  assert.equal(plain.gateway.topicId("set/result"), 0);
});

test("a command reaches the mailbox in steps of its set-point", () => {
  const rig = connected();
  const steps = (name: string, value: Value, lifetimeMs?: number): number[] => {
    const { mailbox, results } = command(rig, name, value, lifetimeMs);
    assert.deepEqual(results, []);
    assert.equal(mailbox.length, 1);
    const [setpoint, asked, mantissa, lifetime] = mailbox[0]!;
    assert.equal(asked, request);
    return [setpoint!, mantissa!, lifetime!];
  };
  assert.deepEqual(steps("target", [-1, 1855]), [0, 1855, 0]);
  assert.deepEqual(steps("target", 180, 2500), [0, 1800, 2500]);
  assert.deepEqual(steps("target", [-3, 21_500]), [0, 215, 0]);
  assert.deepEqual(steps("target", [2, 3]), [0, 3000, 0]);
  assert.deepEqual(steps("target", [-1, -200], 0xffff_ffff), [0, -200, 0xffff_ffff]);
  assert.deepEqual(steps("target", [18, 0]), [0, 0, 0]);
  assert.deepEqual(steps("speed", 2_000_000_000), [1, 2_000_000_000, 0]);
  assert.deepEqual(steps("speed", [9, 2]), [1, 2_000_000_000, 0]);
  assert.deepEqual(steps("speed", [-9, 5_000_000_000]), [1, 5, 0]);
});

test("what link refuses never reaches loop, and each reason has its code", () => {
  const rig = connected();
  const LARGEST = 2 ** 53 - 1;
  const refusals: [string, Value, number][] = [
    ["goal", 5, 16],
    ["targe", 5, 16],
    ["heat", 5, 16], // a channel, but no set-point
    ["target", -21, 17],
    ["target", [-2, -2001], 17], // between two steps, beyond the limit
    ["speed", [-1, 49], 17],
    ["speed", -LARGEST, 17],
    ["target", [-1, 3001], 18],
    ["target", [-2, 30_001], 18],
    ["speed", [18, LARGEST], 18],
    ["speed", [10, 1], 18],
    ["target", [-2, 2155], 19],
    ["target", [-2, -1], 19],
    ["speed", [-18, LARGEST], 17],
    ["speed", [-1, 55], 19],
  ];
  for (const [name, value, code] of refusals) {
    const { mailbox, results } = command(rig, name, value);
    assert.deepEqual(mailbox, [], `${name} ${value}`);
    const requested = typeof value === "number" ? value : { e: value[0], m: value[1] };
    assert.deepEqual(results, [{ request, name, requested, effective: undefined, code }]);
  }
  for (let i = 0; i < 8; i++) rig.host.mailbox.push(new Uint8Array(16));
  sendSet(rig, encodeSet({ request: 7, name: "target", value: 5 }), 9);
  rig.host.run(100);
  assert.equal(resultsOf(rig.gateway.publications).at(-1)!.code, 20);
  assert.deepEqual(pubacks(rig).at(-1), [9, 0]);
});

test("loop's outcomes become results in the set-point's decimals", () => {
  const rig = connected();
  for (const [code, effective] of [1855, 3000, 200, -200].entries())
    put(rig.host, { kind: 4, channel: FIRST, bytes: outcome(code, 1855, effective, code) });
  put(rig.host, { kind: 4, channel: FIRST + 1, bytes: outcome(0xffff_ffff, 70, 70, 0) });
  rig.host.run(1000);
  const fraction = (m: number) => ({ e: -1, m });
  const result = (of: number, effective: number) => ({
    ...{ request: of, name: "target", requested: fraction(1855), code: of },
    effective: fraction(effective),
  });
  assert.deepEqual(resultsOf(rig.gateway.publications), [
    result(0, 1855),
    result(1, 3000),
    result(2, 200),
    result(3, -200),
    { request: 0xffff_ffff, name: "speed", requested: 70, effective: 70, code: 0 },
  ]);
});

test("an outcome that is not what the table says is counted and dropped", () => {
  const rig = connected();
  const good = outcome(1, 2, 3, 0);
  put(rig.host, { kind: 4, channel: 0, bytes: good });
  put(rig.host, { kind: 4, channel: FIRST + 2, bytes: good });
  put(rig.host, { kind: 4, channel: FIRST, bytes: good.subarray(1) });
  put(rig.host, { kind: 4, channel: FIRST, bytes: outcome(1, 2, 3, 4) });
  put(rig.host, { kind: 4, channel: FIRST, bytes: outcome(1, 2, 3, 0x100) });
  put(rig.host, { kind: 4, channel: FIRST, i32: 5 });
  put(rig.host, { kind: 5, channel: FIRST, bytes: good });
  rig.host.run(1000);
  assert.equal(rig.host.counters()["recordsBad"], 7);
  assert.deepEqual(resultsOf(rig.gateway.publications), []);
});

test("a repeat is acknowledged again and not handed on, even a late one", () => {
  const rig = connected();
  const one = encodeSet({ request: 1, name: "target", value: 100 });
  const two = encodeSet({ request: 2, name: "target", value: 50 });
  assert.equal(offer(rig, one, 11).mailbox.length, 1);
  assert.equal(offer(rig, one, 11, 0xa0).mailbox.length, 0, "DUP");
  assert.equal(offer(rig, one, 11).mailbox.length, 0, "doubled by the network");
  assert.equal(offer(rig, two, 12).mailbox.length, 1);
  assert.equal(offer(rig, one, 11).mailbox.length, 0, "late");
  assert.equal(offer(rig, two, 11).mailbox.length, 1, "a MsgId used again");
  const bad = Uint8Array.of(0xa0);
  assert.equal(offer(rig, bad, 13).results.length, 1);
  assert.equal(offer(rig, bad, 13, 0xa0).results.length, 0);
  for (let i = 0; i < 8; i++) offer(rig, encodeSet({ request: i, name: "x", value: 1 }), 20 + i);
  assert.equal(offer(rig, one, 11).mailbox.length, 1, "eight later it is forgotten");
});

test("every strict prefix, and an octet more, is malformed; the next good one is taken", () => {
  const rig = connected();
  const whole = encodeSet({ request: 70_000, name: "target", value: [-1, 1855], lifetimeMs: 2500 });
  for (let n = 0; n <= whole.length; n++) {
    const payload = n < whole.length ? whole.subarray(0, n) : Uint8Array.of(...whole, 0);
    const { mailbox, results } = offer(rig, payload, 100 + n);
    assert.deepEqual(mailbox, []);
    // The request is known once its five octets are there.
    const known = n >= 7 ? 70_000 : 0;
    const absent = { name: undefined, requested: undefined, effective: undefined };
    assert.deepEqual(results, [{ request: known, ...absent, code: 21 }], `${n} octets`);
  }
  assert.equal(offer(rig, whole, 300).mailbox.length, 1);
});

test("malformed commands, each for one reason", () => {
  const rig = connected();
  const malformed: Record<string, string> = {
    "no map": "83000102",
    "an indefinite map": "bf0001016161020bff",
    "two pairs": "a200010161610205",
    "five pairs": "a50001016161020503000400",
    "keys out of order": "a3016161000102 05",
    "a key twice": "a30001000101616102 05",
    "a request of 64 bits": "a3001b0000000100000000016161020 5",
    "a negative request": "a30020016161020 5",
    "a head that is not the shortest": "a300180101616102 05",
    "an empty name": "a3000101600205",
    "a name of 33 octets": `a30001017821${"61".repeat(33)}0205`,
    "a name with a blank": "a30001016261200205",
    "a name that is no ASCII": "a300010162c3a40205",
    "a name of octets": "a3000101416102 05",
    "a float": "a300010161610 2f93c00",
    "another tag": "a3000101616102c5822005",
    "an array of three": "a3000101616102c483200505",
    "an exponent of 19": "a3000101616102c4821305",
    "a mantissa beyond 2^53": "a30001016161021b0020000000000001",
    "a big number": "a3000101616102c24105",
    "a negative lifetime": "a4000101616102050320",
  };
  let msgId = 500;
  for (const [reason, hex] of Object.entries(malformed)) {
    const { mailbox, results } = offer(rig, Buffer.from(hex.replaceAll(" ", ""), "hex"), ++msgId);
    assert.deepEqual([mailbox, results.map(({ code }) => code)], [[], [21]], reason);
  }
});

test("mutated commands never trap and never pass a limit, by seed", () => {
  const random = generator(77);
  const rig = connected();
  const good = encodeSet({ request: 70_000, name: "target", value: [-1, 1855], lifetimeMs: 2500 });
  let [taken, refused] = [0, 0];
  for (let round = 0; round < 3000; round++) {
    const payload = Uint8Array.from(good);
    for (let n = 1 + Math.floor(random() * 2); n > 0; n--)
      payload[Math.floor(random() * payload.length)] = Math.floor(random() * 256);
    const cut = random() < 0.1 ? Math.floor(random() * payload.length) : payload.length;
    const { mailbox, results } = offer(rig, payload.subarray(0, cut), 1 + (round % 0xfff0));
    assert.equal(mailbox.length + results.length, 1);
    taken += mailbox.length;
    refused += results.length;
    for (const [setpoint, , mantissa] of mailbox)
      assert.ok(setpoint === 0 && mantissa! >= -200 && mantissa! <= 3000);
  }
  assert.ok(taken > 100 && refused > 1000, `${taken} taken, ${refused} refused`);
});

test("on a bad road each command is handed on once and has its result", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = generator(seed);
    const rig = connected();
    rig.gateway.script.loseUp = () => random() < 0.15;
    rig.gateway.script.down = (_, bytes) => {
      if (random() < 0.15) return [];
      const one = { bytes, afterMs: Math.floor(random() * 200) };
      return random() < 0.15 ? [one, { bytes, afterMs: 350 }] : [one];
    };
    const seen: number[] = [];
    for (let i = 1; i <= 20; i++) {
      const payload = encodeSet({ request: i, name: i % 3 ? "target" : "speed", value: 10 + i });
      const isDone = (): boolean => pubacks(rig).some(([msgId]) => msgId === 7000 + i);
      for (let tries = 0; tries < 40 && !isDone(); tries++) {
        sendSet(rig, payload, 7000 + i, tries === 0 ? 0x20 : 0xa0);
        rig.host.run(1500);
        seen.push(...mailboxOf(rig.host.mailbox).map(([, asked]) => asked!));
        applyAll(rig, FIRST);
      }
    }
    delete rig.gateway.script.loseUp;
    delete rig.gateway.script.down;
    rig.host.run(120_000);
    assert.equal(new Set(seen).size, seen.length, `seed ${seed}: handed on once`);
    const results = resultsOf(rig.gateway.publications);
    const missing = seen.filter((asked) => !results.some((result) => result.request === asked));
    assert.ok(results.every(({ code }) => code === 0));
    assert.ok(missing.length <= rig.host.counters()["resultsDropped"]!, `seed ${seed}: ${missing}`);
    assert.ok(seen.length >= 15 && missing.length <= 4, `seed ${seed}: ${seen} - ${missing}`);
  }
});

test("results outlive a reconnect; of more than eight the oldest go and are counted", () => {
  const rig = connected();
  rig.gateway.script.dead = true;
  rig.gateway.connected = false;
  for (let i = 1; i <= 8; i++)
    put(rig.host, { kind: 4, channel: FIRST, bytes: outcome(i, i, i, 0) });
  rig.host.run(60_000);
  assert.equal(rig.host.counters()["resultsDropped"], 0, "eight fit");
  put(rig.host, { kind: 4, channel: FIRST, bytes: outcome(9, 9, 9, 0) });
  rig.host.run(1000);
  assert.equal(rig.host.counters()["resultsDropped"], 1);
  rig.gateway.script.dead = false;
  rig.host.run(120_000);
  const requests = resultsOf(rig.gateway.publications).map((result) => result.request);
  assert.deepEqual(requests, [2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a result pushed out while it was in flight takes no other with it", () => {
  const rig = connected({ delayMs: 400 });
  rig.host.run(20_000);
  const say = (of: number): void =>
    put(rig.host, { kind: 4, channel: FIRST, bytes: outcome(of, of, of, 0) });
  say(1);
  rig.host.run(100); // sent; its PUBACK is on the way
  for (let of = 2; of <= 9; of++) say(of);
  rig.host.run(20_000);
  assert.equal(rig.host.counters()["resultsDropped"], 1);
  const requests = resultsOf(rig.gateway.publications).map((result) => result.request);
  assert.deepEqual(requests, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a gateway that does not take results does not hold up readings", () => {
  const rig = startLink(module, {});
  // REGISTERs: time/get, presence, birth, status, event, data, set/result.
  rig.gateway.script.code = (type, index) => (type === "REGACK" && index === 7 ? 3 : undefined);
  rig.host.run(3000);
  put(rig.host, { kind: 4, channel: FIRST, bytes: outcome(1, 1, 1, 0) });
  put(rig.host, { channel: 0, i32: 5 });
  rig.host.run(3000);
  assert.equal(delivered(rig.gateway).length, 1);
  assert.equal(rig.host.counters()["resultsDropped"], 1);
});

test("a flood of commands starves no reading", () => {
  const rig = connected({ delayMs: 40 });
  for (let i = 0; i < 200; i++) {
    sendSet(rig, encodeSet({ request: i, name: "target", value: 1000 }), 1 + i);
    put(rig.host, { channel: 0, i32: i });
    rig.host.run(50);
  }
  assert.ok(delivered(rig.gateway).length > 150, `${delivered(rig.gateway).length} readings`);
});

test("a gateway that names the set topic anew is understood", () => {
  const rig = connected();
  const name = Buffer.from("ferrule/oven-01/set");
  rig.gateway.say(packet(0x0a, ...u16(0x0777), ...u16(3), ...name));
  rig.host.run(100);
  assert.equal(Buffer.from(rig.gateway.heard.at(-1)!.bytes).toString("hex"), "070b0777000300");
  const payload = encodeSet({ request: 5, name: "speed", value: 50 });
  rig.gateway.say(packet(0x0c, 0x20, ...u16(0x0777), ...u16(4), ...payload));
  rig.host.run(100);
  assert.deepEqual(mailboxOf(rig.host.mailbox), [[1, 5, 50, 0]]);
});

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return ((state >>> 8) & 0xffffff) / 0x1000000;
  };
}
