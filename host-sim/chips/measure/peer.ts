// SPDX-License-Identifier: MIT
// A gateway of few words on the line of a chip, polite or not.
//
// Spec: MQTT-SN 1.2 §5.4, SPEC.md §7. It answers each message by the book; as its plan says, it keeps silent, refuses,
// says that it is congested or ends the session, and never lets the line to the node rest: pings, publications that
// nobody wants, answers to nothing, noise. The seed decides all of it.

import { createFrameDecoder, createFrameEncoder } from "../../../gateway/frame.ts";
import type { Prng } from "../../prng.ts";
import type { Rp2040 } from "../rp2040/index.ts";
import { ERROR_FRAME, formatOf } from "../rp2040/serial.ts";

export interface PeerPlan {
  /** In each session one answer is left out, so that the node repeats, and a later one is DISCONNECT. */
  ends: boolean;
  refused: number; // part of registrations and publications, 0..1: 02 or 03
  congested: number; // the same: 01
  flood: boolean; // something is always on the line to the node
}

export const POLITE: PeerPlan = { ends: false, refused: 0, congested: 0, flood: false };
export const SATURATING: PeerPlan = { ends: true, refused: 0.05, congested: 0.005, flood: true };

export interface PeerCounts {
  heard: number; // whole messages
  damaged: number;
  connects: number;
  repeated: number; // what was not answered
  said: number; // messages
  octets: number; // on the line to the node
}

export interface Peer {
  readonly counts: Readonly<PeerCounts>;
}

const CONNECT = 0x04;
const WILLTOPIC = 0x07;
const WILLMSG = 0x09;
const REGISTER = 0x0a;
const PUBLISH = 0x0c;
const SUBSCRIBE = 0x12;
const PINGREQ = 0x16;
const DISCONNECT = Uint8Array.of(2, 0x18);
const DUP = 0x80;
const SILENT_AT = 13; // answers of a session
const END_AT = 16;
const QOS_BITS = 0x60;
const QOS_1 = 0x20;
const CONGESTED = 1;
const GRACE = 12; // answers of a session that are by the book: data comes after them
const SUBSCRIBED_ID = 99;
const NOISE_OCTETS_MAX = 600; // longer than the longest frame
const NOISE_ERRORS = 0.05; // of the characters of noise

/** A UART of the chip by its pins. */
export interface SerialLine {
  tx: number;
  rx: number;
  baud: number;
}

interface State {
  readonly plan: PeerPlan;
  readonly prng: Prng;
  readonly counts: PeerCounts;
  readonly encode: (message: Uint8Array) => Uint8Array;
  readonly queue: { octets: Uint8Array; errors: number }[];
  readonly askTime: Set<number>; // topic ids of time/get
  answered: number; // messages of this session
  unanswered: Uint8Array; // what it kept silent at
  latest: Uint8Array; // what it said last: it may say it again
}

/** Attaches it to a chip from now on. */
export function attachPeer(chip: Rp2040, line: SerialLine, plan: PeerPlan, prng: Prng): Peer {
  const counts = { heard: 0, damaged: 0, connects: 0, repeated: 0, said: 0, octets: 0 };
  const encode = createFrameEncoder();
  const state: State = {
    ...{ plan, prng, counts, encode, queue: [], askTime: new Set() },
    ...{ answered: 0, unanswered: new Uint8Array(0), latest: Uint8Array.of(2, 0x17) },
  };
  const decoder = createFrameDecoder();
  const wake = speak(state, chip, line);
  chip.serial.onSay(line.tx, ({ octet }) => {
    decoder.push(Uint8Array.of(octet), (message) => {
      hear(state, message);
      wake();
    });
    counts.damaged = decoder.counters.badCrc + decoder.counters.badFrame;
  });
  wake();
  return { counts };
}

// Octet after octet at the speed of the line; gives the call that begins when it rests.
function speak(state: State, chip: Rp2040, { rx, baud }: SerialLine): () => void {
  const { queue, counts, prng, plan } = state;
  const format = formatOf(baud, "8N1");
  const characterNs = Math.ceil(10 * format.bitNs);
  let at = 0;
  let busy = false;

  function next(): void {
    if (queue.length === 0 && plan.flood) flood(state);
    const first = queue[0];
    busy = first !== undefined;
    if (first === undefined) return;
    const octet = first.octets[at++]!;
    if (at === first.octets.length) {
      queue.shift();
      at = 0;
    }
    const errors = prng.chance(first.errors) ? ERROR_FRAME : 0;
    chip.time.atNs(chip.time.nowNs() + characterNs, () => {
      counts.octets++;
      chip.serial.hear(rx, { octet, errors, format });
      next();
    });
  }
  return () => {
    if (!busy) next();
  };
}

function say(state: State, message: Uint8Array): void {
  state.counts.said++;
  state.queue.push({ octets: state.encode(message).slice(), errors: 0 });
}

function hear(state: State, message: Uint8Array): void {
  const { plan, counts } = state;
  const body = message[0] === 1 ? message.subarray(3) : message.subarray(1);
  counts.heard++;
  if (body[0] === CONNECT) {
    counts.connects++;
    state.answered = 0;
  }
  if (body[0] === PUBLISH) body[1]! &= ~DUP;
  if (isSame(body, state.unanswered)) counts.repeated++;
  const answer = answerTo(state, body);
  if (answer === undefined) return;
  state.answered++;
  if (plan.ends && state.answered === SILENT_AT) return void (state.unanswered = body);
  if (plan.ends && state.answered >= END_AT) return say(state, DISCONNECT);
  state.latest = answer;
  say(state, answer);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

function codeFor({ plan, prng, answered }: State): number {
  if (answered < GRACE) return 0;
  if (prng.chance(plan.congested)) return CONGESTED;
  return prng.chance(plan.refused) ? 2 + prng.below(2) : 0;
}

// §5.4: will asked for, then accepted; each topic gets an id; QoS 1 is acknowledged.
function answerTo(state: State, body: Uint8Array): Uint8Array | undefined {
  switch (body[0]) {
    case CONNECT:
      return Uint8Array.of(2, 0x06); // WILLTOPICREQ
    case WILLTOPIC:
      return Uint8Array.of(2, 0x08); // WILLMSGREQ
    case WILLMSG:
      return Uint8Array.of(3, 0x05, 0); // CONNACK
    case REGISTER: {
      const id = 1 + (body[4]! % 90); // not that of the subscription
      if (isTimeQuestion(body)) state.askTime.add(id);
      else state.askTime.delete(id);
      return Uint8Array.of(7, 0x0b, 0, id, body[3]!, body[4]!, codeFor(state)); // REGACK
    }
    case PUBLISH:
      if ((body[1]! & QOS_BITS) === QOS_1)
        return Uint8Array.of(7, 0x0d, body[2]!, body[3]!, body[4]!, body[5]!, codeFor(state)); // PUBACK
      return state.askTime.has(body[3]!) ? timeAnswer(body.subarray(6)) : undefined;
    case SUBSCRIBE:
      return Uint8Array.of(8, 0x13, 0x20, 0, SUBSCRIBED_ID, body[2]!, body[3]!, 0); // SUBACK
    case PINGREQ:
      return Uint8Array.of(2, 0x17);
    default:
      return undefined;
  }
}

function isTimeQuestion(body: Uint8Array): boolean {
  return String.fromCharCode(...body.subarray(5)).endsWith("/time/get");
}

// SPEC.md §2: [token, milliseconds since 1970]; here it is always the same moment.
function timeAnswer(token: Uint8Array): Uint8Array {
  const head = [PUBLISH, 0, 0, SUBSCRIBED_ID, 0, 0];
  const moment = [0x1b, 0, 0, 0x01, 0x99, 0, 0, 0, 0]; // September 2025
  return Uint8Array.of(
    head.length + 2 + token.length + moment.length,
    ...head,
    0x82,
    ...token,
    ...moment,
  );
}

function flood(state: State): void {
  const { prng } = state;
  const id = (): number => prng.below(256);
  switch (prng.below(7)) {
    case 0:
      return say(state, Uint8Array.of(2, PINGREQ));
    case 1: // PUBLISH, QoS 1, of a topic that the node never asked for
      return say(state, Uint8Array.of(9, PUBLISH, QOS_1, 9, id(), 0, id(), 1, 2));
    case 2: // PUBACK, as if for an earlier message
      return say(state, Uint8Array.of(7, 0x0d, 0, id(), 0, id(), 0));
    case 3:
      return say(state, state.latest);
    case 4: // ends of empty frames: each wakes link
      return void state.queue.push({ octets: new Uint8Array(1 + prng.below(32)), errors: 0 });
    case 5: {
      // a long message that is none
      const octets = new Uint8Array(1 + prng.below(400));
      prng.fill(octets);
      return say(state, octets);
    }
    default: {
      const octets = new Uint8Array(1 + prng.below(NOISE_OCTETS_MAX));
      prng.fill(octets);
      return void state.queue.push({ octets, errors: NOISE_ERRORS });
    }
  }
}
