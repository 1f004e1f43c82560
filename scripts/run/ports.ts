// SPDX-License-Identifier: MIT
// Which ports are free on this machine, and whether a broker answers.

import { connect, createServer } from "node:net";
import { EXIT_FAILED, EXIT_TIMED_OUT, Failure, systemCode } from "../cli/failure.ts";
import type { Endpoint } from "../cli/values.ts";

export const PAGE_PORT = 8080;
const PORTS_TRIED_MAX = 50; // so many neighbours in a row are no accident
const BROKER_TIMEOUT_MS = 3000; // a broker in the same plant answers in milliseconds

/** True when a TCP server can listen there now. */
export function portIsFree({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Where the page goes; when that is taken, to one of the `spare` ports behind it. */
export interface PagePlace extends Endpoint {
  spare: number;
}

/** As asked, or the first free port from 8080 on. Throws a Failure when what was asked for is taken. */
export async function choosePage(asked: Endpoint | undefined): Promise<PagePlace> {
  if (asked === undefined) return { host: "127.0.0.1", port: PAGE_PORT, spare: PORTS_TRIED_MAX };
  if (asked.port === 0 || (await portIsFree(asked))) return { ...asked, spare: 0 };
  throw new Failure(
    EXIT_FAILED,
    `port ${asked.port} of ${asked.host} is in use or not yours to use`,
    `choose another one, as --page ${asked.port + 1}, or leave --page away`,
  );
}

/** Throws a Failure unless something listens at the broker's address. */
export function checkBroker(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), timeout: BROKER_TIMEOUT_MS });
    const refuse = (exitCode: number, reason: string): void => {
      socket.destroy();
      const next =
        "start it or mend the address; ferrule up brings a broker when --broker is left away";
      reject(new Failure(exitCode, `the broker ${url} does not answer (${reason})`, next));
    };
    socket.once("connect", () => {
      socket.end();
      resolve();
    });
    socket.once("timeout", () => refuse(EXIT_TIMED_OUT, "no answer within 3 s"));
    socket.once("error", (error) => refuse(EXIT_FAILED, systemCode(error) || error.message));
  });
}
