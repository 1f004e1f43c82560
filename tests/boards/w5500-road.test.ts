// SPDX-License-Identifier: MIT
// A flash image with a W5500, its datagrams on real sockets: gateway and hub.
//
// Goal: what the image says through the chip's sockets arrives at the page. Method: the emulated chip follows the
// machine's clock; a socket of this process stands for the node's end of the segment. Nothing is timed but for patience.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040 } from "../../scripts/build/rp2040.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { startRoad } from "./road.ts";
import { wire } from "./w5500-rig.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule w5500 road "));
const STEP_MS = 20;
const PATIENCE_MS = 60_000; // virtual
after(() => rmSync(folder, { recursive: true, force: true }));

test(
  "readings go through the W5500 and real UDP to the hub",
  program("arm-none-eabi-gcc"),
  async () => {
    const road = await startRoad();
    const socket = createSocket("udp4");
    try {
      const built = await buildNode(join(PROJECT, "firmware/nodes/oven"));
      const image = buildRp2040("w5500-evb-pico", built, folder);
      const [host, port] = road.gateway.split(":");
      let node = "";
      const wired = wire(image, {
        identity: { id: "oven-e", network: { gateways: ["192.0.2.2:10000"] } },
        away(from, bytes) {
          node = from;
          socket.send(bytes, Number(port), host);
        },
      });
      socket.on("message", (bytes) => wired.back(node, Uint8Array.from(bytes)));
      let value: number | null | undefined;
      for (let ms = STEP_MS; ms < PATIENCE_MS && typeof value !== "number"; ms += STEP_MS) {
        wired.chip.runToNs(ms * 1e6);
        await wait(STEP_MS);
        if (ms % 500 !== 0) continue;
        const said = await road.node("oven-e");
        value = said?.channels.find(({ name }) => name === "temperature")?.value;
      }
      const codes = (1.6 / 3.3) * 4096;
      assert.ok(Math.abs(Number(value) - (-50 + (400 * codes) / 4095)) < 1, String(value));
    } finally {
      socket.close();
      await road.close();
    }
  },
);
