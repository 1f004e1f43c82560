// SPDX-License-Identifier: MIT
// Which side a monitor follows: the page of a hub, or a broker.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readNode } from "../build/node.ts";
import { EXIT_USAGE, Failure } from "../cli/failure.ts";
import { readBroker } from "../cli/values.ts";
import { followHub } from "./monitor.ts";
import { followBroker } from "./monitor-broker.ts";
import type { Said } from "./said.ts";

const HUB_DEFAULT = "http://127.0.0.1:8080";
const ROOT_DEFAULT = "umh/v1"; // as hubs have it

export interface Side {
  url: string;
  node: string | undefined; // undefined: all of them
  root: string;
}

/** The side that is meant by a node id, its folder, or an address; throws a Failure when none is. */
export function chooseSide(
  target = HUB_DEFAULT,
  { node, root }: { node?: string; root?: string },
): Side {
  const isUrl = target.includes("://");
  const broker = target.startsWith("mqtt:");
  if (isUrl && !/^(http|mqtt):\/\/[^/]/.test(target))
    throw new Failure(EXIT_USAGE, `${target} is no page and no broker`, "give http:// or mqtt://");
  if (root !== undefined && !broker)
    throw new Failure(EXIT_USAGE, "--root is for a broker", "give mqtt://, or leave --root away");
  return {
    url: broker ? brokerOf(target) : isUrl ? target.replace(/\/+$/, "") : HUB_DEFAULT,
    node: node ?? (isUrl ? undefined : idOf(target)),
    root: root ?? ROOT_DEFAULT,
  };
}

/** Follows it until the signal. */
export async function followSide(
  { url, node, root }: Side,
  signal: AbortSignal,
  heard: (said: Said) => void,
): Promise<void> {
  const mine = (said: Said): void => {
    if (node === undefined || said.node === node) heard(said);
  };
  if (url.startsWith("mqtt:")) await followBroker({ url, root }, mine, signal);
  else await followHub(url, mine, signal);
}

function brokerOf(target: string): string {
  try {
    return readBroker(target);
  } catch {
    throw new Failure(EXIT_USAGE, `${target} is no broker`, "give mqtt://HOST or mqtt://HOST:PORT");
  }
}

// A node folder that runs by itself has the name of its type for an id.
function idOf(target: string): string {
  return existsSync(join(target, "node.json")) ? readNode(target).type.type : target;
}
