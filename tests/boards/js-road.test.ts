// SPDX-License-Identifier: MIT
// Bundles on fake engines send real datagrams, and their readings reach the hub.
//
// Goal: the host sides for Espruino and Kaluma carry a session with the real gateway, with the types that those engines
// take, and leave a boot number in the board's storage. Method: the oven's bundle, the script that a build writes, in
// Node, on loopback.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeJs } from "../../scripts/build/js.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { until } from "../support/until.ts";
import { type Engine, onEspruino, onKaluma } from "./js-engines.ts";
import { type NodeSaid, type Road, startRoad } from "./road.ts";

let road: Road;

before(async () => {
  road = await startRoad();
});
after(() => road.close());

const BOARDS = {
  espruino: { board: "espruino-esp32", start: onEspruino, boot: "ferrule.1" },
  kaluma: { board: "kaluma-pico2w", start: onKaluma, boot: "/ferrule.1" },
} as const;

for (const [name, { board, start, boot }] of Object.entries(BOARDS))
  test(`readings of an oven on ${name} reach the hub`, async () => {
    const built = await buildNode(join(PROJECT, "firmware/nodes/oven"), { board });
    const { code: bundle } = await makeJs(board, built);
    const id = `oven-${name}`;
    const settings = { id, eui64: "02464552fffe002a", gateway: road.gateway, ssid: "hall" };
    let engine: Engine | undefined;
    try {
      engine = start(bundle, { ...settings, password: "secret" });
      engine.adc = 0.55;
      let said: NodeSaid | undefined;
      await until(`a good temperature of ${id}`, async () => {
        said = await road.node(id);
        const temperature = said?.channels.find((channel) => channel.name === "temperature");
        return temperature?.quality === "good" && temperature.value !== null;
      });
      assert.equal(said?.host, board);
      assert.equal(said.state, "online");
      const temperature = Number(said.channels.find((c) => c.name === "temperature")?.value);
      assert.ok(engine.duties.size > 0);
      assert.ok(Math.abs(temperature - (-50 + 400 * 0.55)) < 0.5, String(temperature));
      assert.equal(engine.files.get(boot), "1 0 1");
      assert.deepEqual(engine.said, []);
    } finally {
      engine?.close();
    }
  });
