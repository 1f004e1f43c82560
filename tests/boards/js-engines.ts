// SPDX-License-Identifier: MIT
// What Espruino and Kaluma give a bundle, as far as it uses it, types asserted.
//
// As their documentation and sources say; no board was touched. Sockets are real ones on loopback.

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { createContext, runInContext } from "node:vm";

export interface Engine {
  adc: number; // 0..1
  duties: Map<number, number>; // 0..1, by pin
  files: Map<string, string>;
  said: string[];
  close(): void;
}

interface Parts {
  engine: Engine;
  socket: Socket;
  timers: Set<NodeJS.Timeout>;
}

function createParts(settings: object, file: string): Parts {
  const socket = createSocket("udp4");
  const timers = new Set<NodeJS.Timeout>();
  const engine: Engine = {
    adc: 0.5,
    duties: new Map(),
    files: new Map([[file, JSON.stringify(settings)]]),
    said: [],
    close() {
      for (const timer of timers) clearTimeout(timer);
      socket.close();
    },
  };
  return { engine, socket, timers };
}

// Functions that both engines have.
function pinsAndTimers({ engine, timers }: Parts): object {
  return {
    analogRead(pin: unknown) {
      assert.equal(typeof pin, "number");
      return engine.adc;
    },
    analogWrite(pin: number, value: number) {
      assert.equal(typeof pin, "number");
      assert.ok(value >= 0 && value <= 1, `analogWrite ${value}`);
      engine.duties.set(pin, value);
    },
    setTimeout(action: () => void, ms: number) {
      assert.equal(typeof ms, "number");
      const timer = setTimeout(action, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer: NodeJS.Timeout) {
      clearTimeout(timer);
      timers.delete(timer);
    },
  };
}

function latin1(text: unknown): Buffer {
  assert.equal(typeof text, "string", "data is a string");
  // oxlint-disable-next-line no-control-regex
  assert.match(text as string, /^[\x00-\xff]*$/, "of octets");
  return Buffer.from(text as string, "latin1");
}

function isOctets(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object Uint8Array]";
}

/** Runs a bundle on a fake Espruino with WiFi. */
export function onEspruino(bundle: string, settings: object): Engine {
  const parts = createParts(settings, "ferrule.json");
  const { engine, socket } = parts;
  const dgramSocket = {
    bind(port: unknown, bound: (socket: object) => void) {
      assert.equal(typeof port, "number");
      socket.bind(0, "127.0.0.1", () => bound(dgramSocket));
      return dgramSocket;
    },
    on(event: string, action: (text: string, from: object) => void) {
      assert.equal(event, "message");
      socket.on("message", (bytes, { address, port }) =>
        action(bytes.toString("latin1"), { address, port }),
      );
    },
    send(text: string, port: unknown, host: unknown) {
      assert.equal(typeof port, "number");
      assert.equal(typeof host, "string");
      socket.send(latin1(text), port as number, host as string);
    },
  };
  const modules: Record<string, object> = {
    Storage: {
      read: (name: string) => engine.files.get(name),
      write(name: string, text: unknown) {
        engine.files.set(name, latin1(text).toString("latin1"));
        return true;
      },
    },
    Wifi: {
      connect(ssid: string, options: object, done: (error: null) => void) {
        assert.equal(ssid, (settings as { ssid?: string }).ssid);
        assert.equal(typeof options, "object");
        setTimeout(done, 1, null);
      },
    },
    dgram: { createSocket: () => dgramSocket },
  };
  const globals = {
    ...pinsAndTimers(parts),
    require: (name: string) => modules[name],
    getTime: () => performance.now() / 1000,
    print: (text: string) => void engine.said.push(text),
    E: { hwRand: () => 0x12345678 },
  };
  runInContext(bundle, createContext(globals));
  return engine;
}

/** Runs a bundle on a fake Kaluma with WiFi, as of 1.3. */
export function onKaluma(bundle: string, settings: object): Engine {
  const parts = createParts(settings, "/ferrule.json");
  const { engine, socket } = parts;
  const object: { read_cb?: (octets: Uint8Array) => void } = {};
  socket.on("message", (bytes) => object.read_cb?.(new Uint8Array(bytes)));
  let peer: [port: number, host: string] | undefined;
  const modules: Record<string, object> = {
    fs: {
      exists: (path: string) => engine.files.has(path),
      readFile: (path: string) => new Uint8Array(Buffer.from(engine.files.get(path)!, "latin1")),
      writeFile(path: string, octets: Uint8Array) {
        assert.ok(isOctets(octets));
        engine.files.set(path, Buffer.from(octets).toString("latin1"));
      },
    },
    wifi: {
      WiFi: class {
        connect(info: object, done: (error: null) => void): void {
          assert.deepEqual(Object.keys(info), ["ssid", "password"]);
          setTimeout(done, 1, null);
        }
      },
    },
  };
  const netdev = {
    socket(domain: string, protocol: string) {
      assert.deepEqual([domain, protocol], ["AF_INET", "DGRAM"]);
      return 0;
    },
    get: () => object,
    connect(fd: number, host: string, port: number, done: () => void) {
      assert.deepEqual(
        [fd, typeof host, typeof port, typeof done],
        [0, "string", "number", "function"],
      );
      peer = [port, host];
    },
    write(fd: number, text: string, done: () => void) {
      assert.deepEqual([fd, typeof done], [0, "function"]);
      socket.send(latin1(text), ...peer!);
    },
  };
  const globals = {
    ...pinsAndTimers(parts),
    require: (name: string) => modules[name],
    micros: () => Math.floor(performance.now() * 1000),
    console: { log: (text: string) => void engine.said.push(text) },
    __netdev: netdev,
  };
  runInContext(bundle, createContext(globals));
  return engine;
}
