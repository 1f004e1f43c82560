// SPDX-License-Identifier: MIT
// Goal: each packet in each state gets the answer of one table, and nothing else.
// Method: every packet type a peer can send goes to a gateway brought into each state it has.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet } from "../../gateway/packet.ts";
import {
  connect,
  connected,
  octets,
  OVEN,
  publish,
  register,
  registered,
  subscribe,
  types,
  willMessage,
  willTopic,
} from "./client.ts";
import { createRig, type Rig } from "./rig.ts";

const NO_ID = octets("");

/** What a cell of the table expects: the types answered, "-" for silence with a counter. */
type Expected = string;

const STATES: Record<string, (rig: Rig) => void> = {
  unknown: () => undefined,
  disconnected: (rig) => {
    connected(rig);
    rig.say(OVEN, { type: "DISCONNECT" });
  },
  lost: (rig) => {
    connected(rig);
    rig.pass(90_000);
  },
  "will topic": (rig) => rig.say(OVEN, connect({ will: true })),
  "will message": (rig) => {
    rig.say(OVEN, connect({ will: true }));
    rig.say(OVEN, willTopic());
  },
  opening: (rig) => {
    rig.habits.connack = undefined;
    rig.say(OVEN, connect({ duration: 30 }));
  },
  active: (rig) => {
    connected(rig);
    registered(rig, "p/t");
  },
};

const MESSAGES: Record<string, Packet> = {
  CONNECT: connect(),
  "CONNECT with will": connect({ will: true }),
  WILLTOPIC: willTopic(),
  WILLMSG: willMessage(),
  REGISTER: register("p/t"),
  SUBSCRIBE: subscribe("c/sp"),
  UNSUBSCRIBE: { type: "UNSUBSCRIBE", msgId: 3, topicIdType: "normal", topicName: octets("c") },
  WILLTOPICUPD: { type: "WILLTOPICUPD" },
  WILLMSGUPD: { type: "WILLMSGUPD", willMsg: octets("bye") },
  "PUBLISH QoS 0": publish(0x6f74, { qos: 0, topicIdType: "short" }),
  "PUBLISH QoS 1": publish(0x6f74, { topicIdType: "short" }),
  "PUBLISH QoS 2": publish(0x6f74, { qos: 2, topicIdType: "short" }),
  "PUBLISH QoS -1": publish(0x6f74, { qos: -1, topicIdType: "short" }),
  PUBREL: { type: "PUBREL", msgId: 3 },
  PUBREC: { type: "PUBREC", msgId: 3 },
  PUBCOMP: { type: "PUBCOMP", msgId: 3 },
  REGACK: { type: "REGACK", topicId: 1, msgId: 3, returnCode: 0 },
  PUBACK: { type: "PUBACK", topicId: 1, msgId: 3, returnCode: 0 },
  PINGREQ: { type: "PINGREQ", clientId: NO_ID },
  "PINGREQ with id": { type: "PINGREQ", clientId: octets("oven-01") },
  DISCONNECT: { type: "DISCONNECT" },
  "DISCONNECT with duration": { type: "DISCONNECT", duration: 60 },
  SEARCHGW: { type: "SEARCHGW", radius: 1 },
  PINGRESP: { type: "PINGRESP" },
  ADVERTISE: { type: "ADVERTISE", gwId: 2, duration: 900 },
  GWINFO: { type: "GWINFO", gwId: 2, gwAdd: NO_ID },
  CONNACK: { type: "CONNACK", returnCode: 0 },
  WILLTOPICREQ: { type: "WILLTOPICREQ" },
  WILLMSGREQ: { type: "WILLMSGREQ" },
  SUBACK: { type: "SUBACK", qos: 0, topicId: 1, msgId: 3, returnCode: 0 },
  UNSUBACK: { type: "UNSUBACK", msgId: 3 },
  WILLTOPICRESP: { type: "WILLTOPICRESP", returnCode: 0 },
  WILLMSGRESP: { type: "WILLMSGRESP", returnCode: 0 },
  FORWARDER: {
    type: "FORWARDER",
    radius: 0,
    wirelessNodeId: octets("n"),
    message: Uint8Array.of(2, 0x16),
  },
};

// Columns: no session; will dialogue; waiting for the broker; active.
const GROUPS = [
  ["unknown", "disconnected", "lost"],
  ["will topic", "will message"],
  ["opening"],
  ["active"],
] as const;

const TABLE: Record<string, readonly [Expected, Expected, Expected, Expected]> = {
  CONNECT: ["CONNACK", "CONNACK", "", "CONNACK"], // R31; opening: the scripted broker stays silent
  "CONNECT with will": ["WILLTOPICREQ", "WILLTOPICREQ", "WILLTOPICREQ", "WILLTOPICREQ"],
  WILLTOPIC: ["-", "WILLMSGREQ", "-", "-"],
  WILLMSG: ["-", "-", "-", "-"], // in turn only after WILLTOPIC: see below
  REGISTER: ["DISCONNECT", "-", "-", "REGACK"],
  SUBSCRIBE: ["DISCONNECT", "-", "-", "SUBACK"],
  UNSUBSCRIBE: ["DISCONNECT", "-", "-", "UNSUBACK"],
  WILLTOPICUPD: ["DISCONNECT", "-", "-", "WILLTOPICRESP"],
  WILLMSGUPD: ["DISCONNECT", "-", "-", "WILLMSGRESP"],
  "PUBLISH QoS 0": ["DISCONNECT", "-", "-", ""],
  "PUBLISH QoS 1": ["DISCONNECT", "-", "-", "PUBACK"],
  "PUBLISH QoS 2": ["DISCONNECT", "-", "-", "PUBACK"],
  "PUBLISH QoS -1": ["-", "-", "-", "-"], // R17: not offered
  PUBREL: ["DISCONNECT", "-", "-", "PUBCOMP"], // R21
  PUBREC: ["-", "-", "-", "PUBREL"], // R21
  PUBCOMP: ["-", "-", "-", "-"], // R45
  REGACK: ["-", "-", "-", "-"], // R45
  PUBACK: ["-", "-", "-", "-"], // R45
  PINGREQ: ["DISCONNECT", "-", "-", "PINGRESP"],
  "PINGREQ with id": ["DISCONNECT", "-", "-", "PINGRESP"], // R36, R37
  DISCONNECT: ["DISCONNECT", "DISCONNECT", "DISCONNECT", "DISCONNECT"],
  "DISCONNECT with duration": ["DISCONNECT", "DISCONNECT", "DISCONNECT", "DISCONNECT"], // R42
  SEARCHGW: ["GWINFO", "GWINFO", "GWINFO", "GWINFO"], // R48
  PINGRESP: ["-", "-", "-", ""],
  ADVERTISE: ["-", "-", "-", "-"], // R2, and the rest below
  GWINFO: ["-", "-", "-", "-"],
  CONNACK: ["-", "-", "-", "-"],
  WILLTOPICREQ: ["-", "-", "-", "-"],
  WILLMSGREQ: ["-", "-", "-", "-"],
  SUBACK: ["-", "-", "-", "-"],
  UNSUBACK: ["-", "-", "-", "-"],
  WILLTOPICRESP: ["-", "-", "-", "-"],
  WILLMSGRESP: ["-", "-", "-", "-"],
  FORWARDER: ["-", "-", "-", "-"],
};

const SILENT_COUNTERS = ["unexpected", "unsupported", "qosMinusOneDropped"];

function silences(rig: Rig): number {
  return SILENT_COUNTERS.reduce((sum, name) => sum + rig.count(name), 0);
}

function expectedAnswer(message: string, state: string, group: number): Expected {
  if (message === "WILLMSG" && state === "will message") return "CONNACK";
  return TABLE[message]![group]!;
}

for (const [group, states] of GROUPS.entries()) {
  for (const state of states) {
    test(`§4 every packet in state ${state}`, () => {
      for (const [message, packet] of Object.entries(MESSAGES)) {
        const rig = createRig();
        STATES[state]!(rig);
        rig.heard(OVEN);
        const before = silences(rig);
        rig.say(OVEN, packet);
        const expected = expectedAnswer(message, state, group);
        const answer = types(rig.heard(OVEN)).join(" ");
        assert.equal(answer, expected === "-" ? "" : expected, `${message} in ${state}`);
        assert.equal(silences(rig) - before, expected === "-" ? 1 : 0, `${message}: counted`);
      }
    });
  }
}

test("the table has every packet type", () => {
  assert.deepEqual(Object.keys(TABLE).sort(), Object.keys(MESSAGES).sort());
});

test("no packet in any state makes a session, but CONNECT", () => {
  for (const [message, packet] of Object.entries(MESSAGES)) {
    const rig = createRig();
    rig.say(OVEN, packet);
    const sessions = rig.gateway.clients().length;
    assert.equal(sessions, message === "CONNECT" ? 1 : 0, message);
  }
});

test("after any packet in any state the next good one of another client is served", () => {
  for (const enter of Object.values(STATES)) {
    for (const packet of Object.values(MESSAGES)) {
      const rig = createRig();
      enter(rig);
      rig.say(OVEN, packet);
      rig.habits.connack = 0;
      connected(rig, "192.0.2.99:1", { clientId: "other" });
    }
  }
});
