// SPDX-License-Identifier: MIT
// The hub's connection to the broker: hears all nodes, publishes for the hub.
//
// Spec: MQTT 3.1.1, a persistent session (CleanSession 0): what comes while the hub is away waits at
// the broker. A broker that is away is said once and tried again for ever.
// (M1) a message is acknowledged to the broker after the commit that holds it: what a broker believes
//      delivered outlasts a kill. Messages after it are taken meanwhile, so one commit holds many.
// (M2) at most PUBLISH_IN_FLIGHT_MAX publications are unacknowledged; all others wait in the hub.
// (M3) retained topics are published again on each connect: a broker may have lost them.

import { connect, type IPublishPacket, type MqttClient } from "mqtt";
import type { Hub } from "./hub.ts";
import {
  BROKER_CONNECT_TIMEOUT_MS,
  BROKER_RETRY_MS,
  BROKER_SAY_AGAIN_MS,
  COMMIT_MESSAGES_MAX,
  COMMIT_MS_MAX,
  COMMIT_QUIET_MS,
  PUBLISH_IN_FLIGHT_MAX,
} from "./limits.ts";
import { NODE_TOPICS } from "./topics.ts";
import type { Publication } from "./uns.ts";

/** Where talk goes; a pino logger fits. */
export interface Log {
  info(text: string): void;
  warn(text: string): void;
}

export interface BrokerOptions {
  url: string;
  clientId: string;
  password?: string; // with the client id as the user name
  hub: Hub;
  wallMs: () => number;
  log: Log;
}

export interface BrokerLink {
  /** Publishes what waits in the hub, as far as (M2) lets. */
  pump(): void;
  connected(): boolean;
  /** Commits and acknowledges what is held. */
  commit(): void;
  /** Resolves when the hub is subscribed, or when that did not work at once. */
  ready: Promise<void>;
  close(): Promise<void>;
}

/** Connects and stays connected; never throws for a broker that is away. */
export function connectBroker(options: BrokerOptions): BrokerLink {
  const { url, clientId, password, hub, wallMs, log } = options;
  const client = connect(url, {
    clientId,
    ...(password !== undefined && { username: clientId, password }),
    clean: false,
    resubscribe: false,
    queueQoSZero: false,
    reconnectPeriod: BROKER_RETRY_MS,
    connectTimeout: BROKER_CONNECT_TIMEOUT_MS,
  });
  const shown = withoutPassword(url);
  const link = { subscribed: false };
  const pump = createPump({ client, hub, wallMs }, link);
  const acknowledge = holdAcknowledgements(client, hub);
  const say = createAwayTalk(shown, wallMs, log);
  const ready = new Promise<void>((resolve) => {
    client.on("connect", () => {
      client.subscribe(NODE_TOPICS, { qos: 1 }, (error, granted) => {
        const refused = error !== null || (granted ?? []).some(({ qos }) => qos > 2);
        if (refused) log.warn(`broker ${shown} refuses the subscription to ${NODE_TOPICS}`);
        else {
          log.info(`broker ${shown} connected`);
          link.subscribed = true;
          hub.hearing(true, wallMs());
          hub.republish();
          pump();
        }
        resolve();
      });
    });
    client.on("error", (error) => say.reason(error));
    client.on("close", () => {
      link.subscribed = false;
      hub.hearing(false, wallMs());
      say.away();
      resolve();
    });
  });
  client.on("message", (topic, payload, { qos, retain }) => {
    hub.message({ topic, payload, qos, retain }, wallMs());
    pump();
  });
  return {
    pump,
    connected: () => client.connected && link.subscribed,
    commit: acknowledge,
    ready,
    close: async () => {
      say.silence();
      acknowledge();
      await endWithin(client, CLOSE_MS_MAX);
    },
  };
}

const CLOSE_MS_MAX = 1000; // time for the last acknowledgements

/**
 * Keeps the client from acknowledging a message by itself, and does so after the commit: as soon as it
 * is quiet, COMMIT_MESSAGES_MAX are held or COMMIT_MS_MAX are over. Returns what commits at once.
 */
function holdAcknowledgements(client: MqttClient, hub: Hub): () => void {
  let held: { messageId: number; stream: MqttClient["stream"] }[] = [];
  let taken = 0; // messages since the last commit, those at QoS 0 too
  let firstMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const commit = (): void => {
    clearTimeout(timer);
    timer = undefined;
    taken = 0;
    hub.commit();
    const now = held;
    held = [];
    for (const { messageId, stream } of now)
      // One of a connection that ended comes again from the broker and is known then.
      if (stream === client.stream && client.connected)
        stream.write(Uint8Array.of(PUBACK, 2, messageId >> 8, messageId & 255));
  };
  client.handleMessage = ({ qos, messageId }: IPublishPacket, done): void => {
    if (qos === 1 && messageId !== undefined) held.push({ messageId, stream: client.stream });
    const now = Date.now();
    if (taken++ === 0) firstMs = now;
    clearTimeout(timer);
    const leftMs = firstMs + COMMIT_MS_MAX - now;
    if (held.length >= COMMIT_MESSAGES_MAX || leftMs <= 0 || leftMs > COMMIT_MS_MAX) commit();
    else timer = setTimeout(commit, Math.min(COMMIT_QUIET_MS, leftMs));
    // With an error the client goes on to the next message and sends no acknowledgement.
    done(qos === 1 ? HELD : undefined);
  };
  return commit;
}

const PUBACK = 0x40; // MQTT 3.1.1 §3.4
const HELD = new Error("the acknowledgement waits for the commit");

/** Hands publications to the client while the broker keeps up. */
function createPump(
  { client, hub, wallMs }: { client: MqttClient; hub: Hub; wallMs: () => number },
  link: { subscribed: boolean },
): () => void {
  let waiting: Publication[] = [];
  let next = 0;
  let inFlight = 0;
  const done = (): void => {
    inFlight--;
    pump();
  };
  function pump(): void {
    while (client.connected && link.subscribed && inFlight < PUBLISH_IN_FLIGHT_MAX) {
      const publication = waiting[next];
      if (publication === undefined) {
        waiting = hub.takePublications();
        next = 0;
        if (waiting.length === 0) return;
        continue;
      }
      next++;
      const { topic, payload, retain, untilMs = Infinity } = publication;
      if (wallMs() > untilMs) continue;
      inFlight++;
      client.publish(topic, Buffer.from(payload), { qos: 1, retain }, done);
    }
  }
  return pump;
}

/** Says once why the broker is away, and again only after BROKER_SAY_AGAIN_MS. */
function createAwayTalk(
  shown: string,
  wallMs: () => number,
  log: Log,
): { reason(error: Error): void; away(): void; silence(): void } {
  let reason = "the connection ended";
  let saidMs = -Infinity;
  let silent = false;
  return {
    reason: (error) => {
      const code = (error as NodeJS.ErrnoException).code;
      reason = typeof code === "string" ? code : error.message;
    },
    away: () => {
      if (silent || wallMs() - saidMs < BROKER_SAY_AGAIN_MS) return;
      saidMs = wallMs();
      log.warn(
        `broker ${shown} is away (${reason}), tried again every ${BROKER_RETRY_MS / 1000} s`,
      );
    },
    silence: () => {
      silent = true;
    },
  };
}

async function endWithin(client: MqttClient, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), limitMs);
  });
  const ended = await Promise.race([client.endAsync(!client.connected), late]);
  clearTimeout(timer);
  if (ended === "late") await client.endAsync(true);
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
