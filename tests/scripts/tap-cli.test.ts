// SPDX-License-Identifier: MIT
// Goal: `ferrule tap` says in exact words what it found, and what is wrong.
//
// Method: the commands as a person types them, on a recording of the project and on files that are no captures.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule, PROJECT } from "../support/ferrule.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule-tap-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const OWN = join(PROJECT, "tests/vectors/modbus-libmodbus-mbpoll.jsonl");

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const HEADER = '{"kind":"bytes","baud":9600,"format":"8N1"}\n';
const EMPTY = file("empty.jsonl", "");
const TEXT = file("text.jsonl", "hello\n");
const SILENT = file("silent.jsonl", HEADER);
const NO_RATE = file("no-rate.jsonl", '{"kind":"bytes"}\n{"t_us":1,"dir":"x","hex":"00"}\n');
const NO_CHARACTER = file("no-character.jsonl", `${HEADER}{"t_us":1,"dir":"x","hex":"0"}\n`);
const BACKWARDS = file(
  "backwards.jsonl",
  `${HEADER}{"t_us":9,"dir":"x","hex":"00"}\n{"t_us":8,"dir":"x","hex":"00"}\n`,
);
const NO_CAPTURE =
  ':1: this is no capture: it begins with a header that has "kind":"bytes" or "edges"\n' +
  "  next: make one with: ferrule tap record PORT --out FILE.jsonl\n";

const REFUSED: [string[], number, string][] = [
  [["inventory", EMPTY], 1, `ferrule: ${EMPTY}${NO_CAPTURE}`],
  [["inventory", TEXT], 1, `ferrule: ${TEXT}${NO_CAPTURE}`],
  [
    ["inventory", NO_RATE],
    2,
    `ferrule: ${NO_RATE} does not say its rate\n  next: give it, as --baud 9600\n`,
  ],
  [
    ["inventory", NO_CHARACTER],
    1,
    `ferrule: ${NO_CHARACTER}:2: this is no character: ` +
      '{"t_us":5095,"dir":"x","hex":"f7"} is one\n' +
      "  next: mend that line or take it out\n",
  ],
  [
    ["inventory", BACKWARDS],
    1,
    `ferrule: ${BACKWARDS}:3: its time lies before that of the line above\n` +
      "  next: mend that line or take it out\n",
  ],
  [
    ["listen", "/dev/ttyNONE"],
    3,
    "ferrule: /dev/ttyNONE is not there\n  next: give a serial port that is plugged in, a pty, " +
      "or a capture file; ports: ls /dev/tty*\n",
  ],
  [
    ["listen", folder],
    3,
    `ferrule: ${folder} is a folder\n  next: give a port, a pty or a capture file\n`,
  ],
  [
    ["listen", "/dev/null"],
    1,
    "ferrule: /dev/null cannot be opened as a serial port\n" +
      "  next: give a serial port, a pty or a capture file\n",
  ],
  [
    ["record", OWN, "--out", "x.txt"],
    2,
    "ferrule: x.txt: the ending says no format\n" +
      "  next: end it with .jsonl (our own) or .pcapng (for Wireshark)\n",
  ],
  [
    ["record", OWN, "--out", SILENT],
    1,
    `ferrule: ${SILENT} is there already\n  next: give another name, or add --force\n`,
  ],
  [
    ["replay", OWN, "--port", "/dev/ttyUSB0"],
    2,
    "ferrule: /dev/ttyUSB0 would be driven: every device on that line hears it\n" +
      "  next: add --transmit when that is meant; without --port it plays onto a pty\n",
  ],
  [
    ["init", SILENT, "--out", join(folder, "none")],
    1,
    `ferrule: ${SILENT} told no value\n  next: look: ferrule tap listen ${SILENT}\n`,
  ],
  [
    ["find", OWN, "--reading", "1=2"],
    2,
    "ferrule: 1 readings are too few\n" +
      "  next: give 3 at least, better 10, while the value moves\n",
  ],
  [
    ["find", OWN, "--reading", "14:00:01=2"],
    2,
    "ferrule: 14:00:01: this capture does not say when it began\n" +
      "  next: give times as seconds since its beginning, as 12.5\n",
  ],
  [
    ["listen", OWN, "--baud", "12"],
    2,
    "ferrule: option '--baud <BAUD>' argument '12' is invalid. " +
      "a rate is a whole number from 300 to 921600.\n",
  ],
];

test("what cannot be heard is one message that says what to do", async () => {
  for (const [args, code, text] of REFUSED) {
    const run = await ferrule(["tap", ...args]);
    const talk = run.stderr.replace(/^(compil|modbus-rtu: ).*\n/gm, "");
    assert.deepEqual([run.code, talk, run.stdout], [code, text, ""], args.join(" "));
  }
  assert.equal(existsSync(join(folder, "none")), false, "nothing is half-written");
});

test("listen says each event in a line, names it by a map, or as JSON", async () => {
  const lines = (await ferrule(["tap", "listen", OWN])).stdout.split("\n");
  assert.deepEqual(lines.slice(0, 3), [
    "    0.075  unit 17  read holding 107 x 3: 555 0 100",
    "    0.126  unit 17  read input 8 x 1: 2008",
    "    0.178  unit 17  read coils 19 x 37: 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1 0 …",
  ]);
  assert.ok(lines.some((line) => /unit 17 {2}read holding 499 x 2: exception 2$/.test(line)));
  assert.ok(lines.some((line) => /unit 18 {2}read holding 0 x 2: unanswered$/.test(line)));
  const map = join(PROJECT, "firmware/nodes/meter");
  const named = await ferrule(["tap", "listen", OWN, "--map", map]);
  assert.match(named.stdout, /read input 8 x 1: 2008 {2}voltage=200\.8 V\n/);
  const json = await ferrule(["tap", "listen", OWN, "--map", map, "--json"]);
  assert.deepEqual(JSON.parse(json.stdout.split("\n")[1]!), {
    ...{ t_us: 126_265, kind: "read", unit: 17, fc: 4, table: "input", addr: 8, qty: 1 },
    ...{ values: [2008], answer_us: 12_604, named: { voltage: 200.8 } },
  });
});

test("a capture comes from stdin too", () => {
  const ferruleFile = join(PROJECT, "scripts/ferrule.js");
  const args = [ferruleFile, "tap", "inventory", "-", "--json"];
  const run = spawnSync(process.execPath, args, { input: readFileSync(OWN), encoding: "utf8" });
  const { bus, line } = JSON.parse(run.stdout) as { bus: { pairs: number }; line: unknown };
  assert.deepEqual([bus.pairs, line], [13, { baud: 9600, format: "8E1" }]);
});

test("init writes a node.json that validates, and never over one", async () => {
  const out = join(folder, "found");
  const run = await ferrule(["tap", "init", OWN, "--out", out]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /found\/node\.json: 1 channels, 9600 8E1\n$/);
  const node = JSON.parse(readFileSync(join(out, "node.json"), "utf8")) as Record<string, unknown>;
  assert.deepEqual(node["channels"], {
    "unit17-holding-1": {
      ...{ kind: "register", tap: "bus", unitId: 17, table: "holding", address: 1 },
      ...{ type: "u16", staleMs: 2000 },
    },
  });
  assert.equal((await ferrule(["validate", out])).code, 0);
  const again = await ferrule(["tap", "init", OWN, "--out", out]);
  assert.equal(again.code, 1);
  assert.match(
    again.stderr,
    /node\.json is there already\n {2}next: give another --out, or --force/,
  );
  assert.equal((await ferrule(["tap", "init", OWN, "--out", out, "--force"])).code, 0);
});

test("a node that init wrote hears the recording that it came from", async () => {
  const run = await ferrule(["sim", join(folder, "found"), "--for", "5s", "--json"]);
  assert.equal(run.code, 0, run.stderr);
});

test("find ranks what follows readings of a display", async () => {
  // A register that counts by 7 each second and a float that rises; the display shows tenths of the first.
  const frames = Array.from({ length: 12 }, (_, i) => poll(i)).flat();
  const capture = file("moving.jsonl", HEADER + frames.join(""));
  const shown = [2, 4, 6, 8, 10].map((s) => `${s}.5,${((500 + 7 * s) / 10).toFixed(1)}\n`);
  const readings = file("display.csv", `time,value\n${shown.join("")}`);
  const run = await ferrule(["tap", "find", capture, "--readings", readings]);
  assert.equal(run.code, 0, run.stderr);
  const [titles, best] = run.stdout.split("\n");
  assert.equal(titles, "unit  table    address  type  order  scale  fits    evidence");
  assert.match(best!, /^1 {5}holding {2}40 {7}u16 {3}ABCD {3}0\.1 {4}5 of 5 {2}\d+ bits$/);
});

// One poll a second: three registers from 39 on; the second is 500 + 7 i.
function poll(i: number): string[] {
  const value = 500 + 7 * i;
  const request = withCrc([1, 3, 0, 39, 0, 3]);
  const answer = withCrc([1, 3, 6, 0, 77, value >> 8, value & 0xff, 0, (i * 37) & 0xff]);
  let atUs = i * 1e6;
  const line = (octet: number): string => {
    const hex = octet.toString(16).padStart(2, "0");
    return `${JSON.stringify({ t_us: (atUs += 1042), dir: "x", hex })}\n`;
  };
  const asked = request.map(line);
  atUs += 5000;
  return [...asked, ...answer.map(line)];
}

function withCrc(octets: number[]): number[] {
  let crc = 0xffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return [...octets, crc & 0xff, crc >> 8];
}
