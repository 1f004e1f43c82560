// SPDX-License-Identifier: MIT
// Gateway and broker fail apart, and nothing of before reaches what comes after.
//
// Goal: (J1), no wills of a broker that ends, wills when a gateway ends, order under a slow broker. Method: one
// MQTT-SN client of a few octets on a junction in virtual time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClock, type Clock } from "../../host-sim/clock.ts";
import { createJunction, type Junction } from "../../host-sim/junction.ts";

const PEER = "192.0.2.2:10001";
const ID = [0x6e, 0x31]; // n1
const CONNECT = [0x08, 0x04, 0x04, 0x01, 0x00, 0x3c, ...ID]; // clean session, 60 s
const CONNECT_WILL = [0x08, 0x04, 0x0c, 0x01, 0x00, 0x3c, ...ID];
const WILLTOPIC = [0x05, 0x07, 0x20, 0x77, 0x2f]; // QoS 1, topic w/
const WILLMSG = [0x03, 0x09, 0x21];
const CONNACK = "030500";

interface Rig {
  clock: Clock;
  junction: Junction;
  sent: string[]; // hex
  accepted: string[]; // topics
  say(...packets: number[][]): void;
  runMs(ms: number): void;
}

function createRig(): Rig {
  const clock = createClock();
  const sent: string[] = [];
  const accepted: string[] = [];
  const junction = createJunction({
    clock,
    seed: 1,
    wallMs: (nowMs) => nowMs,
    sendDatagram: (_peer, bytes) => void sent.push(Buffer.from(bytes).toString("hex")),
    accepted: ({ topic }) => void accepted.push(topic),
  });
  const runMs = (ms: number): void => clock.runUntil(clock.nowUs() + 1000 * ms);
  return {
    clock,
    junction,
    sent,
    accepted,
    runMs,
    say(...packets) {
      for (const packet of packets) {
        junction.datagram(PEER, Uint8Array.from(packet));
        runMs(1);
      }
    },
  };
}

test("a client connects through the junction", () => {
  const { junction, sent, say, runMs } = createRig();
  say(CONNECT);
  runMs(10);
  assert.deepEqual(sent, [CONNACK]);
  assert.equal(junction.broker.counts().connections, 1);
});

test("a connection under way to a broker that fails does not open at the next one", () => {
  for (const failUs of [0, 100, 200, 300, 400, 500, 1000]) {
    const { clock, junction, runMs } = createRig();
    junction.datagram(PEER, Uint8Array.from(CONNECT));
    clock.runUntil(failUs);
    junction.stopBroker(() => undefined)();
    assert.equal(junction.broker.counts().connections, 0);
    runMs(2); // sooner than the gateway tries again
    assert.equal(junction.broker.counts().connections, 0, `failed after ${failUs} µs`);
  }
});

test("a broker that ends publishes no will; one that is down refuses", () => {
  const { junction, sent, accepted, say, runMs } = createRig();
  say(CONNECT_WILL, WILLTOPIC, WILLMSG);
  runMs(10);
  assert.equal(sent.at(-1), CONNACK);
  let back = 0;
  const end = junction.stopBroker(() => back++);
  assert.ok(junction.brokerDown());
  runMs(1000);
  say(CONNECT_WILL, WILLTOPIC, WILLMSG);
  runMs(1000);
  assert.deepEqual(accepted, []);
  assert.equal(junction.broker.counts().connections, 0);
  end();
  assert.deepEqual([back, junction.brokerDown()], [1, false]);
  runMs(70_000);
  say(CONNECT_WILL, WILLTOPIC, WILLMSG);
  runMs(1000);
  assert.equal(sent.at(-1), CONNACK);
  assert.equal(junction.broker.counts().connections, 1);
});

test("a gateway that ends leaves its clients' wills; the next one knows nobody", () => {
  const { junction, sent, accepted, say, runMs } = createRig();
  say(CONNECT_WILL, WILLTOPIC, WILLMSG);
  runMs(10);
  const ends = [junction.stopGateway(), junction.stopGateway()];
  runMs(10);
  assert.deepEqual(accepted, ["w/"]);
  const before = sent.length;
  say(CONNECT);
  ends[0]!();
  say(CONNECT);
  runMs(1000);
  assert.equal(sent.length, before, "nobody is there until both faults are over");
  ends[1]!();
  say([0x02, 0x16]); // PINGREQ of a client that it does not know
  assert.notEqual(sent.at(-1), "0217");
  say(CONNECT);
  runMs(10);
  assert.equal(sent.at(-1), CONNACK);
  assert.equal(junction.broker.counts().connections, 1);
});

test("a slow broker answers late, and what follows does not overtake", () => {
  const { clock, junction, say, sent, runMs } = createRig();
  const end = junction.slowBroker(1000);
  say(CONNECT);
  runMs(900);
  assert.deepEqual(sent, []);
  const order: string[] = [];
  junction.soon(() => order.push(`slow ${clock.nowUs() >= 1_900_000}`));
  end();
  junction.soon(() => order.push("fast"));
  runMs(10_000);
  assert.deepEqual(order, ["slow true", "fast"]);
  assert.equal(sent.at(-1), CONNACK);
});
