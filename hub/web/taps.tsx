// SPDX-License-Identifier: MIT
// Taps: does the tap hear the line, and which register or field is what.
//
// A tap only listens. Its confidence is the share of requests whose answer it heard and understood; on a line of
// text the share of lines that fit a pattern.

import type { JSX } from "preact";
import type { NodeView, TapView } from "../api.ts";
import { stateCondition, type Condition } from "./condition.ts";
import { formatCount, formatShare, NO_VALUE } from "./format.ts";
import { Fact } from "./machine-tables.tsx";
import { Empty, Mark } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { NoMachines } from "./plant.tsx";
import { routeHref } from "./route.ts";
import { Learned, LineFacts } from "./taps-learned.tsx";
import { FieldTable, ObjectTable, RegisterTable } from "./taps-tables.tsx";

/** Shares of understood answers and of noise at which a line is called heard. */
const PAIRED_GOOD = 0.9;
const JUNK_GOOD = 0.05;

const HEARS: Condition = { word: "hears the line", shape: "dot", tone: "normal", rank: 0 };
const WAITS: Condition = { word: "no status yet", shape: "ring", tone: "off", rank: 1 };
const SILENT: Condition = { word: "silent line", shape: "ring", tone: "warning", rank: 2 };
const PARTLY: Condition = { word: "hears it partly", shape: "diamond", tone: "warning", rank: 2 };

export function TapsView({ path }: { path: readonly string[] }): JSX.Element {
  const { store } = usePage();
  const nodes = readNodes(store);
  if (nodes.length === 0) return <NoMachines />;
  const [nodeId, tapName] = path;
  const taps = nodes
    .flatMap((node) => node.taps.map((tap) => ({ node, tap })))
    .filter(
      ({ node, tap }) => nodeId === undefined || (node.id === nodeId && isNamed(tap, tapName)),
    );
  return (
    <>
      <header class="head">
        {nodeId !== undefined && (
          <p class="crumb">
            <a href={routeHref("taps")}>Taps</a>
          </p>
        )}
        <h1 tabIndex={-1}>{nodeId === undefined ? "Taps" : (tapName ?? nodeId)}</h1>
        <p class="sub">Lines that nodes listen to</p>
      </header>
      {taps.map(({ node, tap }) => (
        <TapPanel key={`${node.id}/${tap.name}`} node={node} tap={tap} />
      ))}
      {taps.length === 0 && <NoTaps nodeId={nodeId} />}
    </>
  );
}

function isNamed(tap: TapView, name: string | undefined): boolean {
  return name === undefined || tap.name === name;
}

function NoTaps({ nodeId }: { nodeId: string | undefined }): JSX.Element {
  if (nodeId !== undefined) {
    return (
      <Empty title="No such tap" why="No machine of that name has announced a tap of that name.">
        <p>
          <a href={routeHref("taps")}>Show all taps</a>
        </p>
      </Empty>
    );
  }
  return (
    <Empty
      title="No tap in this plant"
      why="A tap listens to a line between machines; a node.json lists them under taps."
      command="npx ferrule up plants/example"
    />
  );
}

function TapPanel({ node, tap }: { node: NodeView; tap: TapView }): JSX.Element {
  const registers = node.channels.filter((channel) => channel.register?.tap === tap.name);
  const fields = node.channels.filter((channel) => channel.field?.tap === tap.name);
  const objects = node.channels.filter((channel) => channel.object?.tap === tap.name);
  const read = registers.length + fields.length + objects.length;
  return (
    <section class="panel flush">
      <div class="tap-head">
        <h2>
          <a href={routeHref("taps", [node.id, tap.name])}>{tap.name}</a>
        </h2>
        <Mark condition={tapCondition(node, tap)} />
        <span class="muted">
          <a href={routeHref("machines", [node.id])}>{node.id}</a>
          {tap.protocol === "auto"
            ? " · finds its line by itself"
            : ` · ${tap.protocol} · ${tap.baud} baud · ${tap.format} · ${wayOf(tap)}`}
        </span>
      </div>
      {tap.line !== null && <LineFacts line={tap.line} />}
      <Counters tap={tap} />
      {registers.length > 0 && <RegisterTable node={node} channels={registers} />}
      {fields.length > 0 && <FieldTable node={node} channels={fields} />}
      {objects.length > 0 && <ObjectTable node={node} channels={objects} />}
      {read === 0 && tap.learned === 0 && <p class="muted pad">{nothingRead(node, tap)}</p>}
      <Learned node={node.id} tap={tap} />
    </section>
  );
}

// Whether the node sends on the line.
function wayOf({ pollsMs }: TapView): string {
  return pollsMs === undefined ? "listens" : `polls every ${formatCount(pollsMs)} ms`;
}

function Counters({ tap }: { tap: TapView }): JSX.Element {
  if (isText(tap)) return <LineCounters tap={tap} />;
  return isPushed(tap) ? <TelegramCounters tap={tap} /> : <BusCounters tap={tap} />;
}

/** What is spoken on its line; a tap that finds its line may not know it yet. */
function spokenOn({ protocol, line }: TapView): string {
  return protocol === "auto" ? (line?.protocol ?? protocol) : protocol;
}

/** Meters that say all of themselves: nobody asks, or the whole talk is one telegram. */
function isPushed(tap: TapView): boolean {
  return ["dsmr-p1", "iec62056-21", "sml"].includes(spokenOn(tap));
}

function isText(tap: TapView): boolean {
  return ["ascii-line", "nmea"].includes(spokenOn(tap));
}

function nothingRead({ channels }: NodeView, tap: TapView): string {
  if (tap.protocol === "auto")
    return spokenOn(tap) === "auto"
      ? "What this line speaks is not known yet."
      : "It is heard and counted. ferrule tap init writes a node.json of what it says.";
  if (isPushed(tap) || tap.protocol === "m-bus")
    return "No object of this meter is mapped to a channel.";
  if (!isText(tap)) return "No register of this line is mapped to a channel.";
  return channels.some(({ kind }) => kind === "field")
    ? "The node does not tell which of its channels are fields of this line: its firmware is older."
    : "No field of this line is mapped to a channel.";
}

/** Lines by what became of them (SPEC.md §6), without the open one. */
function linesOf({ counters }: TapView): { matched: number; unmatched: number; damaged: number } {
  const { frames = 0, orphans = 0, exceptions = 0 } = counters;
  return { matched: frames, unmatched: orphans, damaged: exceptions };
}

function tapCondition(node: NodeView, tap: TapView): Condition {
  if (node.state !== "online") return stateCondition(node);
  const count = (name: string): number => tap.counters[name] ?? 0;
  if (tap.counters["bytes"] === undefined) return WAITS;
  if (count("bytes") === 0) return SILENT;
  if (isText(tap)) {
    const { matched, unmatched, damaged } = linesOf(tap);
    const fits = matched >= PAIRED_GOOD * (matched + unmatched + damaged);
    return fits && matched > 0 ? HEARS : PARTLY;
  }
  if (isPushed(tap)) {
    const right = count("frames");
    const fits = right >= PAIRED_GOOD * (right + count("exceptions") + count("orphans"));
    return fits && right > 0 ? HEARS : PARTLY;
  }
  const paired = count("pairs") >= PAIRED_GOOD * (count("pairs") + count("unanswered"));
  return paired && count("junkBytes") <= JUNK_GOOD * count("bytes") ? HEARS : PARTLY;
}

function LineCounters({ tap }: { tap: TapView }): JSX.Element {
  const { matched, unmatched, damaged } = linesOf(tap);
  const known = tap.counters["bytes"] !== undefined;
  const shown = (count: number): string => (known ? formatCount(count) : NO_VALUE);
  const all = matched + unmatched + damaged;
  return (
    <dl class="figures">
      <Fact name="understood">{formatShare(matched, all)}</Fact>
      <Fact name="lines heard">{shown(all)}</Fact>
      <Fact name="matched">{shown(matched)}</Fact>
      <Fact name="not matched">{shown(unmatched)}</Fact>
      <Fact name="damaged">{shown(damaged)}</Fact>
      <Fact name="octets">{shown(tap.counters["bytes"] ?? 0)}</Fact>
    </dl>
  );
}

function TelegramCounters({ tap }: { tap: TapView }): JSX.Element {
  const count = (name: string): number => tap.counters[name] ?? 0;
  const known = tap.counters["bytes"] !== undefined;
  const shown = (name: string): string => (known ? formatCount(count(name)) : NO_VALUE);
  const all = count("frames") + count("exceptions") + count("orphans");
  return (
    <dl class="figures">
      <Fact name="understood">{formatShare(count("frames"), all)}</Fact>
      <Fact name="telegrams">{shown("frames")}</Fact>
      <Fact name="wrong check">{shown("exceptions")}</Fact>
      <Fact name="cut off">{shown("orphans")}</Fact>
      <Fact name="octets">{shown("bytes")}</Fact>
      <Fact name="noise">{formatShare(count("junkBytes"), count("bytes"))}</Fact>
    </dl>
  );
}

function BusCounters({ tap }: { tap: TapView }): JSX.Element {
  const count = (name: string): number => tap.counters[name] ?? 0;
  const shown = (name: string): string =>
    tap.counters[name] === undefined ? NO_VALUE : formatCount(count(name));
  return (
    <dl class="figures">
      <Fact name="understood">
        {formatShare(count("pairs"), count("pairs") + count("unanswered"))}
      </Fact>
      <Fact name="requests">{shown("requests")}</Fact>
      <Fact name="answers">{shown("responses")}</Fact>
      <Fact name="exceptions">{shown("exceptions")}</Fact>
      <Fact name="unanswered">{shown("unanswered")}</Fact>
      <Fact name="broadcasts">{shown("broadcasts")}</Fact>
      <Fact name="octets">{shown("bytes")}</Fact>
      <Fact name="noise">{formatShare(count("junkBytes"), count("bytes"))}</Fact>
    </dl>
  );
}
