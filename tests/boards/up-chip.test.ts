// SPDX-License-Identifier: MIT
// `ferrule up --chip NODE`: one more node, as its flash image in real time.
//
// Goal: the image speaks to the real gateway, its end ends nothing else, and a machine that is too slow says so.
// Method: the real gateway and hub; patience is the only clock. Time that is given up is tested in virtual time.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { createChipNode } from "../../host-sim/chips/board.ts";
import { createNothing } from "../../host-sim/devices/device.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { createTrace } from "../../host-sim/trace.ts";
import { readPlant } from "../../scripts/build/plant.ts";
import { chooseChip, type ChipNode, startChip, startThread } from "../../scripts/run/chip-node.ts";
import { describeLag } from "../../scripts/run/chip-thread.ts";
import { describeTotals } from "../../scripts/run/road.ts";
import { ferrule, PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { PATIENCE_MS, until } from "../support/until.ts";
import { readPair } from "./chip-pair.ts";
import { startRoad } from "./road.ts";

const COMPILER = program("arm-none-eabi-gcc");
const CHIP_PATIENCE_MS = 5 * PATIENCE_MS; // a busy machine runs the chip slower than time
const PRESS = join(PROJECT, "firmware/nodes/press");
const said: string[] = [];
const log = (text: string): void => void said.push(text);
let road: Awaited<ReturnType<typeof startRoad>>;

before(async () => {
  road = await startRoad();
});
after(() => road.close());

// A Pico speaks frames on a line, the other board UDP after DHCP and a search of the gateway.
for (const board of ["pico", "w5500-evb-pico"])
  test(
    `the press on a ${board} tells its machine's values to a real gateway`,
    COMPILER,
    async () => {
      const plant = readPlant(PRESS);
      const [node] = plant.type.nodes;
      const own = {
        ...plant,
        type: { ...plant.type, nodes: [{ ...node!, id: `press-${board}` }] },
      };
      const { signal } = new AbortController();
      const { gateway } = road;
      const chip: ChipNode = await startChip(own, { gateway, seed: 1, signal, log, board });
      try {
        assert.equal(chip.id, `press-${board}`);
        await until(
          "values of the press",
          async () => {
            const channels = (await road.node(chip.id))?.channels ?? [];
            const values = new Map(channels.map(({ name, value }) => [name, value]));
            return Number(values.get("motor-current")) > 5 && values.get("guard") === 1;
          },
          CHIP_PATIENCE_MS,
        );
        assert.equal((await road.node(chip.id))!.host, board);
      } finally {
        await chip.stop(CHIP_PATIENCE_MS);
      }
      assert.equal(chip.died(), 0);
      assert.ok(chip.end()!.sent > 5 && chip.end()!.acknowledged > 0, JSON.stringify(chip.end()));
    },
  );

test("the id of an image is like none of the plant", COMPILER, () => {
  const [node] = chooseChip(PRESS, readPlant(PRESS)).type.nodes;
  assert.equal(node!.id, "press-chip");
});

test("a chip that ends by itself is told and counted", COMPILER, async () => {
  const { chip } = await readPair("scale");
  const [scale] = chip.nodes;
  const damaged = { ...scale!.chip!, uf2: scale!.chip!.uf2.subarray(0, 700) };
  const plan = { ...chip, nodes: [{ ...scale!, chip: damaged }] };
  const node = startThread(
    { plan, gateway: { host: "127.0.0.1", port: 9 }, seed: 1, bootsBefore: 1 },
    log,
  );
  await until("its end", () => node.died() === 1);
  await node.stop();
  assert.match(said.at(-1)!, /^scale: its chip ended \(.*not whole blocks.*\); the others go on$/);
  const counted = { nodes: 1, sent: 0, acknowledged: 0, ingested: 0, dropped: 0, lost: 0 };
  const line = describeTotals({ ...counted, chip: { id: "scale-chip", died: 1 } });
  assert.match(line, /, 0 dropped, scale-chip ended by itself$/);
});

test(
  "in time that is given up the chip stands still and its machine goes on",
  COMPILER,
  async () => {
    const { chip } = await readPair("oven");
    const ticks: number[] = [];
    let machineUs = 0;
    const trace = createTrace((line) => {
      const { e, us } = JSON.parse(line) as { e: string; us: number };
      if (e === "tick") ticks.push(us);
    });
    const device = {
      ...createNothing(),
      advance: (us: number) => void (machineUs = us),
      adc: () => 9,
    };
    const setup = { device, plan: chip.nodes[0]!, gateways: [], host: "test", overrunUs: 0 };
    const node = createChipNode(
      { ...setup, entropy: createPrng(1) },
      { send: () => true, stopwatchUs: () => 0, trace },
    );
    node.powerOn(0);
    node.run(300_000);
    assert.equal(node.skipTicks(1_300_000), 100);
    assert.equal(node.skipTicks(1_300_000), 0);
    node.run(1_400_000);
    assert.ok(machineUs > 1_399_000 && machineUs <= 1_400_000, String(machineUs));
    const gaps = ticks.slice(1).map((us, i) => us - ticks[i]!);
    assert.deepEqual([...new Set(gaps)], [10_000, 1_010_000]);
    assert.equal(gaps.filter((us) => us > 10_000).length, 1);
    assert.equal(describeLag("a", 0, 5000), undefined);
    assert.match(describeLag("a", 1234, 5000)!, /cannot keep up .* 25 % of the time$/);
    assert.match(describeLag("a", 6000, 5000)!, / 100 % /);
  },
);

test("without a compiler it says what to install; a plant is no node", COMPILER, async () => {
  const { PATH } = process.env;
  const args = ["up", PRESS, "--for", "1", "--page", "0", "--chip"];
  process.env["PATH"] = import.meta.dirname;
  const none = await ferrule([...args, PRESS]);
  process.env["PATH"] = PATH;
  const plant = await ferrule([...args, join(PROJECT, "plants/example")]);
  assert.equal(none.code, 3);
  assert.match(none.stderr, /arm-none-eabi-gcc[^]*apt-get install .*gcc-arm-none-eabi/);
  assert.deepEqual([plant.code, /--chip takes one node/.test(plant.stderr)], [2, true]);
});
