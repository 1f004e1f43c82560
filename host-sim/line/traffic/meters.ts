// SPDX-License-Identifier: MIT
// Meters: DSMR P1 telegrams, SML files, M-Bus polls and answers.
//
// Spec: DSMR P1 companion standard 5.0 §6; SML 1.04 (octets of type and length); EN 13757-2/3. Values
// count up, power walks.

import type { Prng } from "../../prng.ts";
import { ascii, crc16, crcX25, digits, hexDigits, little, sum8, type Message } from "./message.ts";

/** Telegrams of version 4 and 5, with their CRC. */
export function dsmrP1(prng: Prng, exchanges: number): Message[] {
  const serial = digits(prng.below(1e9), 9);
  let wattHours = prng.below(9_000_000);
  return Array.from({ length: exchanges }, (_, i): Message => {
    const watts = prng.below(5000);
    wattHours += watts;
    const energy = `${digits(Math.floor(wattHours / 1000), 6)}.${digits(wattHours % 1000, 3)}`;
    const lines = [
      "/FRL5\\2VIRTUAL-3P",
      "",
      "1-3:0.2.8(50)",
      `0-0:1.0.0(2408011200${digits(i % 60, 2)}S)`,
      `0-0:96.1.1(${serial})`,
      `1-0:1.8.1(${energy}*kWh)`,
      "1-0:2.8.1(000000.000*kWh)",
      `1-0:1.7.0(${digits(Math.floor(watts / 1000), 2)}.${digits(watts % 1000, 3)}*kW)`,
      `1-0:32.7.0(${225 + prng.below(10)}.${prng.below(10)}*V)`,
    ];
    const body = ascii(`${lines.join("\r\n")}\r\n!`);
    const crc = hexDigits(crc16(body, 0xa001, 0), 4);
    return { from: 0, octets: [...body, ...ascii(`${crc}\r\n`)] };
  });
}

const ESCAPE = [0x1b, 0x1b, 0x1b, 0x1b];
const WATT_HOURS = 30;
const WATTS = 27;

/** Files of three messages: open, list, close. */
export function sml(prng: Prng, exchanges: number): Message[] {
  const server = [0x0b, 0x0a, 0x01, 0x46, 0x52, 0x4c, ...little(prng.nextU32(), 4), 0x00];
  let energy = prng.below(90_000_000);
  return Array.from({ length: exchanges }, (_, i): Message => {
    energy += prng.below(300);
    const list = [
      ...[0x77, 0x01, ...server, 0x01, 0x72, 0x62, 0x01, 0x65, ...little(i, 4).reverse(), 0x72],
      ...smlEntry([1, 0, 1, 8, 0, 255], WATT_HOURS, energy),
      ...smlEntry([1, 0, 16, 7, 0, 255], WATTS, prng.below(50_000)),
      ...[0x01, 0x01],
    ];
    const open = [0x76, 0x01, 0x01, 0x05, ...little(i, 4), ...server, 0x01, 0x01];
    return {
      from: 0,
      octets: smlFile([
        smlMessage(i * 3, 0x0101, open),
        smlMessage(i * 3 + 1, 0x0701, list),
        smlMessage(i * 3 + 2, 0x0201, [0x71, 0x01]),
      ]),
    };
  });
}

// Name, no status, no time, unit, scaler -1, value, no signature.
function smlEntry(obis: number[], unit: number, value: number): number[] {
  const head = [0x77, 0x07, ...obis, 0x01, 0x01, 0x62, unit, 0x52, 0xff];
  return [...head, 0x59, ...little(value, 8).reverse(), 0x01];
}

function smlMessage(transaction: number, tag: number, body: number[]): number[] {
  const id = [0x05, ...little(transaction, 4)];
  const message = [0x76, ...id, 0x62, 0, 0x62, 0, 0x72, 0x63, tag >> 8, tag & 0xff, ...body];
  return [...message, 0x63, ...little(crcX25(message), 2), 0x00];
}

function smlFile(messages: number[][]): number[] {
  const body = messages.flat();
  const pad = -body.length & 3;
  const padded = [...body, ...little(0, pad)];
  // Four octets 1b in a row are doubled, at whatever place they stand.
  for (let i = 0; i + 4 <= padded.length; i++)
    if (padded.slice(i, i + 4).every((octet) => octet === 0x1b)) {
      padded.splice(i, 0, ...ESCAPE);
      i += 7;
    }
  const file = [...ESCAPE, 1, 1, 1, 1, ...padded, ...ESCAPE, 0x1a, pad];
  return [...file, ...little(crcX25(file), 2)];
}

const METERS_MAX = 6;

/** A master that asks its meters in turn. */
export function mBus(prng: Prng, exchanges: number): Message[] {
  const meters = Array.from({ length: 1 + prng.below(METERS_MAX) }, (_, i) => ({
    address: i + 1,
    id: digits(prng.below(1e8), 8),
    energy: prng.below(1e7),
  }));
  const messages: Message[] = [];
  for (let i = 0; i < exchanges; i++) {
    const meter = meters[i % meters.length]!;
    meter.energy += prng.below(20);
    if (i < meters.length)
      messages.push({ from: 0, octets: short(0x40, meter.address) }, { from: 1, octets: [0xe5] });
    messages.push(
      { from: 0, octets: short(i % 2 === 0 ? 0x5b : 0x7b, meter.address) },
      { from: 1, octets: long([0x08, meter.address, 0x72, ...answer(prng, meter, i)]) },
    );
  }
  return messages;
}

function answer(
  prng: Prng,
  { id, energy }: { id: string; energy: number },
  access: number,
): number[] {
  const bcd = Array.from({ length: 4 }, (_, i) => parseInt(id.slice(6 - 2 * i, 8 - 2 * i), 16));
  const header = [...bcd, 0x4c, 0x1a, 0x01, 0x04, access & 0xff, 0x00, 0x00, 0x00];
  return [
    ...header,
    ...[0x04, 0x06, ...little(energy, 4)], // kWh
    ...[0x04, 0x13, ...little(energy * 3, 4)], // l
    ...[0x02, 0x5b, ...little(20 + prng.below(70), 2)], // °C, flow
    ...[0x02, 0x5f, ...little(10 + prng.below(40), 2)], // return
    ...[0x02, 0x2d, ...little(prng.below(500), 2)], // 100 W
  ];
}

function short(control: number, address: number): number[] {
  return [0x10, control, address, sum8([control, address]), 0x16];
}

function long(body: number[]): number[] {
  return [0x68, body.length, body.length, 0x68, ...body, sum8(body), 0x16];
}
