// SPDX-License-Identifier: MIT
// Goal: the codec takes exactly the packets of MQTT-SN 1.2, both ways.
// Method: shared vectors both ways, each prefix and appended octet, length borders, random values by seed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { encode, encodedBytes, encodeInto } from "../../gateway/encode.ts";
import { decode, type Packet, type Qos } from "../../gateway/packet.ts";

const SEED = Number(process.env["SEED"] ?? 20_251);

interface Vector {
  name: string;
  hex: string;
  spec: string;
  means: Record<string, unknown>;
  encodes?: string; // the shortest form, where `hex` is not it
}

const VECTORS = JSON.parse(
  readFileSync(new URL("../vectors/mqttsn.json", import.meta.url), "utf8"),
) as Vector[];

const TEXT_FIELDS = new Set(["clientId", "topicName", "willTopic"]);

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** A packet in the words of the vectors: names as text, other octets as hexadecimal. */
function meaning(packet: Packet): Record<string, unknown> {
  const flat: Record<string, unknown> = { ...packet };
  if ("will" in packet && typeof packet.will === "object") {
    delete flat["will"];
    Object.assign(flat, { qos: packet.will.qos, retain: packet.will.retain });
    flat["willTopic"] = packet.will.topic;
  }
  for (const [key, value] of Object.entries(flat)) {
    if (!(value instanceof Uint8Array)) continue;
    const text = Buffer.from(value);
    flat[key] = TEXT_FIELDS.has(key) ? text.toString() : text.toString("hex");
  }
  return flat;
}

for (const { name, hex, means, encodes = hex } of VECTORS) {
  test(`vector: ${name}`, () => {
    const bytes = bytesOf(hex);
    const packet = decode(bytes);
    assert.notEqual(typeof packet, "string", `refused: ${String(packet)}`);
    assert.deepEqual(meaning(packet as Packet), means);
    assert.equal(Buffer.from(encode(packet as Packet)).toString("hex"), encodes);
  });
}

test("every strict prefix of a vector is refused", () => {
  for (const { name, hex } of VECTORS) {
    const bytes = bytesOf(hex);
    // A forwarder's message is not looked into here, so only its own head counts.
    const end = hex.startsWith("05fe") ? 7 : bytes.length;
    for (let length = 0; length < end; length++) {
      assert.equal(typeof decode(bytes.subarray(0, length)), "string", `${name}, ${length} octets`);
    }
  }
});

test("an octet behind a vector is refused", () => {
  for (const { name, hex, means } of VECTORS) {
    if (means["type"] === "FORWARDER") continue; // its message goes to the end of the datagram
    for (const octet of [0, 1, 0xff]) {
      const longer = Uint8Array.from([...bytesOf(hex), octet]);
      assert.equal(decode(longer), "wrong-length", name);
    }
  }
});

test("R1 malformed datagrams are refused by name", () => {
  const cases: [string, string, string][] = [
    ["", "bad-length", "nothing at all"],
    ["00", "bad-length", "Length 0"],
    ["01", "bad-length", "a long Length that is missing"],
    ["0100", "bad-length", "a long Length cut short"],
    ["010003", "bad-length", "a long Length below its own head"],
    ["02", "wrong-length", "Length without MsgType"],
    ["020c00", "wrong-length", "an octet too many"],
    ["01ffff0c", "wrong-length", "far longer than the datagram"],
    ["020c", "wrong-body", "PUBLISH without fields"],
    ["060c2000010002".slice(0, 12), "wrong-body", "PUBLISH without MsgId"],
    ["04170000", "wrong-body", "PINGRESP with a body"],
    ["031805", "wrong-body", "DISCONNECT with half a duration"],
    ["031a20", "wrong-body", "will flags without a topic"],
    ["0812010005000700", "wrong-body", "a predefined id of three octets"],
    ["0203", "reserved-type", "type 03"],
    ["0211", "reserved-type", "type 11"],
    ["021e", "reserved-type", "type 1E"],
    ["02ff", "reserved-type", "type FF"],
    ["00fe", "bad-length", "a forwarder of no octets"],
    ["02fe", "bad-length", "a forwarder without Ctrl"],
    ["03fe00", "wrong-length", "a forwarder around nothing"],
  ];
  for (const [hex, error, why] of cases) assert.equal(decode(bytesOf(hex)), error, why);
});

test("R3 flag bits without a use are ignored and sent as 0", () => {
  const packet = decode(bytesOf("0704f30100006e"));
  assert.deepEqual(meaning(packet as Packet), {
    type: "CONNECT",
    will: false,
    cleanSession: false,
    protocolId: 1,
    duration: 0,
    clientId: "n",
  });
  assert.equal(Buffer.from(encode(packet as Packet)).toString("hex"), "0704000100006e");
});

test("bodies of 252 to 258 octets get the shortest Length", () => {
  for (let body = 252; body <= 258; body++) {
    const data = new Uint8Array(body - 5).fill(0x78);
    const bytes = encode(publishOf(data));
    assert.equal(bytes.length, body <= 253 ? body + 2 : body + 4);
    assert.equal(bytes[0], body <= 253 ? body + 2 : 1);
    if (body > 253) assert.equal((bytes[1]! << 8) | bytes[2]!, body + 4);
    const back = decode(bytes);
    assert.deepEqual(back, publishOf(data));
  }
});

test("every return code passes both ways", () => {
  for (let returnCode = 0; returnCode < 256; returnCode++) {
    const packet: Packet = { type: "CONNACK", returnCode };
    assert.deepEqual(decode(encode(packet)), packet);
  }
});

test("encoding into a buffer that is too small is a programmer's error", () => {
  const packet = publishOf(new Uint8Array(10));
  assert.throws(() => encodeInto(packet, new Uint8Array(encodedBytes(packet) - 1)), RangeError);
});

function publishOf(data: Uint8Array): Packet {
  return {
    type: "PUBLISH",
    dup: false,
    qos: 1,
    retain: false,
    topicIdType: "normal",
    topicId: 1,
    msgId: 2,
    data,
  };
}

const octet = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 65_535 });
const bytes = fc.uint8Array({ maxLength: 300, size: "max" });
const qos = fc.constantFrom<Qos>(-1, 0, 1, 2);
const flag = fc.boolean();

function packetOf(type: string, fields: Record<string, fc.Arbitrary<unknown>>) {
  return fc.record({ type: fc.constant(type), ...fields });
}

function topicOf(type: string, fields: Record<string, fc.Arbitrary<unknown>>) {
  return [
    packetOf(type, { ...fields, topicIdType: fc.constant("normal"), topicName: bytes }),
    packetOf(type, {
      ...fields,
      topicIdType: fc.constantFrom("predefined", "short", "reserved"),
      topicId: word,
    }),
  ];
}

const someWill = fc.record({ qos, retain: flag, topic: fc.uint8Array({ minLength: 1 }) });
const anyPacket = fc.oneof(
  packetOf("ADVERTISE", { gwId: octet, duration: word }),
  packetOf("SEARCHGW", { radius: octet }),
  packetOf("GWINFO", { gwId: octet, gwAdd: bytes }),
  packetOf("CONNECT", {
    will: flag,
    cleanSession: flag,
    protocolId: octet,
    duration: word,
    clientId: bytes,
  }),
  ...["CONNACK", "WILLTOPICRESP", "WILLMSGRESP"].map((t) => packetOf(t, { returnCode: octet })),
  ...["WILLTOPICREQ", "WILLMSGREQ", "PINGRESP", "DISCONNECT", "WILLTOPIC", "WILLTOPICUPD"].map(
    (t) => packetOf(t, {}),
  ),
  ...["WILLTOPIC", "WILLTOPICUPD"].map((t) => packetOf(t, { will: someWill })),
  ...["WILLMSG", "WILLMSGUPD"].map((t) => packetOf(t, { willMsg: bytes })),
  packetOf("REGISTER", { topicId: word, msgId: word, topicName: bytes }),
  ...["REGACK", "PUBACK"].map((t) =>
    packetOf(t, { topicId: word, msgId: word, returnCode: octet }),
  ),
  packetOf("PUBLISH", {
    dup: flag,
    qos,
    retain: flag,
    topicIdType: fc.constantFrom("normal", "predefined", "short", "reserved"),
    topicId: word,
    msgId: word,
    data: bytes,
  }),
  ...["PUBCOMP", "PUBREC", "PUBREL", "UNSUBACK"].map((t) => packetOf(t, { msgId: word })),
  ...topicOf("SUBSCRIBE", { qos, msgId: word }),
  packetOf("SUBACK", { qos, topicId: word, msgId: word, returnCode: octet }),
  ...topicOf("UNSUBSCRIBE", { msgId: word }),
  packetOf("PINGREQ", { clientId: bytes }),
  packetOf("DISCONNECT", { duration: word }),
  packetOf("FORWARDER", {
    radius: fc.integer({ min: 0, max: 3 }),
    wirelessNodeId: fc.uint8Array({ maxLength: 252, size: "max" }),
    message: fc.uint8Array({ minLength: 2 }),
  }),
) as unknown as fc.Arbitrary<Packet>;

test("what was encoded decodes to the same", () => {
  fc.assert(
    fc.property(anyPacket, (packet) => {
      assert.deepEqual(meaning(decode(encode(packet)) as Packet), meaning(packet));
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("random octets never throw, and what is accepted encodes to no more octets", () => {
  const almost = fc
    .tuple(octet, fc.uint8Array({ maxLength: 40, size: "max" }))
    .map(([type, body]) => Uint8Array.from([body.length + 2, type, ...body]));
  fc.assert(
    fc.property(fc.oneof(bytes, almost), (octets) => {
      const packet = decode(octets);
      if (typeof packet === "string") return;
      const again = encode(packet);
      assert.ok(again.length <= octets.length);
      assert.deepEqual(decode(again), packet);
    }),
    { seed: SEED, numRuns: 5000 },
  );
});

test("one changed, inserted or missing octet in any vector never throws", () => {
  for (const { hex } of VECTORS) {
    const whole = bytesOf(hex);
    for (let at = 0; at < Math.min(whole.length, 30); at++) {
      for (const value of [0, 1, 2, 0x7f, 0xfe, 0xff]) {
        const changed = Uint8Array.from(whole);
        changed[at] = value;
        decode(changed);
        decode(Uint8Array.from([...whole.subarray(0, at), value, ...whole.subarray(at)]));
      }
      decode(Uint8Array.from([...whole.subarray(0, at), ...whole.subarray(at + 1)]));
    }
  }
});
