// SPDX-License-Identifier: MIT
// `ferrule up --posix NODE`: one more node, as a process of this machine.
//
// Goal: what the simulated machine has at its pins arrives through the process, its outputs come back; its
// death ends nothing else. Method: the real gateway and hub, three processes at once; patience is the only
// clock.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Plant, readPlant } from "../../scripts/build/plant.ts";
import { choosePosix, type PosixNode, startPosix } from "../../scripts/run/posix.ts";
import { describeTotals } from "../../scripts/run/road.ts";
import { ferrule, PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { until } from "../support/until.ts";
import { startRoad } from "./road.ts";

const needsCompiler = program("cc");
const folder = mkdtempSync(join(tmpdir(), "ferrule up posix "));
let road: Awaited<ReturnType<typeof startSite>> | undefined;

before(async () => {
  road = await startSite();
});
after(async () => {
  await road?.close();
  rmSync(folder, { recursive: true, force: true });
});

const nodeFolder = (name: string): string => join(PROJECT, "firmware/nodes", name);

async function startSite() {
  const road = await startRoad();
  const started: PosixNode[] = [];
  const said: string[] = [];
  return {
    said,
    async start(path: string): Promise<PosixNode> {
      const options = { gateway: road.gateway, seed: 1 };
      const { signal } = new AbortController();
      const chosen = choosePosix(path, EMPTY);
      const log = (text: string): void => void said.push(text);
      const node = await startPosix(chosen, { ...options, signal, log });
      started.push(node);
      return node;
    },
    /** Values of a node by channel, as the page has them. */
    async values(id: string): Promise<Record<string, number | null>> {
      const channels = (await road.node(id))?.channels ?? [];
      return Object.fromEntries(channels.map(({ name, value }) => [name, value]));
    },
    async write(node: string, name: string, value: number): Promise<number> {
      const answer = await fetch(`${road.page}/api/setpoint`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-ferrule-token": road.token },
        body: JSON.stringify({ node, name, value, by: "Ann" }),
      });
      return answer.status;
    },
    async close() {
      await Promise.all(started.map((node) => node.stop()));
      await road.close();
    },
  };
}

const EMPTY: Plant = { ...readPlant(nodeFolder("oven")) };

function path(node: PosixNode, option: string): string {
  return node.args[node.args.indexOf(option) + 1]!.replace(/^\d+=/, "");
}

// The set-point is the duty, in 1/10,000 of it and without a controller.
function directOven(): string {
  const target = join(folder, "oven");
  cpSync(nodeFolder("oven"), target, { recursive: true });
  writeFileSync(
    join(target, "loop.ts"),
    `import { drive, setpoint } from "ferrule/loop";
import { HEATER_OUTPUT, TARGET_SETPOINT } from "ferrule/node";
export function decide(): void {
  drive(HEATER_OUTPUT, setpoint(TARGET_SETPOINT));
}
`,
  );
  return target;
}

test(
  "ADC, outputs, taps and accelerometer of processes are their machines'",
  needsCompiler,
  async () => {
    const [oven, meter, press, scale] = [
      await road!.start(directOven()),
      await road!.start(nodeFolder("meter")),
      await road!.start(nodeFolder("press")),
      await road!.start(nodeFolder("scale")),
    ];
    const numbers = async (node: PosixNode, ...names: string[]): Promise<boolean> => {
      const values = await road!.values(node.id);
      return names.every((name) => typeof values[name] === "number");
    };
    await until("the oven's temperature", () => numbers(oven, "temperature"));
    await until("the meter's registers", async () =>
      Object.values(await road!.values(meter.id)).some((value) => typeof value === "number"),
    );
    await until("the scale's weight", async () =>
      Object.values(await road!.values(scale.id)).some((value) => typeof value === "number"),
    );
    await until("the press's vibration", async () => {
      const values = await road!.values(press.id);
      return Number(values["bearing-velocity"]) > 0 && Number(values["motor-current"]) > 5;
    });
    // Refused while the hub takes the oven for lost, as on a machine that starves its process.
    await until("a write", async () => (await road!.write(oven.id, "target", 200)) === 200);
    const duty = (): number => Number(readFileSync(path(oven, "--pwm"), "latin1"));
    await until("the set-point at the output", () => duty() === Math.round(0.2 * 65_535));
    process.kill(press.pid!, "SIGKILL");
    await until("the death is told", () => press.died() === 1);
    assert.match(
      road!.said.join("\n"),
      /press-posix: its process ended \(SIGKILL\); the others go on/,
    );
    assert.deepEqual([oven.died(), meter.died(), scale.died()], [0, 0, 0]);
  },
);

test("without a compiler it says what to install; a plant is no node", async () => {
  const before = process.env["CC"];
  process.env["CC"] = "no-such-compiler";
  const args = ["up", nodeFolder("oven"), "--for", "1", "--page", "0", "--posix"];
  const none = await ferrule([...args, nodeFolder("oven")]);
  const plant = await ferrule([...args, join(PROJECT, "plants/example")]);
  if (before === undefined) delete process.env["CC"];
  else process.env["CC"] = before;
  assert.equal(none.code, 3);
  assert.match(
    none.stderr,
    /no C compiler \(no-such-compiler\)[^]*apt-get install .* gcc libc6-dev/,
  );
  assert.deepEqual([plant.code, /--posix takes one node/.test(plant.stderr)], [2, true]);
});

test("the last line tells a process that ended by itself", () => {
  const counted = { nodes: 1, sent: 0, acknowledged: 0, ingested: 0, dropped: 0, lost: 0 };
  const line = describeTotals({ ...counted, process: { id: "oven-posix", died: 1 } });
  assert.match(line, /, 0 dropped, oven-posix ended by itself$/);
});

test("a process polls the units of its machine", needsCompiler, async () => {
  const node = await road!.start(join(PROJECT, "templates/modbus-poll"));
  const values = (): Promise<Record<string, number | null>> => road!.values(node.id);
  await until(
    () => road!.said.join("\n"),
    async () => Object.values(await values()).filter((value) => value !== null).length === 5,
  );
  // 100 to 900 steps: what the simulator's units hold.
  const { voltage, speed } = await values();
  assert.ok(voltage! >= 100 && voltage! <= 900 && speed! >= 10 && speed! <= 90);
  assert.ok(road!.said.some((line) => line.includes("tap 0 polls: it sends on ")));
});
