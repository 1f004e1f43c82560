// SPDX-License-Identifier: MIT
// Debian's duktape as a child that runs modules, one call at a time.
//
// The child reads a file (duktape-side.js and the factories) and then evaluates lines. A call into a module runs there
// as a coroutine: a host function yields, the answer is the next line that it evaluates. Lines that begin with @ are
// for us: "@H name a b c octets" a host call, "@R value" the end of a call, "@M octets" memory, "@X message" an error.
// Both ways are FIFOs, read and written without events, since the simulation waits for no event loop. The child ends
// with its input, or with us, or after so much processor time.

import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COUNTER_COUNT } from "../../firmware/wire/counters.ts";
import {
  HOST_IMPORTS,
  type HostFunctions,
  HostTrap,
  type ModuleExports,
  type ModuleMemory,
} from "../../host-sim/engine.ts";
import { asTrap, noMore, type Script, type ScriptEngine } from "./scripts.ts";

const CPU_S_MAX = 6 * 3600; // of the child: far beyond any run, so that a loop without end has one
const READ_BYTES = 1 << 16;
const SIDE = join(import.meta.dirname, "./duktape-side.js");

type Area = [at: number, length: number];

/** Where a host function leaves octets, given its arguments and its result. */
const WRITTEN: Record<string, (values: number[], result: number) => Area> = {
  tap_take: ([, at], result) => [at!, 8 * result],
  edge_take: ([, at], result) => [at!, 4 * result],
  burst_take: ([, at], result) => [at!, 2 * result],
  mailbox_take: ([at], result) => [at!, result],
  ring_take: ([at], result) => [at!, result],
  datagram_take: ([at], result) => [at!, result],
  flash_read: ([, at, length]) => [at!, length!],
  entropy: ([at], result) => [at!, result],
  info: ([, at], result) => [at!, result],
};

/** Where an export leaves octets that its caller reads. */
const GIVEN: Record<string, (values: number[], result: number) => Area> = {
  counters: (_, result) => [result, 4 * COUNTER_COUNT],
  waiting: ([at, capacity], result) => [at!, 4 * Math.min(capacity!, result)],
};

interface Lines {
  /** Evaluates a line in the child and returns what it says to us; throws when it ended. */
  ask(line: string): string;
  close(): void;
}

/** Starts the child with these scripts. */
export function startDuktape(scripts: readonly Script[]): ScriptEngine {
  const factories = scripts.map(
    ({ name, code }) => `(function () {\n${code}\nreturn ${name};\n})()`,
  );
  const imports = JSON.stringify([...HOST_IMPORTS.loop, ...HOST_IMPORTS.link]);
  const side = `${readFileSync(SIDE, "utf8")}\nvar imports = ${imports};\n`;
  const text = `${side}var factories = [\n${factories.join(",\n")}\n];\n`;
  const child = startChild(text);
  let instances = 0;
  return {
    load: (script, index) => ({
      instantiate(functions, memory) {
        const number = instances++;
        expect(child.ask(`make(${number}, ${index})`), "@R");
        return createInstance({ child, number, functions, memory }, script);
      },
    }),
    close: () => child.close(),
  };
}

interface Instance {
  child: Lines;
  number: number;
  functions: HostFunctions;
  memory: ModuleMemory;
}

function createInstance(instance: Instance, { memoryBytes }: Script): ModuleExports {
  const octets = new Uint8Array(memoryBytes); // what host functions see of the child's
  instance.memory.attach({ buffer: octets.buffer, grow: noMore });
  const names = ["init", "tick", "poll", "counters", "waiting", "memoryBytes", "stop"];
  return Object.fromEntries(
    names.map((name) => [name, (...values: number[]) => call(instance, octets, name, values)]),
  );
}

function call(instance: Instance, octets: Uint8Array, name: string, values: number[]): number {
  const { child, number } = instance;
  const list = values.map((value) => `, ${value}`).join("");
  let said = child.ask(`call(${number}, "${name}"${list})`);
  while (said.startsWith("@H")) said = child.ask(answer(instance, octets, said));
  const result = Number(expect(said, "@R"));
  const [at, length] = GIVEN[name]?.(values, result) ?? [0, 0];
  if (length > 0) fill(octets, at, expect(child.ask(`show(${number}, ${at}, ${length})`), "@M"));
  return result;
}

// A host function that throws leaves the coroutine where it is: its instance is done with.
function answer({ functions }: Instance, octets: Uint8Array, said: string): string {
  const [, name = "", a, b, c, given = ""] = said.split(" ");
  const values = [Number(a), Number(b), Number(c)];
  if (given !== "")
    fill(octets, name === "ring_put" || name === "mailbox_put" ? values[0]! : values[1]!, given);
  const result = functions[name]!(...values);
  const [at, length] = result < 0 ? [0, 0] : (WRITTEN[name]?.(values, result) ?? [0, 0]);
  const written = Buffer.from(octets.buffer, at, length).toString("hex");
  return `go(${result}, ${at}, "${written}")`;
}

function fill(octets: Uint8Array, at: number, text: string): void {
  octets.set(Buffer.from(text, "hex"), at);
}

// What follows the mark; an error of the module is a trap, as in every engine.
function expect(said: string, mark: string): string {
  if (said.startsWith(mark)) return said.slice(mark.length + 1);
  if (!said.startsWith("@X")) throw new Error(`duktape said: ${said.slice(0, 200)}`);
  const trap = asTrap(new Error(said.slice(3)));
  throw trap instanceof HostTrap ? trap : new HostTrap(said.slice(3));
}

// ---- the child

function startChild(text: string): Lines {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-duktape-"));
  const close = (fds: readonly number[]): void => fds.forEach((fd) => closeSync(fd));
  try {
    const [script, down, up] = ["node.js", "down", "up"].map((name) => join(folder, name));
    writeFileSync(script!, text);
    const made = spawnSync("mkfifo", [down!, up!], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(`mkfifo: ${made.error?.message ?? made.stderr}`);
    // Open for both ways first, a FIFO's other end does not keep one waiting.
    const both = [down!, up!].map((path) => openSync(path, constants.O_RDWR));
    const input = openSync(down!, constants.O_RDONLY);
    const output = openSync(up!, constants.O_WRONLY);
    const ours = {
      write: openSync(down!, constants.O_WRONLY),
      read: openSync(up!, constants.O_RDONLY),
    };
    const limited = `ulimit -t ${CPU_S_MAX}; exec duk -i "$0"`;
    spawn("sh", ["-c", limited, script!], { stdio: [input, output, "ignore"] }).unref();
    close([...both, input, output]);
    return createLines(ours, folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function createLines(fds: { write: number; read: number }, folder: string): Lines {
  const buffer = Buffer.alloc(READ_BYTES);
  let rest = "";

  // Prompts and values of its own stand between the lines that are for us.
  function next(): string {
    for (;;) {
      const from = rest.indexOf("@");
      const end = from < 0 ? -1 : rest.indexOf("\n", from);
      if (end >= 0) {
        const said = rest.slice(from, end);
        rest = rest.slice(end + 1);
        return said;
      }
      const bytes = readSync(fds.read, buffer);
      if (bytes === 0) throw new Error(`duktape ended: ${rest.slice(-200)}`);
      rest = (from < 0 ? "" : rest.slice(from)) + buffer.toString("latin1", 0, bytes);
    }
  }

  return {
    ask(line) {
      writeSync(fds.write, `${line}\n`);
      return next();
    },
    close() {
      closeSync(fds.write);
      closeSync(fds.read);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
