// SPDX-License-Identifier: MIT
// A gateway of few words: what a node needs to connect, publish and know the time.
//
// Spec: MQTT-SN 1.2 section 5; SPEC.md section 2 (time). Messages in, answers out. Nothing is repeated and nothing checked.

export interface Publication {
  topic: string; // what follows the node's id
  payload: Uint8Array;
}

export interface FewWords {
  /** Takes a message of the node; the answers, in order. */
  answer(message: Uint8Array): Uint8Array[];
  readonly published: Publication[];
}

/** `wallMs` is what time it is, for a node that asks. */
export function createFewWords(wallMs: () => number): FewWords {
  const topics: string[] = []; // id - 1
  const published: Publication[] = [];
  const idOf = (name: Uint8Array): number[] => {
    const topic = Buffer.from(name).toString("latin1").split("/").slice(2).join("/");
    if (!topics.includes(topic)) topics.push(topic);
    return [0, topics.indexOf(topic) + 1];
  };
  const takePublish = (body: Uint8Array): Uint8Array[] => {
    const topic = topics[body[3]! - 1] ?? "";
    const payload = body.slice(6);
    published.push({ topic, payload });
    if (topic === "time/get") return [timeAnswer(idOf(TIME), payload, wallMs())];
    if ((body[1]! & 0x60) !== 0x20) return [];
    return [Uint8Array.of(7, 0x0d, body[2]!, body[3]!, body[4]!, body[5]!, 0)]; // PUBACK
  };
  return {
    published,
    answer(message) {
      const body = message[0] === 1 ? message.subarray(3) : message.subarray(1);
      switch (body[0]) {
        case 0x04:
          return [Uint8Array.of(2, 0x06)]; // CONNECT: WILLTOPICREQ
        case 0x07:
          return [Uint8Array.of(2, 0x08)]; // WILLTOPIC: WILLMSGREQ
        case 0x09:
          return [Uint8Array.of(3, 0x05, 0)]; // WILLMSG: CONNACK
        case 0x0a:
          return [Uint8Array.of(7, 0x0b, ...idOf(body.subarray(5)), body[3]!, body[4]!, 0)];
        case 0x0c:
          return takePublish(body);
        case 0x12: // SUBSCRIBE: SUBACK
          return [Uint8Array.of(8, 0x13, 0x20, ...idOf(body.subarray(4)), body[2]!, body[3]!, 0)];
        case 0x16:
          return [Uint8Array.of(2, 0x17)];
        default:
          return [];
      }
    },
  };
}

const TIME = Buffer.from("ferrule/any/time");

// PUBLISH of [token, ms]; the token is CBOR already.
function timeAnswer(id: readonly number[], token: Uint8Array, ms: number): Uint8Array {
  const time = new Uint8Array(9);
  new DataView(time.buffer).setBigUint64(1, BigInt(Math.floor(ms)));
  time[0] = 0x1b;
  const data = [0x82, ...token, ...time];
  return Uint8Array.of(7 + data.length, 0x0c, 0, ...id, 0, 0, ...data);
}
