// SPDX-License-Identifier: MIT
// Gateway and hub as services by themselves.

import { startGateway } from "../../gateway/index.ts";
import type { SerialPlace } from "../../gateway/serial.ts";
import { startHub } from "../../hub/server.ts";
import { hubConfig, readPlant } from "../build/plant.ts";
import { started } from "../cli/failure.ts";
import { type Endpoint, showEndpoint } from "../cli/values.ts";
import { createLog } from "./log.ts";
import { checkBroker, choosePage } from "./ports.ts";

/** Starts the gateway; throws a Failure when the broker does not answer. */
export async function runGateway(
  udp: Endpoint,
  brokerUrl: string,
  serial: readonly SerialPlace[],
): Promise<{ port: number; close(): Promise<void> }> {
  await checkBroker(brokerUrl);
  const log = createLog("gateway");
  const { host: udpHost, port: udpPort } = udp;
  const starting = startGateway({ udpHost, udpPort, brokerUrl, log, serial });
  const gateway = await started(starting, "choose another one, as --udp 127.0.0.1:10001");
  return { port: gateway.udpPort, close: () => gateway.close() };
}

/** Waits for a hub to start; a Failure tells whether history, page or plant is to be mended. */
export function hubStarted<T>(starting: Promise<T>): Promise<T> {
  return started(starting, (message) =>
    message.startsWith("history ")
      ? "choose another file for --history, or leave it away"
      : "mend the plant, or choose another --page",
  );
}

/** Starts the hub and its page; throws a Failure when the broker does not answer or the port is taken. */
export async function runHub(
  plantPath: string,
  brokerUrl: string,
  options: { page?: Endpoint; history?: string },
): Promise<{ page: string; token: string; close(): Promise<void> }> {
  const config = hubConfig(readPlant(plantPath));
  await checkBroker(brokerUrl);
  const page = await choosePage(options.page);
  const starting = startHub({
    config,
    brokerUrl,
    pageHost: page.host,
    ...{ pagePort: page.port, pageSpare: page.spare },
    log: createLog("hub"),
    ...(options.history !== undefined && { historyFile: options.history }),
  });
  const hub = await hubStarted(starting);
  const address = showEndpoint({ host: page.host, port: hub.pagePort });
  return { page: `http://${address}`, token: hub.token, close: () => hub.close() };
}
