// SPDX-License-Identifier: MIT
// What all nodes of a road share, and how faults strike it in real time.
//
// The gateway can go away and come back as a new one on the same port, the built-in broker can be down, the
// gateway's wall time can be off. Faults that overlap end with the last of them.

import { startGateway } from "../../gateway/index.ts";
import type { Shared } from "../../host-sim/faults/domains.ts";
import { impossibleFaults } from "../../host-sim/realtime/run.ts";
import type { FaultPlan } from "../../host-sim/plan.ts";
import { EXIT_FAILED, Failure, started } from "../cli/failure.ts";
import { say } from "../cli/terminal.ts";
import type { EmbeddedBroker } from "./broker.ts";
import { createTalk } from "./log.ts";

export interface SharedParts {
  readonly gatewayPort: number;
  readonly faults: Partial<Shared>;
  close(): Promise<void>;
}

/** Throws a Failure that names the faults that cannot strike in real time. */
export function checkFaults(faults: readonly FaultPlan[], foreignBroker: boolean): void {
  const possible: (keyof Shared)[] = ["stopGateway", "stepWall"];
  if (!foreignBroker) possible.push("stopBroker");
  const impossible = impossibleFaults(faults, possible);
  if (impossible.length === 0) return;
  const why = foreignBroker ? "in real time with another's broker" : "in real time";
  throw new Failure(
    EXIT_FAILED,
    `faults that cannot strike ${why}: ${impossible.join(", ")}`,
    "take them out of the file, or run it in virtual time with ferrule sim",
  );
}

/** Starts the gateway; the broker is there, `embedded` when it is the built-in one. */
export async function startShared(
  brokerUrl: string,
  embedded: EmbeddedBroker | undefined,
): Promise<SharedParts> {
  const log = createTalk("gateway");
  let stepMs = 0;
  const open = (udpPort: number): ReturnType<typeof startGateway> =>
    startGateway({
      udpHost: "127.0.0.1",
      udpPort,
      brokerUrl,
      log,
      wallMs: () => Date.now() + stepMs,
    });
  let gateway = await started(open(0), "run ferrule doctor");
  const { udpPort } = gateway;
  let work = Promise.resolve(); // one after the other

  function soon(step: () => Promise<void>): void {
    work = work.then(step).catch((error: Error) => say(`gateway: ${error.message}`));
  }
  return {
    gatewayPort: udpPort,
    faults: {
      stopGateway: overlapping(() => {
        soon(() => gateway.close());
        return () =>
          soon(async () => {
            gateway = await open(udpPort);
          });
      }),
      ...(embedded !== undefined && { stopBroker: overlapping(() => embedded.stop()) }),
      stepWall(byMs) {
        stepMs += byMs;
        return () => {
          stepMs -= byMs;
        };
      },
    },
    async close() {
      await work;
      await gateway.close();
    },
  };
}

// Begins with the first and ends with the last of those that go on at a time.
function overlapping(begin: () => () => void): () => () => void {
  let count = 0;
  let end: () => void = () => undefined;
  return () => {
    if (count++ === 0) end = begin();
    return () => {
      if (--count === 0) end();
    };
  };
}
