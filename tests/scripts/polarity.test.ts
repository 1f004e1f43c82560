// SPDX-License-Identifier: MIT
// Lines that rest low are refused where nothing can turn them.
//
// Goal: a Linux process and JavaScript boards name the tap, and a tap that polls cannot be one. Method: the meter.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readJsBoard } from "../../scripts/build/js-board.ts";
import { shimPlan } from "../../scripts/build/js-plan.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { requireUpright } from "../../scripts/build/polarity.ts";
import { nodeSchema } from "../../scripts/build/schema.ts";
import { PROJECT } from "../support/ferrule.ts";

const METER = join(PROJECT, "firmware/nodes/meter");
const NEXT = /take a receiver that turns the line, and leave "inverted" out/;
const WHAT = /^ {2}tap bus is inverted: this board cannot turn a line$/m;

async function turned(board?: string): Promise<BuiltNode> {
  const built = await buildNode(METER, { ...(board !== undefined && { board }) });
  const taps = { bus: { ...built.type.taps["bus"]!, inverted: true } };
  return { ...built, type: { ...built.type, taps } as BuiltNode["type"] };
}

test("a Linux process and a JavaScript board refuse a line that rests low", async () => {
  const { type } = await turned();
  assert.throws(() => requireUpright(type, "posix"), { message: WHAT, next: NEXT });
  const built = await turned("kaluma-pico");
  const plan = (): unknown => shimPlan(readJsBoard("kaluma-pico"), built);
  assert.throws(plan, { message: WHAT, next: NEXT });
});

test("a tap that polls cannot be inverted, one that finds its line has no such field", () => {
  const node = JSON.parse(readFileSync(join(METER, "node.json"), "utf8")) as {
    taps: Record<string, object>;
  };
  const problems = (tap: object): string => {
    const parsed = nodeSchema.safeParse({ ...node, taps: { bus: tap } });
    return parsed.success ? "" : JSON.stringify(parsed.error.issues);
  };
  const tap = { uart: 0, protocol: "modbus-rtu", inverted: true };
  assert.equal(problems(tap), "");
  assert.match(problems({ ...tap, mode: "poll" }), /what a tap that polls sends is not turned/);
  assert.match(problems({ ...tap, protocol: "auto" }), /inverted/);
});
