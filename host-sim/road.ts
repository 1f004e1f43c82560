// SPDX-License-Identifier: MIT
// Gateway, broker model and hub on one virtual clock, joined by delays.
//
// Chunks between gateway and broker and messages to the hub take time, so nothing calls back into its
// caller and the order of a stream is kept. Wall time starts at WALL_START_MS; only the gateway's may
// step. While the broker is down the hub keeps what it has to publish.

import { createHub, type Hub, type HubConfig } from "../hub/hub.ts";
import { TOPIC_ROOT } from "../firmware/wire/topics.ts";
import type { Clock } from "./clock.ts";
import { createJunction, type Junction } from "./junction.ts";
import type { Message } from "./network/broker.ts";
import { createPoller, nowMs } from "./poller.ts";
import { hex, type Trace } from "./trace.ts";

export const WALL_START_MS = 1_767_225_600_000; // 2026-01-01T00:00Z
const HUB_CLIENT_ID = "hub";
const STRANGER_CLIENT_ID = "stranger";
const OPERATOR = "plan";

export interface RoadSetup {
  clock: Clock;
  trace: Trace;
  hub: HubConfig;
  seed: number;
  sendDatagram(peer: string, bytes: Uint8Array): void;
}

export interface Road {
  readonly hub: Hub;
  /** A datagram of a node reached the gateway. */
  datagram(peer: string, bytes: Uint8Array): void;
  /** Someone at the hub writes a set-point. */
  writeSetpoint(node: string, name: string, value: number): void;
  /** Another client of the broker publishes at QoS 1; while the broker is down nobody hears it. */
  publish(topic: string, payload: Uint8Array): void;
  /** These begin a fault and return what ends it. */
  stopGateway(): () => void;
  stopBroker(): () => void;
  slowBroker(moreMs: number): () => void;
  stepWall(byMs: number): () => void;
}

export function createRoad(setup: RoadSetup): Road {
  const { clock, trace } = setup;
  const hub = createHub(setup.hub);
  hub.hearing(true, WALL_START_MS + nowMs(clock));
  let stepMs = 0;
  const junction = createJunction({
    clock,
    seed: setup.seed,
    wallMs: (now) => WALL_START_MS + now + stepMs,
    sendDatagram: setup.sendDatagram,
    accepted: (message, clientId) => traceMessage(clock, trace, message, clientId),
  });
  const pollHub = attachHub(setup, hub, junction);
  return {
    hub,
    writeSetpoint(node, name, value) {
      const wallMs = WALL_START_MS + nowMs(clock);
      hub.writeSetpoint({ node, name, value, by: OPERATOR, seenMs: null }, wallMs);
      pollHub();
    },
    publish(topic, payload) {
      if (junction.brokerDown()) return;
      const message = { topic, payload, qos: 1 as const, retain: false };
      junction.broker.publish(message, STRANGER_CLIENT_ID);
    },
    datagram: junction.datagram,
    stopGateway: junction.stopGateway,
    stopBroker() {
      hub.hearing(false, WALL_START_MS + nowMs(clock));
      return junction.stopBroker(() => {
        hub.hearing(true, WALL_START_MS + nowMs(clock));
        pollHub();
      });
    },
    slowBroker: junction.slowBroker,
    stepWall(byMs) {
      stepMs += byMs;
      return () => {
        stepMs -= byMs;
      };
    },
  };
}

// What it returns polls the hub and publishes what it has.
function attachHub(setup: RoadSetup, hub: Hub, junction: Junction): () => void {
  const { clock, trace } = setup;
  const { broker } = junction;
  const wallMs = (): number => WALL_START_MS + nowMs(clock);

  function publish(): void {
    if (junction.brokerDown()) return;
    for (const { topic, payload, retain } of hub.takePublications()) {
      broker.publish({ topic, payload: Buffer.from(payload), qos: 1, retain }, HUB_CLIENT_ID);
    }
  }
  const pollHub = createPoller(clock, () => {
    const deadlineMs = hub.poll(wallMs()) - WALL_START_MS;
    publish();
    return deadlineMs;
  });
  broker.attach(`${TOPIC_ROOT}/#`, (message) =>
    junction.soon(() => {
      hub.message(message, wallMs());
      publish();
      pollHub();
      if (trace.on) {
        const { ingested, duplicates } = hub.totals();
        trace.write(clock.nowUs(), "ingest", { topic: message.topic, ingested, duplicates });
      }
    }),
  );
  return pollHub;
}

function traceMessage(clock: Clock, trace: Trace, message: Message, client: string): void {
  if (!trace.on) return;
  const { topic, payload, qos, retain } = message;
  trace.write(clock.nowUs(), "broker", { client, topic, qos, retain, hex: hex(payload) });
}
