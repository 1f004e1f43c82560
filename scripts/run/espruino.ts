// SPDX-License-Identifier: MIT
// Runs the espruino tool: a HEX file of a bundle, or a bundle onto a board.
//
// Offline: a local board file, no address for modules, no time set. The tool ends with 0 whatever happens, so what it
// said and what it left behind decide: a HEX is read back, a board is asked for the CRC of what it keeps. Every run is
// bounded. Settings of the board go to a file of its storage and are never told.

import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { HexError, readHex, storageFiles } from "../build/hex.ts";
import type { JsBoard } from "../build/js-board.ts";
import {
  EXIT_FAILED,
  EXIT_INTERRUPTED,
  EXIT_NOT_FOUND,
  EXIT_TIMED_OUT,
  Failure,
} from "../cli/failure.ts";

/** Files in the storage of a board: what it runs at power-on, and who it is. */
export const BOOT_FILE = ".bootcde";
export const SETTINGS_FILE = "ferrule.json";

const RUN_MS_MAX = 120_000; // 24,576 octets at 9,600 baud take 30 s, erasing flash some more
const ASK_MS_MAX = 30_000;
const SAID_BYTES_MAX = 1 << 20;
const BAUD = "115200"; // of the console of a board without USB

export interface Upload {
  board: JsBoard;
  bundle: string;
  port: string; // a serial port, or tcp://host:port
  settings?: string;
  limitMs?: number; // of each run of the tool
  signal?: AbortSignal;
}

/** The HEX of a board's storage with a bundle in it, as the tool writes it. Throws Failure. */
export async function bundleHex(board: JsBoard, bundle: string): Promise<string> {
  return inFolder(async (folder) => {
    const [input, output] = [join(folder, "bundle.js"), join(folder, "bundle.hex")];
    writeFileSync(input, bundle);
    const said = await runTool(["-n", "--ohex", output, input], { board, folder });
    try {
      const text = readFileSync(output, "latin1");
      const image = readHex(text);
      const kept = storageFiles(image).get(BOOT_FILE);
      const start = board.espruino?.saved_code.address;
      if (image.address === start && kept !== undefined && latin1(kept) === bundle) return text;
      throw refused("the HEX that the espruino tool wrote does not hold the bundle", said);
    } catch (error) {
      if (error instanceof Failure) throw error;
      const what = error instanceof HexError ? error.message : "it is not there";
      throw refused(`the espruino tool wrote no HEX: ${what}`, said);
    }
  });
}

/** Puts a bundle, and settings where there are some, onto a board and asks it for what it keeps. Throws Failure. */
export async function upload(to: Upload): Promise<void> {
  const { bundle, settings } = to;
  await inFolder(async (folder) => {
    const file = join(folder, "bundle.js");
    writeFileSync(file, bundle);
    const place = ["-b", BAUD, "-p", ownName(to.port)];
    const args = ["--config", "SAVE_ON_SEND=1", ...place];
    if (settings !== undefined) {
      const kept = join(folder, "settings");
      writeFileSync(kept, settings, { mode: 0o600 });
      args.push("--storage", `${SETTINGS_FILE}:${kept}`);
    }
    checkSaid(await runTool([...args, file], { ...to, folder }), to.port);
    const files = settings === undefined ? [BOOT_FILE] : [BOOT_FILE, SETTINGS_FILE];
    const wanted = files.map((name) => crc32(name === BOOT_FILE ? bundle : settings!));
    const ask = files
      .map((name) => `(E.CRC32(require("Storage").read("${name}"))>>>0)`)
      .join('+","+');
    const question = [...place, "-e", `print("ferrule="+${ask})`];
    const said = await runTool(question, { ...to, folder, limitMs: to.limitMs ?? ASK_MS_MAX });
    checkSaid(said, to.port);
    const [, answer] = /ferrule=([\d,]+)/.exec(said) ?? [];
    if (answer === wanted.join(",")) return;
    const what = answer === undefined ? "does not say what it keeps" : "keeps something else";
    throw refused(`the board at ${to.port} ${what} after the upload`, "");
  });
}

// The sentence for what the tool said; the order is that in which it happens.
const SAID: readonly [RegExp, string][] = [
  [/RECEIVE ERROR.*ECONNREFUSED/, "nobody listens at"],
  [/RECEIVE ERROR.*(EPIPE|ECONNRESET)|^Disconnected\./m, "the connection was closed by"],
  [/RECEIVE ERROR|Unable to connect|Unable to open|Port ".*" not found/, "cannot be opened:"],
  [/Uncaught |Execution Interrupted|Out of Memory|LOW_MEMORY/, "the engine refused what came to"],
  [/Module .* not found|^ERROR /m, "the tool did not find a module for"],
];
// A line of the board is told behind "--] "; its prompt is ">".
const PROMPT = /^--\] .*(>|=undefined)/m;

function checkSaid(said: string, port: string): void {
  const [, what] = SAID.find(([pattern]) => pattern.test(said)) ?? [];
  if (what !== undefined) throw unreached(`${what} ${port}`);
  if (!PROMPT.test(said)) throw unreached(`no JavaScript prompt answers at ${port}`);
  if (!said.includes("Upload Complete")) throw unreached(`the upload did not end at ${port}`);
}

function unreached(what: string): Failure {
  return new Failure(
    EXIT_FAILED,
    what,
    "is the board plugged in, does it run Espruino, and is no other program on its port?",
  );
}

function refused(what: string, said: string): Failure {
  const words = said.trim().split("\n").at(-1) ?? "";
  return new Failure(
    EXIT_FAILED,
    words === "" ? what : `${what} (it said: ${words.slice(0, 200)})`,
    "run the command again; if it stays so, report it with your node.json",
  );
}

interface Run {
  board: JsBoard;
  folder: string;
  limitMs?: number;
  signal?: AbortSignal;
}

// What the tool says while it runs. What it says last is enough, so no run keeps more than SAID_BYTES_MAX.
async function runTool(args: readonly string[], of: Run): Promise<string> {
  const { boardname, binary_version, builtin_modules, saved_code } = of.board.espruino!;
  const description = join(of.folder, "board.json");
  const info = { boardname, binary_version, builtin_modules };
  writeFileSync(description, JSON.stringify({ info, chip: { saved_code } }));
  const offline = ["--config", "MODULE_URL=", "--config", "SET_TIME_ON_WRITE=false"];
  const all = [toolPath(), "--no-ble", "--board", description, ...offline, ...args];
  const child = spawn(process.execPath, all, { cwd: of.folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const keep = (chunk: Buffer): void => {
    if (said.length < SAID_BYTES_MAX) said += chunk.toString("latin1");
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const limitMs = of.limitMs ?? RUN_MS_MAX;
  return new Promise((resolve, reject) => {
    const stop = (failure: Failure) => (): void => {
      child.kill("SIGKILL");
      reject(failure);
    };
    const late = `the espruino tool did not end within ${Math.ceil(limitMs / 1000)} s`;
    const next = "is it an Espruino console that answers on this port?";
    const timer = setTimeout(stop(new Failure(EXIT_TIMED_OUT, late, next)), limitMs);
    const interrupt = stop(new Failure(EXIT_INTERRUPTED, "interrupted"));
    of.signal?.addEventListener("abort", interrupt, { once: true });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      of.signal?.removeEventListener("abort", interrupt);
      resolve(said);
    });
  });
}

// The tool knows a serial port by its own name only, not by that of a link to it.
function ownName(port: string): string {
  return existsSync(port) ? realpathSync(port) : port;
}

function toolPath(): string {
  try {
    const file = createRequire(import.meta.url).resolve("espruino/package.json");
    return join(dirname(file), "bin/espruino-cli.js");
  } catch {
    throw new Failure(EXIT_NOT_FOUND, "the package espruino is not installed", "npm install");
  }
}

async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-espruino-"));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// IEEE 802.3, as the engine's E.CRC32 has it; zlib's own is newer than the oldest Node that runs this.
function crc32(text: string): number {
  let crc = -1;
  for (const octet of Buffer.from(text, "latin1")) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
