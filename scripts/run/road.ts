// SPDX-License-Identifier: MIT
// The whole road in real time: broker, gateway, hub, page, then nodes.
//
// The page is up before the nodes are built. finish() stops sampling, waits until what was sampled has
// arrived (at most DRAIN_MS_MAX), and gives the totals from where each is counted.

import { setTimeout as wait } from "node:timers/promises";
import { startGateway } from "../../gateway/index.ts";
import { type Realtime, startRealtime } from "../../host-sim/realtime/run.ts";
import { startHub } from "../../hub/server.ts";
import { hubConfig, type Plant, readPlant, toPlantPlan } from "../build/plant.ts";
import { started } from "../cli/failure.ts";
import { say } from "../cli/terminal.ts";
import { type Endpoint, showEndpoint } from "../cli/values.ts";
import { startBroker } from "./broker.ts";
import { createTalk } from "./log.ts";
import { checkBroker, choosePage } from "./ports.ts";

const DRAIN_MS_MAX = 10_000; // several retries of MQTT-SN fit
const DRAIN_STEP_MS = 50;
const DRAIN_SILENT_MS = 1000; // what lasts longer says so

export interface RoadOptions {
  page?: Endpoint;
  broker?: string; // in place of the built-in one
  seed: number;
  history?: string; // file that keeps the past
  signal: AbortSignal; // ends a build
}

export interface RoadTotals {
  nodes: number;
  sent: number; // readings and events that nodes took into their outboxes
  acknowledged: number;
  ingested: number;
  dropped: number;
}

export interface Road {
  page: string; // http://HOST:PORT
  broker: string; // mqtt://HOST:PORT
  token: string; // for who may write set-points on the page
  /** Builds the plant's modules and lets the nodes run. */
  startNodes(): Promise<void>;
  finish(): Promise<RoadTotals>;
}

type Hub = Awaited<ReturnType<typeof startHub>>;

/** Starts all but the nodes; throws a Failure when plant, port or broker are not as needed. */
export async function startRoad(path: string, options: RoadOptions): Promise<Road> {
  const plant = readPlant(path);
  if (options.broker !== undefined) await checkBroker(options.broker);
  const page = await choosePage(options.page);
  const embedded = options.broker === undefined ? await startBroker() : undefined;
  const brokerUrl = options.broker ?? embedded?.url ?? "";
  const log = createTalk("gateway");
  const gateway = await started(
    startGateway({ udpHost: "127.0.0.1", udpPort: 0, brokerUrl, log }),
    "run ferrule doctor",
  );
  const starting = startHub({
    config: hubConfig(plant),
    brokerUrl,
    pageHost: page.host,
    pagePort: page.port,
    log: createTalk("hub"),
    ...embedded?.hub,
    ...(options.history !== undefined && { historyFile: options.history }),
  });
  const hub = await started(starting, "mend the plant, or choose another --page");
  let nodes: Realtime | undefined;
  return {
    page: `http://${showEndpoint({ host: page.host, port: hub.pagePort })}`,
    broker: brokerUrl,
    token: hub.token,
    async startNodes() {
      nodes = await startPlant(plant, options, gateway.udpPort, hub);
    },
    async finish() {
      nodes?.stopSampling();
      await drain(nodes, hub);
      const totals = sumUp(plant, nodes, hub);
      await nodes?.close();
      await hub.close();
      await gateway.close();
      await embedded?.close();
      return totals;
    },
  };
}

async function startPlant(
  plant: Plant,
  options: RoadOptions,
  port: number,
  hub: Hub,
): Promise<Realtime> {
  const compiling = (what: string): void => say(`compiling ${what}`);
  const plan = await toPlantPlan(plant, { signal: options.signal, compiling });
  return startRealtime(plan, {
    gateway: { host: "127.0.0.1", port },
    seed: options.seed,
    log: (text) => say(`node ${text}`),
    has: hub.hub.has,
    // Another's broker and a history remember earlier runs: boot numbers must go on rising.
    ...((options.broker ?? options.history) !== undefined && {
      bootsBefore: Math.floor(Date.now() / 1000),
    }),
  });
}

async function drain(nodes: Realtime | undefined, hub: Hub): Promise<void> {
  for (let passedMs = 0; passedMs < DRAIN_MS_MAX; passedMs += DRAIN_STEP_MS) {
    const arrived = hub.hub.totals().ingested >= (nodes?.totals().acknowledged ?? 0);
    if ((nodes?.waiting() ?? 0) === 0 && arrived) return;
    if (passedMs === DRAIN_SILENT_MS) say("waiting for what is still under way");
    await wait(DRAIN_STEP_MS);
  }
  const { ingested } = hub.hub.totals();
  say(`after ${DRAIN_MS_MAX / 1000} s ${nodes?.waiting() ?? 0} readings wait, ${ingested} arrived`);
}

function sumUp(plant: Plant, nodes: Realtime | undefined, hub: Hub): RoadTotals {
  const counted = nodes?.totals();
  if (counted !== undefined && counted.ticksSkipped > 0)
    say(`${counted.ticksSkipped} ticks were given up: this machine was too busy or asleep`);
  return {
    nodes: plant.type.nodes.length,
    sent: counted?.queued ?? 0,
    acknowledged: counted?.acknowledged ?? 0,
    ingested: hub.hub.totals().ingested,
    dropped: counted?.dropped ?? 0,
  };
}
