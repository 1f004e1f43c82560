// SPDX-License-Identifier: MIT
// The broker model, aedes and mosquitto tell every client the same.
//
// Goal: random lives of three clients (CONNECT, will, take-over, kept sessions, retained messages) are indistinguishable.
// Method: the same steps to each by seed; what differs on purpose stands in DIFFERENCES, everything else is compared.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import * as need from "../support/need.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { comparable, type Habits, randomLife } from "./broker-lives.ts";
import { playAedes, playModel, type Received, type Step } from "./broker-rig.ts";
import { playTcp } from "./broker-tcp.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const SEEDS_MOSQUITTO = 25; // each starts a mosquitto of its own
const SEEDS_AEDES = 60;

/** Where the two leave the model, and what the standard (MQTT 3.1.1) says. */
const DIFFERENCES = {
  mosquitto: {
    habits: {
      tidy: false,
      overlaps: false,
      steadyQos: false,
      willsKept: true,
      ownWillsUnheard: false,
    },
    reasons: [
      "overlapping filters: one copy at the QoS of any; §3.3.5 asks for the highest",
      "a take-over of a kept session publishes no will; §3.1.2.5 asks for it",
      "at a take-over a client's own will reaches its old connection; nothing decides it",
    ],
  },
  aedes: {
    habits: {
      tidy: true,
      overlaps: false,
      steadyQos: true,
      willsKept: false,
      ownWillsUnheard: true,
    },
    reasons: [
      "no DUP when a message is sent again ([MQTT-3.3.1-1]): all is acknowledged before",
      "a client's own will at a take-over comes twice where its kept session hears it",
      "overlapping filters: a session that is away keeps a copy for each (§3.3.5 allows it)",
      "a filter subscribed again gets retained messages at the QoS of before (§3.8.4)",
      "what a session missed keeps RETAIN ([MQTT-3.3.1-9]): the flag is not compared",
      "a kept session without subscriptions is not present (§3.2.2.2): not compared",
      "retained and missed messages come in an order of its own: sorted",
    ],
  },
} as const satisfies Record<string, { habits: Habits; reasons: string[] }>;

const life = (seed: number, habits: Habits): Step[] => randomLife(createPrng(seed), habits);

function withoutAedesDifferences(received: readonly Received[]): Received[] {
  return received.map(({ deliveries, replies }) => ({
    deliveries: deliveries.map((text) => text.replace(" retain", "")).sort(),
    replies: replies.map((text) => text.replace(/^connack 0 .*/, "connack 0")),
  }));
}

const COVERED = {
  dup: / q1.* dup$/,
  retained: / retain/,
  will: /"lost /,
  qos0: / q0/,
  qos1: / q1/,
};

test(
  `as mosquitto: ${SEEDS_MOSQUITTO} lives of three clients, seed ${SEED}`,
  need.program("mosquitto"),
  async () => {
    const seen = new Set<string>();
    for (let seed = SEED; seed < SEED + SEEDS_MOSQUITTO; seed++) {
      const steps = life(seed, DIFFERENCES.mosquitto.habits);
      const model = comparable(playModel(steps));
      const lines = ["max_inflight_messages 0", "set_tcp_nodelay true"];
      const mosquitto = await startMosquitto(undefined, lines);
      try {
        assert.deepEqual(model, comparable(await playTcp(mosquitto.port, steps)), `SEED=${seed}`);
      } finally {
        await mosquitto.stop();
      }
      for (const { deliveries, replies } of model) {
        if (replies.includes("connack 0 true")) seen.add("present");
        for (const [what, pattern] of Object.entries(COVERED))
          if (deliveries.some((text) => pattern.test(text))) seen.add(what);
      }
    }
    assert.deepEqual([...seen].sort(), [...Object.keys(COVERED), "present"].sort());
  },
);

test(`as aedes: ${SEEDS_AEDES} lives of three clients, seed ${SEED}`, async () => {
  for (let seed = SEED; seed < SEED + SEEDS_AEDES; seed++) {
    const steps = life(seed, DIFFERENCES.aedes.habits);
    const [model, aedes] = [playModel(steps), await playAedes(steps)].map(comparable);
    assert.deepEqual(
      withoutAedesDifferences(model!),
      withoutAedesDifferences(aedes!),
      `SEED=${seed}`,
    );
  }
});

test("the comparison notices a message less, another QoS, another order and another flag", () => {
  const received = (...deliveries: string[]): Received[] => [{ deliveries, replies: [] }];
  const two = received('a "1" q1', 'b "2" q0');
  const others = [
    received('a "1" q1'),
    received('a "1" q0', 'b "2" q0'),
    received('b "2" q0', 'a "1" q1'),
    received('a "1" q1', 'b "2" q0 retain'),
  ];
  for (const other of others) assert.notDeepEqual(comparable(other), comparable(two));
  const retained = received('b "2" q0 retain', 'a "1" q1 retain');
  const turned = received('a "1" q1 retain', 'b "2" q0 retain');
  assert.deepEqual(comparable(retained), comparable(turned), "retained ones come in any order");
});
