// SPDX-License-Identifier: MIT
// Seeds of trouble catch what they are for: each planted bug is found.
//
// Goal: an acknowledgement sent too early, a duplicate not recognised, a clamp left out and a drop not counted are
// found within MUTANT_SEEDS_MAX. Method: the soak in a copy of the project with one place changed; the line it
// prints repeats the failure.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { type Change, makeTree, runInTree } from "../support/tree.ts";

const SEEDS = 30; // seeds.test.ts runs more of them in the project itself
const MUTANT_SEEDS_MAX = 300; // the first one that finds it ends the search

interface Mutant extends Change {
  name: string;
  from?: number; // the first seed; 1
  found: RegExp; // what is said of it
}

const MUTANTS: readonly Mutant[] = [
  {
    name: "the gateway acknowledges before the broker did",
    file: "gateway/uplink.ts",
    place: "  const packetId = takePacketId(session, packet.msgId);\n",
    becomes:
      "  const packetId = takePacketId(session, packet.msgId);\n" +
      "  acknowledge(core, session, packet, RETURN_ACCEPTED);\n",
    found: /(\d+) queued, but \d+ ingested/,
  },
  {
    name: "the hub takes a duplicate for new",
    file: "hub/sequence.ts",
    place: "if ((bits & bit) !== 0) return SEQUENCE_DUPLICATE;",
    becomes: "if ((bits & bit) !== 0) return SEQUENCE_NEW;",
    found: /(\d+) queued, but \d+ ingested/,
  },
  {
    name: "loop does not clamp a set-point",
    from: 140, // 147, 185, 228, 234 and 269 of 1 to 300 find it
    file: "firmware/loop/setpoint.ts",
    place: "held.value = min(max(held.requested, row.min), row.max);",
    becomes: "held.value = held.requested;",
    found: /oven-1 put \d+ values beyond the limits of node\.json/,
  },
  {
    name: "link does not count what it pushes out",
    file: "firmware/link/outbox.ts",
    place: "  count(list == LIST_EVENTS ? COUNTER_DROPPED_ALARM : COUNTER_DROPPED_TELEMETRY);\n",
    becomes: "",
    found: /(\d+) queued, but \d+ ingested/,
  },
];

function soak(tree: string, seeds: number, from = 1): ReturnType<typeof runInTree> {
  const range = ["--from", String(from), "--seeds", String(from + seeds - 1)];
  return runInTree(tree, "scripts/soak.ts", [...range, "--first", "--fresh"]);
}

function inTree(change: Change | undefined, look: (tree: string) => void): void {
  const tree = makeTree(change);
  try {
    look(tree);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

test(`without a bug ${SEEDS} seeds find nothing`, () => {
  inTree(undefined, (tree) => {
    const { code, out, err } = soak(tree, SEEDS);
    assert.equal(code, 0, out + err);
    assert.match(out, new RegExp(`^${SEEDS} of ${SEEDS} seeds, .* 0 seeds failed$`, "m"));
  });
});

for (const { name, from, found, ...change } of MUTANTS) {
  test(`${name}: the seeds find it, and the line they print finds it again`, () => {
    inTree(change, (tree) => {
      const { code, out, err } = soak(tree, MUTANT_SEEDS_MAX, from);
      assert.equal(code, 1, `not found in ${MUTANT_SEEDS_MAX} seeds: ${out}${err}`);
      const [line = ""] = out.split("\n");
      const [replay = "", problem = ""] = line.split("  # ");
      assert.match(problem, found);
      const [program, ferrule, ...args] = replay.split(" ");
      assert.deepEqual([program, ferrule], ["npx", "ferrule"], line);
      const again = runInTree(tree, "scripts/ferrule.js", args);
      assert.equal(again.code, 1, again.out + again.err);
      assert.ok(again.out.includes(problem), `${problem} is not in ${again.out}`);
    });
  });
}

test("a place that is not there, or twice, is no mutant", () => {
  const file = "hub/sequence.ts";
  const twice = { file, place: "return SEQUENCE_TOO_OLD;", becomes: "" };
  assert.throws(() => makeTree(twice), /has the place 2 times/);
  assert.throws(() => makeTree({ ...twice, place: "no such text" }), /has the place 0 times/);
});
