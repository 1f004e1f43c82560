// SPDX-License-Identifier: MIT
// Goal: what a tap tells of a recorded line is what tshark reads there.
//
// Method: recordings are cut where their transactions end, and so are no octet of the firmware's framing; tshark 4 finds
// answers to requests itself, and with them the addresses. Compared: each read with its registers or bits, each exception
// and each write of FC 16, in order. What tshark calls no pair has no answer there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TAP_EVENT_EXCEPTION, TAP_EVENT_READ, TAP_EVENT_WRITE } from "../../firmware/wire/tap.ts";
import { readCapture, type Capture } from "../support/capture.ts";
import {
  buildDecoder,
  createDecoder,
  WIRE_ONE,
  type HeardEvent,
} from "../support/modbus-decoder.ts";
import * as need from "../support/need.ts";
import { framesOf, RECORDINGS } from "./octets.ts";

const OWN = ["libmodbus-mbpoll", "pymodbus-rare-functions"].map((name) =>
  join(import.meta.dirname, `../vectors/modbus-${name}.jsonl`),
);
const LINK_TYPE_RTAC_SERIAL = 250;
const SNAP_BYTES = 65_535;
const [REQUEST, ANSWER] = [1, 2];
const CHARACTER_US = 1042;
const FIELDS = `mbrtu.unit_id modbus.func_code modbus.reference_num modbus.regnum16
  modbus.regval_uint16 modbus.bitnum modbus.bitval modbus.exception_code modbus.request_frame
  mbrtu.crc16.status`.split(/\s+/);

const module = await buildDecoder();
const folder = mkdtempSync(join(tmpdir(), "ferrule-oracle-"));
after(() => rmSync(folder, { recursive: true, force: true }));

// pcap 2.4, a packet a frame.
function encodePcap(capture: Capture): Buffer {
  const requests = new Set(capture.expected.transactions.map((one) => one.t_request_us));
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(SNAP_BYTES, 16);
  head.writeUInt32LE(LINK_TYPE_RTAC_SERIAL, 20);
  const packets = framesOf(capture).map(([from, to]) => {
    const endUs = capture.timesUs[to - 1]!;
    const time = [Math.floor(endUs / 1e6), Math.floor(endUs % 1e6)] as const;
    const packet = Buffer.alloc(28); // its own head, and that of RTAC
    time.forEach((part, i) => packet.writeUInt32LE(part, i * 4));
    for (const at of [8, 12]) packet.writeUInt32LE(12 + to - from, at);
    time.forEach((part, i) => packet.writeUInt32BE(part, 16 + i * 4));
    packet[24] = requests.has(endUs) ? REQUEST : ANSWER;
    return Buffer.concat([packet, capture.octets.subarray(from, to)]);
  });
  return Buffer.concat([head, ...packets]);
}

function dissect(capture: Capture): string[] {
  const file = join(folder, "line.pcap");
  writeFileSync(file, encodePcap(capture));
  const options = ["-d", "rtacser.data,mbrtu", "-o", "mbrtu.crc_verification:TRUE"];
  const fields = ["-T", "fields", "-E", "separator=;", ...FIELDS.flatMap((one) => ["-e", one])];
  const text = execFileSync("tshark", ["-r", file, ...options, ...fields], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return text.toString().trimEnd().split("\n").flatMap(answerOf);
}

// An answer with its request as tshark has it: unit, code, then numbers and values, or the exception.
function answerOf(row: string): string[] {
  const [unit, code, first, registers, values, bits, states, exception, asked, crc] =
    row.split(";");
  if (unit === "") return []; // 4 octets are none to tshark: a request of FC 7, 11, 12, 17
  assert.equal(crc, "1", row);
  if (exception !== "") return [`${unit} ${code} exception ${exception}`];
  if (asked === "") return [];
  if (code === "16") return [`${unit} 16 ${first}`];
  if (["1", "2"].includes(code!)) return [`${unit} ${code} ${bits}: ${states}`];
  return ["3", "4"].includes(code!) ? [`${unit} ${code} ${registers}: ${values}`] : [];
}

function hear({ octets, timesUs }: Capture): string[] {
  const decoder = createDecoder(module, CHARACTER_US);
  octets.forEach((octet, i) => decoder.put(WIRE_ONE, octet, timesUs[i]!));
  for (let ms = 10; ms < 3000; ms += 10) decoder.idle(WIRE_ONE, timesUs.at(-1)! + ms * 1000);
  return decoder.events.flatMap(sayEvent);
}

function sayEvent({ kind, unit, code, address, quantity, reason, values }: HeardEvent): string[] {
  if (kind === TAP_EVENT_EXCEPTION) return [`${unit} ${code & 0x7f} exception ${reason}`];
  if (kind === TAP_EVENT_WRITE && code === 16) return [`${unit} 16 ${address}`];
  if (kind !== TAP_EVENT_READ || code > 4) return [];
  const numbers = Array.from({ length: quantity }, (_, i) => address + i);
  const list = numbers.map((_, i) =>
    code <= 2 ? (values[i >> 3]! >> (i & 7)) & 1 : (values[2 * i]! << 8) | values[2 * i + 1]!,
  );
  return [`${unit} ${code} ${numbers.join()}: ${list.join()}`];
}

for (const file of OWN)
  test(`${file.split("/").at(-1)}: tshark reads what the tap tells`, need.program("tshark"), () => {
    const capture = readCapture(file);
    assert.deepEqual(hear(capture), dissect(capture));
  });

// Where a request was lost tshark gives its answer to an older one of that unit, whatever was asked.
const UNDAMAGED = RECORDINGS.filter((file) => !file.includes("noisy"));

for (const file of UNDAMAGED) {
  const needs = need.shared(file);
  const options = needs.skip === false ? need.program("tshark") : needs;
  test(`${file}: tshark reads what the tap tells`, options, () => {
    const capture = readCapture(need.sharedFile(file));
    assert.deepEqual(hear(capture), dissect(capture));
  });
}
