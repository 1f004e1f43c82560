// SPDX-License-Identifier: MIT
// A scripted MQTT-SN client on a real UDP socket.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { encode } from "../../gateway/encode.ts";
import { decode, type Packet } from "../../gateway/packet.ts";
import { PATIENCE_MS } from "../support/until.ts";

export interface UdpClient {
  say(packet: Packet): void;
  /** Says it to the multicast group on loopback. */
  shout(packet: Packet, group: string): void;
  /** The next packet of this type; others before it are thrown away. */
  next<Type extends Packet["type"]>(type: Type): Promise<Packet & { type: Type }>;
  /** Says something and waits for the answer. */
  ask<Type extends Packet["type"]>(packet: Packet, type: Type): Promise<Packet & { type: Type }>;
  close(): Promise<void>;
}

/** A client of the gateway on this loopback port. */
export async function createUdpClient(port: number): Promise<UdpClient> {
  const socket = createSocket("udp4");
  const inbox: Packet[] = [];
  let wake: () => void = () => undefined;
  socket.on("message", (bytes) => {
    const packet = decode(bytes);
    if (typeof packet === "string") throw new Error(`the gateway sent a bad packet: ${packet}`);
    inbox.push(packet);
    wake();
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setMulticastInterface("127.0.0.1");

  async function next(type: string): Promise<Packet> {
    const endMs = Date.now() + PATIENCE_MS;
    for (;;) {
      for (let packet = inbox.shift(); packet !== undefined; packet = inbox.shift()) {
        if (packet.type === type) return packet;
      }
      const restMs = endMs - Date.now();
      if (restMs <= 0) throw new Error(`no ${type} within ${PATIENCE_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, restMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  const say = (packet: Packet): void => socket.send(encode(packet), port, "127.0.0.1");

  return {
    say,
    shout: (packet, group) => socket.send(encode(packet), port, group),
    next: next as UdpClient["next"],
    ask(packet, type) {
      say(packet);
      return next(type) as never;
    },
    async close() {
      socket.close();
      await once(socket, "close");
    },
  };
}
