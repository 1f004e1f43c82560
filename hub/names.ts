// SPDX-License-Identifier: MIT
// Which names from outside are taken: node ids, channels, alarms, units.
//
// Spec: RFC 8428 §4.5.1 (names), MQTT-SN 1.2 §5.3.1 (node id). What a node writes is never trusted.
// All patterns are linear: no backtracking on hostile input.

import { NODE_ID_BYTES_MAX } from "../firmware/wire/info.ts";

const NODE_ID = new RegExp(`^[A-Za-z0-9_-]{1,${NODE_ID_BYTES_MAX}}$`);
const NAME = /^[A-Za-z0-9][A-Za-z0-9:./_-]*$/;
const UNIT = /^[A-Za-z0-9%/]+$/;
const LEVEL = /^[A-Za-z0-9_-]+$/;

export function isNodeId(text: string): boolean {
  return NODE_ID.test(text);
}

/** A SenML name: channel, alarm, output, tap, type. Its length was bounded when it was taken. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

export function isUnit(text: string): boolean {
  return UNIT.test(text);
}

/** One level of a published topic: what every broker and every reader of topics accepts. */
export function isTopicLevel(text: string): boolean {
  return LEVEL.test(text);
}

/** A name as a topic level: what is no letter, digit, - or _ becomes _. Two names may become one. */
export function topicLevel(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, "_");
}
