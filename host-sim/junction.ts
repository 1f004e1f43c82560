// SPDX-License-Identifier: MIT
// Gateway and broker model joined in virtual time; either may fail and come back.
//
// Chunks take BROKER_DELAY_US and what a slow broker adds; their order is kept. A restarted gateway is a
// new core with another seed, so its first topic id is another; connections of the one before are closed,
// which publishes their wills. A broker that is down publishes none and refuses new connections.
// (J1) nothing reaches a core from a connection of a core before it.

import { createGateway, type Gateway } from "../gateway/gateway.ts";
import type { Clock } from "./clock.ts";
import { BROKER_DELAY_US } from "./limits.ts";
import { createBroker, type Broker, type Message } from "./network/broker.ts";
import { createPoller, nowMs } from "./poller.ts";

const LIFE_CONNECTIONS_MAX = 2 ** 24; // of one gateway: the broker's numbers are life * this + its own

export interface JunctionSetup {
  clock: Clock;
  seed: number;
  wallMs(nowMs: number): number; // as the gateway's clock has it
  sendDatagram(peer: string, bytes: Uint8Array): void;
  accepted(message: Message, clientId: string): void;
}

export interface Junction {
  readonly broker: Broker;
  /** A datagram of a node reached the gateway's address. */
  datagram(peer: string, bytes: Uint8Array): void;
  /** Runs later by the delay of the broker, in order. */
  soon(action: () => void): void;
  /** These begin a fault and return what ends it. */
  stopGateway(): () => void;
  stopBroker(whenBack: () => void): () => void;
  slowBroker(moreMs: number): () => void;
  brokerDown(): boolean;
}

interface State {
  readonly setup: JunctionSetup;
  readonly broker: Broker;
  readonly pollBroker: () => void;
  readonly pollGateway: () => void;
  readonly open: Map<number, number>; // connections that the gateway did not close: life of their broker
  gateway: Gateway | undefined; // undefined: stopped
  life: number; // of the gateway
  brokerLife: number;
  gatewayStops: number;
  brokerStops: number;
  slowMs: number;
  lastDueUs: number;
}

/** A running gateway and a running broker. */
export function createJunction(setup: JunctionSetup): Junction {
  const { clock } = setup;
  const state = createState(setup);
  startGateway(state);
  return {
    broker: state.broker,
    soon: (action) => soon(state, action),
    brokerDown: () => state.brokerStops > 0,
    datagram(peer, bytes) {
      state.gateway?.datagram(peer, bytes, nowMs(clock));
      state.pollGateway();
    },
    ...bindFaults(state),
  };
}

function createState(setup: JunctionSetup): State {
  const { clock } = setup;
  const state: State = {
    setup,
    broker: createBroker({
      write: (id, bytes) =>
        tell(state, id, (gateway, connection) =>
          gateway.brokerBytes(connection, bytes, nowMs(clock)),
        ),
      close: (id) => tellClosed(state, id),
      accepted: (message, clientId) => setup.accepted(message, clientId),
    }),
    open: new Map(),
    pollBroker: createPoller(clock, (now) => state.broker.poll(now)),
    pollGateway: createPoller(clock, (now) => state.gateway?.poll(now) ?? Infinity),
    gateway: undefined,
    life: 0,
    brokerLife: 0,
    gatewayStops: 0,
    brokerStops: 0,
    slowMs: 0,
    lastDueUs: 0,
  };
  return state;
}

function startGateway(state: State): void {
  const { setup, broker } = state;
  const { clock } = setup;
  const life = state.life++;
  const idOf = (connection: number): number => life * LIFE_CONNECTIONS_MAX + connection;
  state.gateway = createGateway(
    { gatewayId: 1, seed: (setup.seed + life) >>> 0, wallMs: setup.wallMs },
    {
      sendDatagram: setup.sendDatagram,
      openBroker(connection) {
        const id = idOf(connection);
        state.open.set(id, state.brokerLife);
        if (state.brokerStops > 0) return tellClosed(state, id);
        toBroker(state, id, () => broker.opened(id, nowMs(clock)));
        tell(state, id, (gateway) => gateway.brokerOpened(connection, nowMs(clock)));
      },
      writeBroker(connection, bytes) {
        const id = idOf(connection);
        const copy = Uint8Array.from(bytes);
        toBroker(state, id, () => {
          broker.bytes(id, copy, nowMs(clock));
          state.pollBroker();
        });
      },
      closeBroker(connection) {
        const id = idOf(connection);
        toBroker(state, id, () => broker.closed(id, nowMs(clock)));
        state.open.delete(id);
      },
    },
  );
  state.pollGateway();
}

function bindFaults(state: State): Pick<Junction, "stopGateway" | "stopBroker" | "slowBroker"> {
  const { broker } = state;
  return {
    stopGateway() {
      state.gatewayStops++;
      state.gateway = undefined;
      for (const id of state.open.keys()) {
        toBroker(state, id, () => broker.closed(id, nowMs(state.setup.clock)));
      }
      state.open.clear();
      return () => {
        if (--state.gatewayStops === 0) startGateway(state);
      };
    },
    stopBroker(whenBack) {
      state.brokerStops++;
      state.brokerLife++;
      broker.fail();
      for (const id of state.open.keys()) tellClosed(state, id);
      return () => {
        if (--state.brokerStops === 0) whenBack();
      };
    },
    slowBroker(moreMs) {
      state.slowMs += moreMs;
      return () => {
        state.slowMs -= moreMs;
      };
    },
  };
}

function tell(
  state: State,
  id: number,
  action: (gateway: Gateway, connection: number) => void,
): void {
  soon(state, () => {
    if (!state.open.has(id) || state.gateway === undefined) return; // (J1)
    action(state.gateway, id % LIFE_CONNECTIONS_MAX);
    state.pollGateway();
  });
}

function tellClosed(state: State, id: number): void {
  tell(state, id, (gateway, connection) => {
    state.open.delete(id);
    gateway.brokerClosed(connection, nowMs(state.setup.clock));
  });
}

// What was under way to a broker before it failed is gone with it.
function toBroker(state: State, id: number, action: () => void): void {
  const life = state.open.get(id);
  soon(state, () => {
    if (life === state.brokerLife) action();
  });
}

// A stream keeps its order when the delay becomes shorter.
function soon(state: State, action: () => void): void {
  const { clock } = state.setup;
  const delayUs = BROKER_DELAY_US + state.slowMs * 1000;
  state.lastDueUs = Math.max(state.lastDueUs, clock.nowUs() + delayUs);
  clock.at(state.lastDueUs, action);
}
