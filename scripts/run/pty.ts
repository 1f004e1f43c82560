// SPDX-License-Identifier: MIT
// `--pty [NODE[/TAP]:]A,B`: which line of a plant becomes two ptys, and where.
//
// A plant with one tap needs no name. All that can be wrong is found before anything starts.

import { resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { checkPtyPaths, PtyError } from "../../host-sim/realtime/pty.ts";
import type { RealtimeOptions } from "../../host-sim/realtime/run.ts";
import { readNode } from "../build/node.ts";
import type { Plant } from "../build/plant.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";

export interface PtyWish {
  node?: string;
  tap?: string;
  paths: readonly [string, string];
}

type PtyLine = NonNullable<RealtimeOptions["pty"]>;

const WISH = /^(?:([A-Za-z0-9_-]+)(?:\/([^:,/]+))?:)?([^,]+),([^,]+)$/;

/** Reads the option's value. */
export function readPty(text: string): PtyWish {
  const [, node, tap, a, b] = WISH.exec(text) ?? [];
  if (a === undefined || b === undefined)
    throw new InvalidArgumentError(
      "two links to make are A,B or NODE:A,B or NODE/TAP:A,B, as meter-1:master,slave.",
    );
  return {
    ...(node !== undefined && { node }),
    ...(tap !== undefined && { tap }),
    paths: [a, b],
  };
}

/** The one tap of the plant that is meant; throws a Failure that names the choices. */
export function choosePty(plant: Plant, wish: PtyWish): PtyLine {
  const all = plant.type.nodes.flatMap(({ id, node }) =>
    Object.keys(readNode(resolve(plant.folder, node)).type.taps).map((tap) => ({ node: id, tap })),
  );
  const meant = all.filter(
    ({ node, tap }) => (wish.node ?? node) === node && (wish.tap ?? tap) === tap,
  );
  const [chosen] = meant;
  if (chosen === undefined || meant.length > 1) throw notOne(wish, all, meant.length);
  asFailure(() => checkPtyPaths(wish.paths));
  return { ...chosen, paths: wish.paths };
}

/** Does what may throw a PtyError, which becomes a Failure. */
export function asFailure<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof PtyError)) throw error;
    throw new Failure(EXIT_FAILED, error.message, error.next, error);
  }
}

const CHOICES_MAX = 10;

function notOne(
  { node, tap, paths }: PtyWish,
  all: readonly { node: string; tap: string }[],
  count: number,
): Failure {
  if (all.length === 0)
    return new Failure(
      EXIT_NOT_FOUND,
      "no node of this plant has a tap, so there is no line for --pty",
      "leave --pty away, or give a node a tap in its node.json",
    );
  const names = all.slice(0, CHOICES_MAX).map((each) => `${each.node}/${each.tap}`);
  const more = all.length > CHOICES_MAX ? ` and ${all.length - CHOICES_MAX} more` : "";
  const wanted = [node, tap].filter((part) => part !== undefined).join("/");
  return new Failure(
    EXIT_NOT_FOUND,
    count === 0 ? `there is no tap ${wanted}` : `${count} taps could be meant by --pty`,
    `choose one of ${names.join(", ")}${more}, as --pty ${names[0]}:${paths.join(",")}`,
  );
}
