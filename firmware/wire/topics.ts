// SPDX-License-Identifier: MIT
// MQTT topics between node and hub.
//
// Spec: SPEC.md "Topics". `ferrule/<node id>/<suffix>`. The firmware never imports this: the generator
// lays down the texts that a node sends, each once.

export const TOPIC_ROOT = "ferrule";
export const TOPIC_DATA = "data";
export const TOPIC_EVENT = "event";
export const TOPIC_STATUS = "status";
export const TOPIC_PRESENCE = "presence";
export const TOPIC_BIRTH = "birth"; // birth/0, birth/1, ...
export const TOPIC_TIME = "time"; // the node subscribes to it
export const TOPIC_TIME_GET = "time/get"; // the node asks here
export const TOPIC_SET = "set"; // the hub writes a set-point
export const TOPIC_SET_RESULT = "set/result"; // what became of it
export const TOPIC_TAP = "tap"; // what taps find out about their lines

export const PRESENCE_ONLINE = "online";
export const PRESENCE_OFFLINE = "offline"; // a wanted goodbye
export const PRESENCE_LOST = "lost"; // the will
