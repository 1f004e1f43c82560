// SPDX-License-Identifier: MIT
// The gateway on sockets: UDP and serial lines to nodes, TCP to the broker.
//
// Spec: SPEC.md §7. Listens on what it is given and nothing else. A broker that is down is told once and
// tried again with each client; clients are answered "congestion" meanwhile.

import { type BrokerEvents, createBrokerStreams, parseBrokerUrl } from "./broker.ts";
import { createGateway, type Gateway, type GatewayConfig } from "./gateway.ts";
import { isSerialPeer, openSerialLine, type SerialLine, type SerialPlace } from "./serial.ts";
import { openUdp, SEARCH_GROUP, type Udp } from "./udp.ts";

export type { Gateway } from "./gateway.ts";

const DELAY_MS_MAX = 2_147_483_647; // of a timer

export interface GatewayLog {
  info(text: string): void;
  warn(text: string): void;
}

export interface GatewayOptions {
  udpHost: string; // IPv4
  udpPort: number; // 0: a free one
  brokerUrl: string; // mqtt://host[:port]
  log: GatewayLog;
  serial?: readonly SerialPlace[]; // ports with a node at the other end
  group?: string | false; // multicast address for SEARCHGW; absent: 239.255.77.78; false: none
  gatewayId?: number;
  wallMs?: () => number; // time that it serves, ms since 1970; absent: the machine's
  seed?: number; // absent: of the wall clock, so that topic ids differ from the last start's
  predefined?: Readonly<Record<string, number>>; // topic name -> predefined id
  /** Each datagram that came in (`sent` false) or went out, for a capture. */
  capture?(peer: string, bytes: Uint8Array, sent: boolean): void;
}

export interface RunningGateway {
  readonly udpPort: number;
  readonly gateway: Gateway;
  readonly serial: readonly SerialLine[];
  /** Stops at once; the broker publishes the wills of clients that are still connected. */
  close(): Promise<void>;
}

/** Starts a gateway; rejects with a sentence that says what to change. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { brokerUrl, log, capture } = options;
  const broker = parseBrokerUrl(brokerUrl);
  if (broker === undefined) throw new Error(`"${brokerUrl}" is no broker: use mqtt://HOST[:PORT]`);
  const udp = await openSocket(options);
  if (udp.groupFailure !== undefined) {
    log.warn(`not searchable: the group could not be joined (${udp.groupFailure})`);
  }
  const poller = createPoller((nowMs) => gateway.poll(nowMs));
  const streams = createBrokerStreams(
    broker,
    eventsOf(() => gateway, poller, brokerUrl, log),
  );
  const gateway = createGateway(coreConfig(options), {
    sendDatagram(peer, bytes) {
      capture?.(peer, bytes, true);
      if (isSerialPeer(peer)) lines.get(peer)?.send(bytes);
      else udp.send(peer, bytes);
    },
    openBroker: (connection) => streams.open(connection),
    writeBroker: (connection, bytes) => streams.write(connection, bytes),
    closeBroker: (connection) => streams.close(connection),
    backlogBytes: () => streams.backlogBytes(),
  });
  const hear = (peer: string, bytes: Uint8Array): void => {
    capture?.(peer, bytes, false);
    gateway.datagram(peer, bytes, performance.now());
    poller.soon();
  };
  udp.listen(hear);
  const serial = (options.serial ?? []).map((place) => openSerialLine(place, log, hear));
  const lines = new Map(serial.map((line) => [line.peer, line]));
  return {
    udpPort: udp.port,
    gateway,
    serial,
    async close() {
      poller.stop();
      streams.closeAll();
      await Promise.all([udp.close(), ...serial.map((line) => line.close())]);
    },
  };
}

function coreConfig(options: GatewayOptions): GatewayConfig {
  return {
    gatewayId: options.gatewayId ?? 1,
    seed: options.seed ?? Math.floor(Date.now() / 1000),
    wallMs: options.wallMs ?? (() => Date.now()),
    ...(options.predefined !== undefined && { predefined: options.predefined }),
  };
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: stop what listens there or take another port",
  EADDRNOTAVAIL: "is no address of this machine",
  EACCES: "is not allowed: take a port above 1023",
};

async function openSocket(options: GatewayOptions): Promise<Udp> {
  const { udpHost: host, udpPort: port, group = SEARCH_GROUP } = options;
  try {
    return await openUdp({ host, port, ...(group !== false && { group }) });
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const what = ADVICE[code] ?? `cannot be opened: ${message}`;
    throw new Error(`udp ${host}:${port} ${what}`, { cause });
  }
}

function eventsOf(
  gateway: () => Gateway,
  poller: Poller,
  brokerUrl: string,
  log: GatewayLog,
): BrokerEvents {
  let down = false; // told once until the broker is back
  return {
    opened(connection) {
      if (down) log.info(`broker ${brokerUrl} is back`);
      down = false;
      gateway().brokerOpened(connection, performance.now());
      poller.soon();
    },
    bytes(connection, bytes) {
      gateway().brokerBytes(connection, bytes, performance.now());
      poller.soon();
    },
    closed(connection, reason) {
      if (reason !== undefined && !down) {
        log.warn(`broker ${brokerUrl} cannot be reached (${reason}); clients are told to wait`);
        down = true;
      }
      gateway().brokerClosed(connection, performance.now());
      poller.soon();
    },
  };
}

interface Poller {
  /** Polls at the end of this turn. */
  soon(): void;
  stop(): void;
}

// One timer for the whole gateway, armed for the deadline that the core returns.
function createPoller(poll: (nowMs: number) => number): Poller {
  let timer: NodeJS.Timeout | undefined;
  let armedMs = Infinity;
  let pending = false;
  let open = true;

  function run(): void {
    pending = false;
    if (!open) return;
    const deadlineMs = poll(performance.now());
    if (deadlineMs === armedMs) return;
    armedMs = deadlineMs;
    clearTimeout(timer);
    if (deadlineMs === Infinity) return;
    const delayMs = Math.min(Math.max(0, deadlineMs - performance.now()), DELAY_MS_MAX);
    timer = setTimeout(onTimer, Math.ceil(delayMs));
  }
  function onTimer(): void {
    armedMs = Infinity;
    run();
  }

  return {
    soon() {
      if (pending) return;
      pending = true;
      setImmediate(run);
    },
    stop() {
      open = false;
      clearTimeout(timer);
    },
  };
}
