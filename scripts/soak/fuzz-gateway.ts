// SPDX-License-Identifier: MIT
// Damaged MQTT-SN datagrams at the real gateway, before the broker model.
//
// Goal: no datagram makes the gateway throw or say something malformed; when all is quiet nothing is left behind and
// a fresh client is served. Whole datagrams between the damaged ones carry sessions into every state.

import { decode } from "../../gateway/packet.ts";
import { createClock } from "../../host-sim/clock.ts";
import { createJunction, type Junction } from "../../host-sim/junction.ts";
import type { Prng } from "../../host-sim/prng.ts";
import { type Corpus, damage, mutate, pick } from "./mutations.ts";

const PEERS = 8;
const DAMAGED_CHANCE = 0.6;
const CONNECT_CHANCE = 0.03; // that a peer first goes through the whole dialogue
const DIALOGUE = [0x04, 0x07, 0x09]; // CONNECT, WILLTOPIC, WILLMSG
const KNOWN_TOPIC_CHANCE = 0.7;
const PUBLISH = 0x0c;
const REGACK = 0x0b;
const ANSWER_US = 2000;
const LENGTH_MENDED_CHANCE = 0.7;
const PAUSE_MS_MAX = 50;
const QUIET_US = 200_000 * 1_000_000; // one and a half times the longest keep alive, 65,535 s, and retries
const FRESH_PEER = "192.0.2.99:9";
// Clean session, 60 s, "fresh"; then REGISTER of "t" and PUBLISH at QoS 1 to the id that comes back.
const CONNECT = "0b040401003c6672657368";
const REGISTER = "070a0000000174";

export interface GatewayFuzz {
  packets: Record<string, number>; // by type: what decoded
  errors: Record<string, number>; // by name: what did not
  answers: number; // datagrams of the gateway
  delivered: number; // messages that the broker took
}

interface Rig {
  junction: Junction;
  run(us: number): void;
  answers: number;
  delivered: number;
  topicIds: Map<string, [number, number]>; // the newest of each peer, octet by octet
  malformed: string | undefined; // the first answer that is no packet
  toFresh: string[]; // hex
}

/** Gives so many datagrams, whole and damaged. Throws an Error when one is not met as it must be. */
export function fuzzGateway(corpus: Corpus, seed: number, count: number): GatewayFuzz {
  const prng = damage(seed, "datagrams");
  const rig = createRig(seed);
  const { datagrams } = corpus;
  const dialogues = DIALOGUE.map((type) => datagrams.filter((bytes) => bytes[1] === type));
  const sums = { packets: {} as Record<string, number>, errors: {} as Record<string, number> };
  for (let done = 0; done < count; done++) {
    const peer = `192.0.2.${2 + prng.below(PEERS)}:10001`;
    if (prng.chance(CONNECT_CHANCE))
      for (const choice of dialogues) {
        rig.junction.datagram(peer, pick(prng, choice));
        rig.run(ANSWER_US);
      }
    const bytes = nextDatagram(prng, datagrams);
    if (prng.chance(KNOWN_TOPIC_CHANCE)) setTopicId(bytes, rig.topicIds.get(peer));
    const packet = decode(bytes);
    if (typeof packet === "string") sums.errors[packet] = (sums.errors[packet] ?? 0) + 1;
    else sums.packets[packet.type] = (sums.packets[packet.type] ?? 0) + 1;
    const problem = giveOne(rig, peer, bytes);
    if (problem !== undefined) {
      const octets = Buffer.from(bytes).toString("hex");
      throw new Error(`datagram ${done} of seed ${seed}: ${problem}: ${octets}`);
    }
    rig.run(1000 * prng.below(PAUSE_MS_MAX));
  }
  rig.run(QUIET_US);
  const { connections } = rig.junction.broker.counts();
  if (connections > 0) throw new Error(`seed ${seed}: ${connections} connections are left behind`);
  serveFresh(rig, seed);
  return { ...sums, answers: rig.answers, delivered: rig.delivered };
}

function nextDatagram(prng: Prng, datagrams: readonly Uint8Array[]): Uint8Array {
  if (!prng.chance(DAMAGED_CHANCE)) return pick(prng, datagrams).slice();
  const bytes = mutate(prng, datagrams).slice();
  // Else nearly all of them would end at the first look at the length.
  if (prng.chance(LENGTH_MENDED_CHANCE) && bytes.length > 1 && bytes.length < 256)
    bytes[0] = bytes.length;
  return bytes;
}

// The ids of the corpus were those of another gateway.
function setTopicId(bytes: Uint8Array, id: [number, number] | undefined): void {
  const at = bytes[0] === 1 ? 5 : 3; // after a long or a short length, type and flags
  if (id !== undefined && bytes[at - 2] === PUBLISH && bytes.length > at + 1) bytes.set(id, at);
}

function createRig(seed: number): Rig {
  const clock = createClock();
  const junction = createJunction({
    clock,
    seed,
    wallMs: (nowMs) => nowMs,
    sendDatagram(peer, bytes) {
      rig.answers++;
      const octets = Buffer.from(bytes).toString("hex");
      if (typeof decode(bytes) === "string") rig.malformed ??= octets;
      if (bytes[1] === REGACK) rig.topicIds.set(peer, [bytes[2] ?? 0, bytes[3] ?? 0]);
      if (peer === FRESH_PEER) rig.toFresh.push(octets);
    },
    accepted: () => void rig.delivered++,
  });
  const run = (us: number): void => clock.runUntil(clock.nowUs() + us);
  const rig: Rig = {
    junction,
    run,
    answers: 0,
    delivered: 0,
    topicIds: new Map(),
    malformed: undefined,
    toFresh: [],
  };
  return rig;
}

function giveOne(rig: Rig, peer: string, bytes: Uint8Array): string | undefined {
  try {
    rig.junction.datagram(peer, bytes);
  } catch (error) {
    return `the gateway threw ${String(error)}`;
  }
  return rig.malformed && `the gateway said ${rig.malformed}`;
}

function serveFresh(rig: Rig, seed: number): void {
  const say = (hex: string): string | undefined => {
    rig.junction.datagram(FRESH_PEER, Uint8Array.from(Buffer.from(hex, "hex")));
    rig.run(100_000);
    return rig.toFresh.at(-1);
  };
  const connack = say(CONNECT);
  const regack = say(REGISTER);
  const topicId = regack?.slice(4, 8) ?? "";
  const puback = say(`080c20${topicId}000241`);
  const served = connack === "030500" && regack === `070b${topicId}000100`;
  if (!served || puback !== `070d${topicId}000200`)
    throw new Error(`seed ${seed}: a fresh client got ${connack}, ${regack}, ${puback}`);
}
