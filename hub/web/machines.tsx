// SPDX-License-Identifier: MIT
// All machines as a list: state, values, when last heard.
//
// Filtered by `/`, opened by one tap.

import type { JSX } from "preact";
import type { NodeView } from "../api.ts";
import { isBad, keyChannels, machineState, worstCondition } from "./condition.ts";
import { formatPeriod, NO_VALUE } from "./format.ts";
import { Empty, For, Mark, When } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { NoMachines } from "./plant.tsx";
import { routeHref } from "./route.ts";
import { Search, useQuery } from "./search.tsx";
import { ValueNotes, ValueNumber } from "./value.tsx";

/** Values in a row of the list. */
const ROW_VALUES = 3;

export function MachinesView(): JSX.Element {
  const { store } = usePage();
  const { text = "" } = useQuery();
  const nodes = readNodes(store);
  if (nodes.length === 0) return <NoMachines />;
  const shown = nodes.filter((node) => matches(node, text));
  return (
    <>
      <header class="head">
        <h1 tabIndex={-1}>Machines</h1>
        <p class="sub">{summary(nodes)}</p>
        <a href={routeHref("machines", [], { show: "values" })}>All values</a>
        <Search label="Filter machines" name="text" />
      </header>
      {shown.length === 0 ? (
        <Empty title="No machine matches" why={`Nothing has \u201c${text}\u201d in it.`}>
          <p>
            <a href={routeHref("machines")}>Show all machines</a>
          </p>
        </Empty>
      ) : (
        <section class="panel flush">
          <table class="table stack">
            <thead>
              <tr>
                <th scope="col">Machine</th>
                <th scope="col">State</th>
                <th scope="col">Values</th>
                <th scope="col">Place</th>
                <th scope="col" class="right">
                  Loop
                </th>
                <th scope="col" class="right">
                  Boot
                </th>
                <th scope="col" class="right">
                  Last heard
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((node) => (
                <Row key={node.id} node={node} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

function Row({ node }: { node: NodeView }): JSX.Element {
  const worst = worstCondition(node);
  const { condition: state, sinceMs } = machineState(node);
  return (
    <tr>
      <th scope="row">
        <a href={routeHref("machines", [node.id])}>{node.id}</a>
        <span class="under muted">{node.type ?? "type not known yet"}</span>
      </th>
      <td class="lead">
        <span class="states">
          <Mark condition={state}>
            <span class="muted">
              <For sinceMs={sinceMs} />
            </span>
          </Mark>
          {worst.word !== state.word && <Mark condition={worst} />}
        </span>
      </td>
      <td class="wide">
        <div class="inline-values">
          {keyChannels(node, ROW_VALUES).map((channel) => (
            <span key={channel.name} class="inline-value">
              <span class="muted">{channel.name}</span>
              <ValueNumber node={node} channel={channel} />
              {isBad(channel) && <ValueNotes node={node} channel={channel} />}
            </span>
          ))}
        </div>
      </td>
      <td data-label="place">
        {node.line} / {node.cell}
      </td>
      <td class="right" data-label="loop">
        {node.periodUs === null ? NO_VALUE : formatPeriod(node.periodUs / 1000)}
      </td>
      <td class="right" data-label="boot">
        {node.boot ?? NO_VALUE}
      </td>
      <td class="right" data-label="heard">
        {node.lastSeenMs === null ? "never" : <When wallMs={node.lastSeenMs} />}
      </td>
    </tr>
  );
}

function matches(node: NodeView, text: string): boolean {
  const words = [node.id, node.type ?? "", node.line, node.cell, node.state];
  const names = node.channels.map((channel) => channel.name);
  return [...words, ...names].join(" ").toLowerCase().includes(text.toLowerCase());
}

function summary(nodes: readonly NodeView[]): string {
  const online = nodes.filter((node) => node.state === "online").length;
  return `${online} of ${nodes.length} connected`;
}
