// SPDX-License-Identifier: MIT
// Gateway, broker model and hub on one virtual clock, joined by delays.
//
// Chunks between gateway and broker and messages to the hub take BROKER_DELAY_US, so nothing calls
// back into its caller and the order of a stream is kept. Wall time starts at WALL_START_MS.

import { createGateway, type Gateway } from "../gateway/gateway.ts";
import { createHub, type Hub, type HubConfig } from "../hub/hub.ts";
import { TOPIC_ROOT } from "../firmware/wire/topics.ts";
import type { Clock } from "./clock.ts";
import { BROKER_DELAY_US } from "./limits.ts";
import { createBroker, type Broker, type Message } from "./network/broker.ts";
import { hex, type Trace } from "./trace.ts";

export const WALL_START_MS = 1_767_225_600_000; // 2026-01-01T00:00Z
const POLL_PITCH_US = 1000; // a core that is due "now" again still lets time go on
const HUB_CLIENT_ID = "hub";

export interface RoadSetup {
  clock: Clock;
  trace: Trace;
  hub: HubConfig;
  seed: number;
  sendDatagram(peer: string, bytes: Uint8Array): void;
}

export interface Road {
  readonly gateway: Gateway;
  readonly broker: Broker;
  readonly hub: Hub;
  /** A datagram of a node reached the gateway. */
  datagram(peer: string, bytes: Uint8Array): void;
}

export function createRoad(setup: RoadSetup): Road {
  const { clock } = setup;
  const soon = (action: () => void): void => clock.at(clock.nowUs() + BROKER_DELAY_US, action);
  const hub = createHub(setup.hub);
  const joint = joinGatewayAndBroker(setup, soon);
  attachHub(setup, { hub, broker: joint.broker, soon });
  return { hub, ...joint };
}

/** Milliseconds of the run, as the cores take them. */
export function nowMs(clock: Clock): number {
  return Math.floor(clock.nowUs() / 1000);
}

/** An alarm that polls a core and arms itself for the deadline that the core returns. */
function createPoller(clock: Clock, poll: (nowMs: number) => number): () => void {
  const alarm = clock.createAlarm(run);
  function run(): void {
    const deadlineMs = poll(nowMs(clock));
    if (deadlineMs === Infinity) alarm.disarm();
    else alarm.armAt(Math.max(Math.ceil(deadlineMs) * 1000, clock.nowUs() + POLL_PITCH_US));
  }
  return run;
}

function joinGatewayAndBroker(
  setup: RoadSetup,
  soon: (action: () => void) => void,
): Pick<Road, "gateway" | "broker" | "datagram"> {
  const { clock, trace } = setup;
  const open = new Set<number>(); // connections that the gateway did not close

  function tellGateway(connection: number, tell: () => void): void {
    soon(() => {
      if (!open.has(connection)) return;
      tell();
      pollGateway();
    });
  }

  const broker = createBroker({
    write: (connection, bytes) =>
      tellGateway(connection, () => gateway.brokerBytes(connection, bytes, nowMs(clock))),
    close: (connection) =>
      tellGateway(connection, () => {
        open.delete(connection);
        gateway.brokerClosed(connection, nowMs(clock));
      }),
    accepted: (message, clientId) => traceMessage(clock, trace, message, clientId),
  });
  const pollBroker = createPoller(clock, (now) => broker.poll(now));

  const gateway: Gateway = createGateway(
    { gatewayId: 1, seed: setup.seed, wallMs: (now) => WALL_START_MS + now },
    {
      sendDatagram: setup.sendDatagram,
      openBroker(connection) {
        open.add(connection);
        soon(() => broker.opened(connection, nowMs(clock)));
        tellGateway(connection, () => gateway.brokerOpened(connection, nowMs(clock)));
      },
      writeBroker(connection, bytes) {
        const copy = Uint8Array.from(bytes);
        soon(() => {
          broker.bytes(connection, copy, nowMs(clock));
          pollBroker();
        });
      },
      closeBroker(connection) {
        open.delete(connection);
        soon(() => broker.closed(connection, nowMs(clock)));
      },
    },
  );
  const pollGateway = createPoller(clock, (now) => gateway.poll(now));

  return {
    gateway,
    broker,
    datagram(peer, bytes) {
      gateway.datagram(peer, bytes, nowMs(clock));
      pollGateway();
    },
  };
}

function attachHub(
  setup: RoadSetup,
  parts: { hub: Hub; broker: Broker; soon: (action: () => void) => void },
): void {
  const { clock, trace } = setup;
  const { hub, broker, soon } = parts;
  const wallMs = (): number => WALL_START_MS + nowMs(clock);

  function publish(): void {
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
    soon(() => {
      hub.message(message, wallMs());
      publish();
      pollHub();
      if (trace.on) {
        const { ingested, duplicates } = hub.totals();
        trace.write(clock.nowUs(), "ingest", { topic: message.topic, ingested, duplicates });
      }
    }),
  );
}

function traceMessage(clock: Clock, trace: Trace, message: Message, client: string): void {
  if (!trace.on) return;
  const { topic, payload, qos, retain } = message;
  trace.write(clock.nowUs(), "broker", { client, topic, qos, retain, hex: hex(payload) });
}
