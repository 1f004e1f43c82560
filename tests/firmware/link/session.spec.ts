// SPDX-License-Identifier: MIT
// Goal: the session changes its state as its diagram says, and not otherwise.
// Method: one test a transition, named as the arrow; a test of the tree compares the names with the diagram.

import { offerDatagram } from "../../../firmware/link/mqttsn/answers";
import { takeDatagram } from "../../../firmware/link/mqttsn/client";
import { outgoing } from "../../../firmware/link/mqttsn/requests";
import {
  ACTIVE,
  BACKOFF,
  connected,
  CONNECTING,
  FAREWELL_NONE,
  FAREWELL_SAID,
  FAREWELL_SENT,
  isStopped,
  SEARCHING,
  session,
  sessionInit,
  setTopicId,
  STOPPED,
  stopSession,
} from "../../../firmware/link/mqttsn/session";
import { node, NODE_ID } from "../../../firmware/link/node";
import { TOPIC_PRESENCE } from "../../../firmware/link/texts";
import { outboxInit, SLOT_BYTES } from "../../../firmware/link/outbox";
import { CONNACK, DISCONNECT, GWINFO } from "../../../firmware/wire/mqttsn";

const slots: usize = memory.data(128 * SLOT_BYTES, 8);
const datagram: usize = memory.data(16);
const PEER: u32 = 1;
const LONG_MS: u32 = 100_000;

let nowMs: u32 = 0;

function begin(gateways: u32): void {
  store<u8>(NODE_ID, 0x6e);
  node.idBytes = 1;
  outboxInit(slots, 128);
  sessionInit(gateways, nowMs);
  session.farewell = FAREWELL_NONE;
}

/** A packet without body, or with one octet. */
function hear(type: i32, value: i32 = -1): void {
  store<u8>(datagram, value < 0 ? 2 : 3);
  store<u8>(datagram, type as u8, 1);
  store<u8>(datagram, value as u8, 2);
  offerDatagram(PEER, datagram, value < 0 ? 2 : 3, nowMs);
}

function wait(ms: u32): void {
  nowMs += ms;
  takeDatagram(nowMs);
}

function connecting(): void {
  begin(1);
  wait(LONG_MS);
}

function active(): void {
  connecting();
  connected(nowMs);
}

function stop(): void {
  stopSession();
  expect<bool>(isStopped()).toBe(false);
  expect<bool>(takeDatagram(nowMs)).toBe(false);
  expect<bool>(isStopped()).toBe(true);
}

/** A PUBACK for the outstanding publication. */
function acknowledge(topicId: u32, code: u32): void {
  const octets: u64 =
    (0x070d << 40) | ((topicId as u64) << 24) | ((session.msgId as u64) << 8) | code;
  for (let i = 0; i < 7; i++) store<u8>(datagram + i, (octets >> (8 * (6 - i))) as u8);
  offerDatagram(PEER, datagram, 7, nowMs);
}

/** Lets every repeat of what is outstanding pass, and one more. */
function loseAll(): void {
  for (let i = 0; i < 6 && session.state != BACKOFF; i++) wait(LONG_MS);
}

describe("the session", () => {
  it("SEARCHING --GWINFO--> CONNECTING", () => {
    begin(0);
    wait(LONG_MS);
    expect<u32>(session.state).toBe(SEARCHING);
    hear(GWINFO, 7);
    expect<u32>(session.state).toBe(CONNECTING);
  });

  it("BACKOFF --gateway known--> CONNECTING", () => {
    begin(1);
    expect<u32>(session.state).toBe(BACKOFF);
    wait(LONG_MS);
    expect<u32>(session.state).toBe(CONNECTING);
  });

  it("BACKOFF --none known--> SEARCHING", () => {
    begin(0);
    wait(LONG_MS);
    expect<u32>(session.state).toBe(SEARCHING);
  });

  it("CONNECTING --CONNACK 00--> ACTIVE", () => {
    connecting();
    hear(CONNACK, 0);
    expect<u32>(session.state).toBe(ACTIVE);
  });

  it("CONNECTING --CONNACK--> BACKOFF", () => {
    for (let code = 1; code < 256; code++) {
      connecting();
      hear(CONNACK, code);
      expect<u32>(session.state).toBe(BACKOFF);
    }
  });

  it("CONNECTING --lost--> BACKOFF", () => {
    connecting();
    loseAll();
    expect<u32>(session.state).toBe(BACKOFF);
  });

  it("CONNECTING --DISCONNECT--> BACKOFF", () => {
    connecting();
    hear(DISCONNECT);
    expect<u32>(session.state).toBe(BACKOFF);
  });

  it("ACTIVE --lost--> BACKOFF", () => {
    active();
    loseAll();
    expect<u32>(session.state).toBe(BACKOFF);
  });

  it("ACTIVE --DISCONNECT--> BACKOFF", () => {
    active();
    hear(DISCONNECT);
    expect<u32>(session.state).toBe(BACKOFF);
  });

  it("SEARCHING --stop--> STOPPED", () => {
    begin(0);
    wait(LONG_MS);
    stop();
  });

  it("BACKOFF --stop--> STOPPED", () => {
    begin(1);
    stop();
  });

  it("CONNECTING --stop--> STOPPED", () => {
    connecting();
    stop();
  });

  it("ACTIVE --farewell--> STOPPED", () => {
    active();
    setTopicId(TOPIC_PRESENCE, 5);
    stopSession();
    wait(0);
    expect<u32>(session.farewell).toBe(FAREWELL_SENT);
    expect<u32>(session.state).toBe(ACTIVE);
    acknowledge(5, 0);
    expect<u32>(session.farewell).toBe(FAREWELL_SAID);
    wait(0);
    expect<u32>(session.state).toBe(STOPPED);
    expect<u32>(load<u8>(outgoing.address, 1)).toBe(DISCONNECT);
  });

  it("a goodbye that is refused or lost ends without DISCONNECT, so that the will speaks", () => {
    active();
    setTopicId(TOPIC_PRESENCE, 5);
    stopSession();
    wait(0);
    acknowledge(5, 3);
    expect<bool>(takeDatagram(nowMs)).toBe(false);
    expect<u32>(session.state).toBe(STOPPED);
    active();
    setTopicId(TOPIC_PRESENCE, 5);
    stopSession();
    for (let i = 0; i < 7; i++) wait(LONG_MS);
    expect<u32>(session.state).toBe(STOPPED);
    expect<bool>(takeDatagram(nowMs)).toBe(false);
  });
});

describe("no other packet changes the state", () => {
  it("while active or connecting", () => {
    for (let type = 0; type < 256; type++) {
      if (type == DISCONNECT) continue;
      active();
      hear(type);
      expect<u32>(session.state).toBe(ACTIVE);
      hear(type, 0);
      expect<u32>(session.state).toBe(ACTIVE);
      if (type == CONNACK) continue;
      connecting();
      hear(type);
      hear(type, 0);
      expect<u32>(session.state).toBe(CONNECTING);
    }
  });

  it("while searching or waiting", () => {
    for (let type = 3; type < 256; type++) {
      begin(0);
      hear(type);
      expect<u32>(session.state).toBe(BACKOFF);
      wait(LONG_MS);
      hear(type);
      expect<u32>(session.state).toBe(SEARCHING);
    }
  });
});
