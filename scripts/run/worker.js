// SPDX-License-Identifier: MIT
// Entry of a worker thread: loads a module and lets it do one work.
//
// A worker has its own module loader, so TypeScript is registered again here. See apart.ts, and warm.ts for a
// thread that stays.

import { parentPort, workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
const { work } = await import(workerData.module);
if (workerData.warm) {
  parentPort.on("message", async (input) => parentPort.postMessage({ result: await work(input) }));
} else {
  const result = await work(workerData.input, (progress) => parentPort.postMessage({ progress }));
  parentPort.postMessage({ result });
}
