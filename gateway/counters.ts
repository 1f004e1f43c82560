// SPDX-License-Identifier: MIT
// What the gateway counts: each message that it does not serve has a counter here.
//
// Plain numbers since the start; nothing is dropped without one of them going up.

const NAMES = [
  "datagramsIn",
  "datagramsOut",
  // datagrams that are not served
  "malformed", // no packet
  "tooLong", // above DATAGRAM_BYTES_MAX
  "unsupported", // reserved types, types that only gateways send, forwarder encapsulation
  "unexpected", // packets that this state has no use for
  "qosMinusOneDropped", // PUBLISH QoS -1 is not offered
  // strangers and floods
  "searches",
  "searchesLimited",
  "strangersAnswered",
  "strangersLimited",
  "connectsLimited",
  // clients
  "connects", // accepted by the broker
  "connectsRefused",
  "dialoguesAbandoned",
  "takeovers",
  "disconnects",
  "sleepRefused", // DISCONNECT with a duration, served as one without
  "lost",
  "storedEvicted",
  // from clients to the broker
  "publishesUp",
  "publishesUpRepeated", // DUP, swallowed or acknowledged again
  "publishesUpCongested", // answered 01
  "publishesUpDropped", // QoS 0 while the broker is away
  "publishesUpRefused", // bad name or QoS 2
  "unknownTopicIds",
  "subscribesRefused",
  "unsubscribesDropped", // while the broker is away; the client repeats
  "willUpdatesRefused",
  // from the broker to clients
  "publishesDown", // delivered: sent at QoS 0, acknowledged at QoS 1
  "publishesDownDropped", // buffer full
  "publishesDownRefused", // muted, too long, no room for the topic, refused by the client
  "retransmissions",
  "stalled", // requests whose retries are spent; they wait for the client
  // time
  "timeAnswers",
  "timeQuestionsBad",
  // broker
  "brokerConnects",
  "brokerFailures", // connections refused, lost or silent
  "brokerMalformed",
  "willsRestored",
] as const;

export type CounterName = (typeof NAMES)[number];
export type Counters = Record<CounterName, number>;

/** All counters at zero. */
export function createCounters(): Counters {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Counters;
}
