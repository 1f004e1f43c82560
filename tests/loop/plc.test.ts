// SPDX-License-Identifier: MIT
// Goal: what controllers and drives say is read value for value, nothing else.
// Method: each decoder hears the line of our own, the shared capture, damage and noise; the generator of the lines says what must
// be told, in the terms of its protocol.

import assert from "node:assert/strict";
import test from "node:test";
import * as wire from "../../firmware/wire/tap.ts";
import { detectOctets } from "../../scripts/tap/detect.ts";
import { buildProbe } from "../../scripts/tap/probe.ts";
import { buildDecoder, type DecoderEvent } from "../support/decoder.ts";
import * as need from "../support/need.ts";
import * as plc from "../support/plc.ts";

const EVENT_READ = 1;
const EVENT_EXCEPTION = 3;
const EVENT_UNANSWERED = 4;
const DAMAGED = 150; // octets, at least two exchanges

type Expected = Record<string, unknown>;

interface Protocol {
  name: string;
  number: number;
  file: string; // shared capture
  frames: number; // in it
  /** What is expected, and what an event says, in the same words. */
  want(one: Expected): unknown;
  tell(event: DecoderEvent): unknown;
}

const words = (octets: Uint8Array, isLittle: boolean): number[] =>
  Array.from({ length: octets.length / 2 }, (_, i) =>
    isLittle
      ? octets[2 * i]! | (octets[2 * i + 1]! << 8)
      : (octets[2 * i]! << 8) | octets[2 * i + 1]!,
  );

const DF1: Protocol = {
  name: "df1",
  number: wire.PROTOCOL_DF1,
  file: "df1-crc",
  frames: 20,
  want: ({ file, element, count, values, status }) => ({
    at: [file, element],
    bytes: Number(count) * 2,
    ...(status === undefined ? { values } : { status }),
  }),
  tell({ kind, code, address, quantity, reason, values }) {
    assert.equal(code, 0xa2);
    const numbers = words(values, true).map((word) => (word << 16) >> 16);
    return {
      at: [address >> 16, address & 0xffff],
      bytes: quantity,
      ...(kind === EVENT_READ ? { values: numbers } : { status: reason }),
    };
  },
};

const percent = (word: number): number => Math.round((word / 0x4000) * 100_000) / 1000;

const USS: Protocol = {
  name: "uss",
  number: wire.PROTOCOL_USS,
  file: "uss-two-drives",
  frames: 32,
  want: ({ drive, status_word, actual_percent }) => [drive, status_word, actual_percent],
  tell({ unit, values }) {
    const [status, actual] = words(values.slice(8), false); // behind four words of PKW
    return [unit, status!.toString(16), percent(actual!)];
  },
};

const HOST_LINK: Protocol = {
  name: "host-link",
  number: wire.PROTOCOL_HOST_LINK,
  file: "hostlink-poll",
  frames: 20,
  want: ({ unit, command, address, count, end_code, values }) => [
    unit,
    command,
    address,
    count,
    end_code,
    values ?? [],
  ],
  tell({ unit, code, address, quantity, reason, values }) {
    const command = String.fromCharCode(code >> 8, code & 255);
    const end = reason.toString(16).padStart(2, "0");
    return [unit, command, address, quantity, end, words(values, false)];
  },
};

const S3964R: Protocol = {
  name: "3964r",
  number: wire.PROTOCOL_3964R,
  file: "s3964r-rk512",
  frames: 10,
  want: ({ command, data_block, data_word, count, values }) => [
    command,
    data_block,
    data_word,
    count,
    values,
  ],
  tell({ code, address, quantity, values }) {
    const command = String.fromCharCode(code >> 8, code & 255);
    return [command, address >> 8, address & 255, quantity, words(values, false)];
  },
};

const MELSEC_FX: Protocol = {
  name: "melsec-fx",
  number: wire.PROTOCOL_MELSEC_FX,
  file: "fx-programming-port",
  frames: 16,
  want: ({ number, count, values }) => [0x1000 + 2 * Number(number), Number(count) * 2, values],
  tell({ code, address, quantity, values }) {
    assert.equal(code, 0x30);
    return [address, quantity, words(values, true)];
  },
};

const PROTOCOLS = [DF1, USS, HOST_LINK, S3964R, MELSEC_FX];

const probe = await buildProbe();

for (const protocol of PROTOCOLS) {
  const { name, number, file } = protocol;
  const shared = `taps/synthetic/${file}.jsonl`;
  const module = await buildDecoder(number);
  const own = plc.ownLine(name);
  const isClaim = ({ kind }: DecoderEvent): boolean => kind !== EVENT_UNANSWERED;

  const check = ({ trace, expected }: plc.PlcLine): plc.Heard => {
    const heard = plc.hear(module, trace);
    const told = heard.events.filter(isClaim);
    assert.deepEqual(told.map(protocol.tell), expected.map(protocol.want));
    for (const { kind, reason, answerUs } of told) {
      assert.ok(kind === EVENT_READ || (kind === EVENT_EXCEPTION && reason !== 0));
      assert.ok(answerUs > 0 && answerUs < 200_000);
    }
    assert.equal(heard.counters["pairs"], expected.length);
    assert.equal(heard.counters["junk_bytes"], 0);
    return heard;
  };

  test(`${name}: all of our own line is told`, () => {
    check(own);
  });

  test(`${name}: all of the shared capture is told`, need.shared(shared), () => {
    const { counters } = check(plc.sharedLine(shared, "transactions"));
    assert.deepEqual([counters["frames"], counters["unanswered"]], [protocol.frames, 0]);
  });

  test(`${name}: each octet lost and each bit turned tells nothing untrue`, () => {
    const { octets, timesUs, ...rest } = own.trace;
    const some = { ...rest, octets: octets.slice(0, DAMAGED), timesUs: timesUs.slice(0, DAMAGED) };
    plc.checkDamage(module, some, isClaim);
  });

  test(`${name}: a mebibyte of noise tells nothing`, (t) => {
    const { counters } = plc.checkNoise(module, 1500 + number);
    t.diagnostic(`${counters["frames"]} frames in noise`);
  });

  test(`${name}: a tap that finds its line knows it`, () => {
    const { octets, timesUs } = own.trace;
    const characters = Array.from(octets, (octet, i) => ({ octet, flags: 0, atUs: timesUs[i]! }));
    assert.equal(detectOctets(probe, characters).protocol, name);
  });
}

test("df1: a line with sums is read, the addresses and the number must fit", async () => {
  const module = await buildDecoder(wire.PROTOCOL_DF1);
  const frame = (hex: string): number[] => {
    const octets = [...Buffer.from(hex, "hex")];
    const sum = octets.reduce((all, octet) => all + octet, 0);
    const doubled = octets.flatMap((octet) => (octet === 16 ? [16, 16] : [octet]));
    return [16, 2, ...doubled, 16, 3, -sum & 255];
  };
  const question = frame("01000f007856a202078910" + "00");
  const right = frame("00014f0078561027");
  for (const [said, kinds] of [
    [[question, right], [EVENT_READ]],
    [[question, frame("00014f0079561027")], [EVENT_UNANSWERED]],
    [[question, frame("00024f0078561027")], [EVENT_UNANSWERED]],
  ] as const) {
    const { events } = plc.hearHex(module, Buffer.from(said.flat()).toString("hex"));
    assert.deepEqual(
      events.map(({ kind }) => kind),
      kinds,
    );
  }
});
