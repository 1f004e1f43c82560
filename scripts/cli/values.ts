// SPDX-License-Identifier: MIT
// Readers of option values: lengths of time, ports, fractions, brokers.
//
// One parser a meaning, used by all commands. Each refuses with a sentence that shows what would be right.

import { InvalidArgumentError } from "commander";
import { SERIAL_LINES_MAX } from "../../gateway/limits.ts";
import type { SerialPlace } from "../../gateway/serial.ts";
import { parseLengthMs } from "./length.ts";

/** A length of time above zero, in milliseconds. */
export function readLengthMs(text: string): number {
  const lengthMs = parseLengthMs(text, 1);
  if (lengthMs === undefined)
    throw new InvalidArgumentError("a length of time is 30, 30s, 10m or 1h.");
  return lengthMs;
}

export interface Endpoint {
  host: string;
  port: number;
}

/** "[HOST:]PORT"; the host is loopback unless one is given, an IPv6 one stands in square brackets. */
export function readEndpoint(text: string): Endpoint {
  const match = /^(?:(\[[0-9a-fA-F:.%]+\]|[^:[\]\s]+):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2] ?? NaN);
  if (!(port >= 0 && port <= 65_535))
    throw new InvalidArgumentError("an address is PORT or HOST:PORT, as 8080 or 0.0.0.0:8080.");
  return { host: (match?.[1] ?? "127.0.0.1").replace(/^\[|\]$/g, ""), port };
}

/** A probability, 0 to 1; "20%" is 0.2. */
export function readFraction(text: string): number {
  const percent = text.endsWith("%");
  const value = /^\d*\.?\d+%?$/.test(text) ? parseFloat(text) / (percent ? 100 : 1) : NaN;
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError("a probability is a number from 0 to 1, as 0.2.");
  return value;
}

/** A seed: a whole number from 0 to 2^32 - 1. */
export function readSeed(text: string): number {
  return readWhole(text, 0, 0xffff_ffff);
}

/** A whole number from `min` to `max`. */
export function readWhole(text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max))
    throw new InvalidArgumentError(`a whole number from ${min} to ${max} is wanted.`);
  return value;
}

/** How many times as fast: 0.01 to 1000. */
export function readSpeed(text: string): number {
  const speed = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (!(speed >= 0.01 && speed <= 1000))
    throw new InvalidArgumentError("a number from 0.01 to 1000 is wanted.");
  return speed;
}

/** The address of an MQTT broker, as mqtt://HOST[:PORT]; the port is 1883 unless given. */
export function readBroker(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== "mqtt:" || url.hostname === "")
    throw new InvalidArgumentError("a broker is mqtt://HOST or mqtt://HOST:PORT.");
  if (url.port === "") url.port = "1883";
  return url.toString().replace(/\/$/, "");
}

/** A serial port, as /dev/ttyUSB0@115200, behind those that were given before. */
export function readSerial(text: string, before: readonly SerialPlace[] = []): SerialPlace[] {
  const [, path, baud] = /^(.+)@(\d{1,7})$/.exec(text) ?? [];
  if (path === undefined || !(Number(baud) > 0))
    throw new InvalidArgumentError("a serial port is PATH@BAUD, as /dev/ttyUSB0@115200.");
  if (before.some((place) => place.path === path))
    throw new InvalidArgumentError(`${path} is there twice.`);
  if (before.length >= SERIAL_LINES_MAX)
    throw new InvalidArgumentError(`at most ${SERIAL_LINES_MAX} serial ports.`);
  return [...before, { path, baud: Number(baud) }];
}

const ROOT_LENGTH_MAX = 200; // two or three levels are usual; a topic ends at 65,535 octets

/** What the topics of a hub begin with: levels without wildcards, as umh/v1. */
export function readRoot(text: string): string {
  if (!/^[^+#/\0]+(\/[^+#/\0]+)*$/.test(text) || text.length > ROOT_LENGTH_MAX)
    throw new InvalidArgumentError("a root is levels without + and #, as umh/v1.");
  return text;
}

/** A host and port as they stand in an address: IPv6 hosts get their square brackets. */
export function showEndpoint(endpoint: Endpoint): string {
  const { host, port } = endpoint;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
