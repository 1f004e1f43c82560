// SPDX-License-Identifier: MIT
// A console of Espruino on TCP, as far as an upload needs one.
//
// It takes lines, keeps what `require("Storage").write` writes, and answers with a prompt. Written from the engine's
// documentation of Storage and of its console; lines beginning with 10 hex are not echoed.

import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { crc32 } from "node:zlib";

const WRITE = /^require\("Storage"\)\.write\("([^"]+)",(.*?),(\d+)(?:,(\d+))?\);?$/;
const CRC = /\(E\.CRC32\(require\("Storage"\)\.read\("([^"]+)"\)\)>>>0\)/g;

export type Temper = "good" | "silent" | "garbage" | "closes" | "forgets" | "complains";

export interface FakeRepl {
  port: string; // tcp://…
  files: Map<string, string>; // of the storage
  loads: number; // how often the program was started
  close(): Promise<void>;
}

/** Opens one on the loopback address. */
export async function openRepl(temper: Temper = "good"): Promise<FakeRepl> {
  const files = new Map<string, string>();
  const repl = { port: "", files, loads: 0, close: () => closeServer(server, sockets) };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    let line = "";
    socket.on("data", (chunk) => {
      if (temper === "silent") return;
      if (temper === "closes") return void socket.end();
      if (temper === "garbage") return void socket.write(Buffer.from(chunk).fill(0xa5));
      for (const character of chunk.toString("latin1")) {
        if (character !== "\n") line += character;
        else line = hear(line, socket);
      }
    });
  });

  function hear(line: string, socket: Socket): string {
    const command = line.slice([...line].findIndex((of) => of >= " "));
    const wrote = WRITE.exec(command);
    if (wrote !== null) write(wrote);
    if (command === "load()") repl.loads++;
    if (temper === "complains" && wrote !== null)
      socket.write("Uncaught Error: Unable to find or create file\r\n");
    if (command.startsWith('print("ferrule="'))
      socket.write(`ferrule=${[...command.matchAll(CRC)].map(([, name]) => sum(name!)).join(",")}`);
    socket.write(command === "" ? "\r\n=undefined\r\n>" : "\r\n>");
    return "";
  }

  function write([, name, argument, offset, size]: RegExpExecArray): void {
    if (temper === "forgets") return;
    const decoded = /^atob\("([A-Za-z0-9+/=]*)"\)$/.exec(argument!);
    const text = decoded
      ? Buffer.from(decoded[1]!, "base64").toString("latin1")
      : literal(argument!);
    const before = size === undefined ? files.get(name!)! : "";
    assert.equal(before.length, Number(offset), "pieces follow each other");
    files.set(name!, before + text);
  }

  const sum = (name: string): number => crc32(Buffer.from(files.get(name) ?? "", "latin1"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  repl.port = `tcp://127.0.0.1:${address.port}`;
  return repl;
}

// A string of JavaScript as the tool writes it.
function literal(text: string): string {
  const plain: Record<string, string> = { b: "\b", t: "\t", n: "\n", v: "\v", f: "\f" };
  return text.slice(1, -1).replace(/\\(x([0-9a-f]{2})|.)/gi, (_, one: string, hex?: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return plain[one] ?? one;
  });
}

async function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
