// SPDX-License-Identifier: MIT
// The whole road in real time: broker, gateway, hub, page, then nodes.
//
// The page is up before the nodes are built. finish() stops sampling, waits until what was sampled has
// arrived (at most DRAIN_MS_MAX), and gives the totals from where each is counted. What cannot be done is
// refused before anything starts.

import { setTimeout as wait } from "node:timers/promises";
import type { NetworkFaults } from "../../host-sim/network/link.ts";
import { type Realtime, type RealtimeOptions, startRealtime } from "../../host-sim/realtime/run.ts";
import type { Verdict } from "../../host-sim/scenario.ts";
import { countWrites, type SimulationResult } from "../../host-sim/simulation.ts";
import { startHub } from "../../hub/server.ts";
import { toFaultPlan } from "../build/faults.ts";
import { hubConfig, type Plant } from "../build/plant.ts";
import { print, printJson, say } from "../cli/terminal.ts";
import { type Endpoint, showEndpoint } from "../cli/values.ts";
import type { BesideOptions } from "./beside.ts";
import { chooseBesides, describeDeaths, type BesideTotals, type BesideWish } from "./besides.ts";
import { type EmbeddedBroker, startBroker } from "./broker.ts";
import { checkScenario, conduct, type Conductor } from "./conduct.ts";
import { createTalk } from "./log.ts";
import { tellPolls } from "./polls.ts";
import { checkBroker, choosePage, type PagePlace } from "./ports.ts";
import { createBuilder } from "./reload.ts";
import { asFailure, choosePty, type PtyWish } from "./pty.ts";
import { hubStarted } from "./services.ts";
import { checkFaults, type SharedParts, startShared } from "./shared.ts";
import { readInput, type SimulateOptions } from "./simulate.ts";

const DRAIN_MS_MAX = 10_000; // several retries of MQTT-SN fit
const DRAIN_STEP_MS = 50;
const DRAIN_SILENT_MS = 1000; // what lasts longer says so

export interface RoadOptions extends BesideWish {
  page?: Endpoint;
  broker?: string; // in place of the built-in one
  seed: number;
  history?: string; // file that keeps the past
  pty?: PtyWish; // a tapped line for outside programs
  network?: NetworkFaults; // between nodes and gateway
  scenario?: NonNullable<SimulateOptions["scenario"]>; // in place of the plant and the seed
  watch?: boolean; // a saved node folder runs at once
  signal: AbortSignal; // ends a build
}

export interface RoadTotals extends BesideTotals {
  nodes: number;
  sent: number; // readings and events that nodes took into their outboxes
  acknowledged: number;
  ingested: number;
  dropped: number;
  lost: number; // with the RAM of a node that started anew, and not in the hub
}

/** The last line of a run, for people; what was lost is told where something was. */
export function describeTotals(totals: RoadTotals): string {
  const { nodes, sent, acknowledged, ingested, dropped, lost } = totals;
  const line =
    `${nodes} nodes, ${sent} readings sent, ${acknowledged} acknowledged, ` +
    `${ingested} ingested, ${dropped} dropped`;
  return `${line}${lost === 0 ? "" : `, ${lost} lost`}${describeDeaths(totals)}`;
}

export interface Road {
  page: string; // http://HOST:PORT
  broker: string; // mqtt://HOST:PORT
  token: string; // for who may write set-points on the page
  line: RealtimeOptions["pty"]; // the tapped line and its two links
  forMs: number | undefined; // how long the scenario lasts
  /** Builds the plant's modules and lets the nodes run. */
  startNodes(): Promise<void>;
  finish(): Promise<Finished>;
}

export interface Finished {
  totals: RoadTotals;
  /** The same run as a simulation tells it, its "virtual" time being the real one; undefined: no nodes ran. */
  result: SimulationResult | undefined;
  verdicts: Verdict[]; // of the scenario
}

/** Tells where page, broker and line are. */
export function printPlaces({ page, broker, token, line }: Road, json: boolean): void {
  if (json) return printJson({ page, broker, token, ...(line && { line }) });
  print(`page ${page}\nbroker ${broker}\ntoken ${token}`);
  if (line) print(`line ${line.node}/${line.tap} ${line.paths.join(" ")}`);
}

type Hub = Awaited<ReturnType<typeof startHub>>;

/** Starts all but the nodes; throws a Failure when plant, port or broker are not as needed. */
export async function startRoad(path: string, options: RoadOptions): Promise<Road> {
  const { plant, scenario } = readInput(path, options);
  const faults = [...plant.type.faults.map(toFaultPlan), ...checkScenario(scenario)];
  checkFaults(faults, options.broker !== undefined);
  const besides = chooseBesides(options, plant);
  const line = options.pty === undefined ? undefined : choosePty(plant, options.pty);
  if (options.broker !== undefined) await checkBroker(options.broker);
  const page = await choosePage(options.page);
  const embedded = options.broker === undefined ? await startBroker() : undefined;
  const brokerUrl = options.broker ?? embedded?.url ?? "";
  const shared = await startShared(brokerUrl, embedded);
  const hub = await openHub(plant, page, options, brokerUrl, embedded);
  const builder = createBuilder(plant, options.signal, options.watch === true);
  let nodes: Realtime | undefined;
  let conductor: Conductor | undefined;
  let startMs = 0;
  const seed = scenario?.seed ?? options.seed;
  return {
    line,
    forMs: scenario?.forMs,
    page: `http://${showEndpoint({ host: page.host, port: hub.pagePort })}`,
    broker: brokerUrl,
    token: hub.token,
    async startNodes() {
      const plan = await builder.first();
      tellPolls(plan);
      startMs = performance.now();
      const started = asFailure(() =>
        startRealtime({ ...plan, faults }, realtimeOptions(options, { line, shared, hub, seed })),
      );
      conductor = scenario && conduct(scenario, hub.hub);
      nodes = started;
      await besides.start(besideOptions(options, shared, seed));
      builder.follow(plan, (node) => started.program(node));
    },
    async finish() {
      const healMs = performance.now();
      await builder.close();
      conductor?.stopCommands();
      nodes?.stopSampling();
      await besides.stop();
      await drain(nodes, hub);
      const totals = { ...sumUp(plant, nodes, hub), ...besides.totals() };
      const drainMs = Math.round(performance.now() - healMs);
      const virtualMs = Math.round(performance.now() - startMs);
      const result = nodes && asResult(nodes, hub, { seed, drainMs, virtualMs });
      const verdicts = (result && conductor?.verdicts(result)) ?? [];
      await nodes?.close();
      await hub.close();
      await shared.close();
      await embedded?.close();
      return { totals, result, verdicts };
    },
  };
}

function openHub(
  plant: Plant,
  page: PagePlace,
  { history }: RoadOptions,
  brokerUrl: string,
  embedded: EmbeddedBroker | undefined,
): Promise<Hub> {
  const starting = startHub({
    config: hubConfig(plant),
    brokerUrl,
    pageHost: page.host,
    ...{ pagePort: page.port, pageSpare: page.spare },
    log: createTalk("hub"),
    ...embedded?.hub,
    ...(history !== undefined && { historyFile: history }),
  });
  return hubStarted(starting);
}

function besideOptions(
  { signal }: RoadOptions,
  { gatewayPort }: SharedParts,
  seed: number,
): BesideOptions {
  const log = (text: string): void => say(`node ${text}`);
  return { gateway: `127.0.0.1:${gatewayPort}`, seed, signal, log };
}

interface Parts {
  seed: number;
  line: RealtimeOptions["pty"];
  shared: SharedParts;
  hub: Hub;
}

function realtimeOptions(
  options: RoadOptions,
  { seed, line, shared, hub }: Parts,
): RealtimeOptions {
  const { network } = options;
  return {
    gateway: { host: "127.0.0.1", port: shared.gatewayPort },
    seed,
    log: (text) => say(`node ${text}`),
    has: hub.hub.has,
    shared: shared.faults,
    ...(line !== undefined && { pty: line }),
    ...(network !== undefined && { network }),
    // Another's broker and a history remember earlier runs: boot numbers must go on rising.
    ...((options.broker ?? options.history) !== undefined && {
      bootsBefore: Math.floor(Date.now() / 1000),
    }),
  };
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
  if (counted !== undefined && counted.unread > 0)
    say(`${counted.unread} octets were lost at an end of --pty that no program read`);
  return {
    nodes: plant.type.nodes.length,
    sent: counted?.queued ?? 0,
    acknowledged: counted?.acknowledged ?? 0,
    ingested: hub.hub.totals().ingested,
    dropped: counted?.dropped ?? 0,
    lost: counted?.lost ?? 0,
  };
}

type Times = Pick<SimulationResult, "seed" | "drainMs" | "virtualMs">;

function asResult(nodes: Realtime, hub: Hub, times: Times): SimulationResult {
  const counted = nodes.totals();
  const { ingested, duplicates } = hub.hub.totals();
  const { queued, acknowledged, dropped, lost, waiting, unconfirmed, network, perNode } = counted;
  return {
    ...times,
    nodes: counted.nodes,
    queued,
    sent: queued,
    acknowledged,
    ingested,
    duplicates,
    dropped,
    lost,
    waiting,
    finished: waiting === 0,
    unconfirmed,
    network,
    writes: countWrites(hub.hub),
    perNode,
  };
}
