// SPDX-License-Identifier: MIT
// Telegrams of meters, made for tests: P1, IEC 62056-21, SML, M-Bus.
//
// The checks are reckoned here in ways of their own, by polynomial division over bits and by plain sums.

/** Remainder of a message whose bits come lowest first, as both CRCs of meters have it. */
function crc16(octets: Iterable<number>, polynomial: number, start: number): number {
  // Long division: the register holds the bits in the order of the wire, the oldest on top.
  let register = reversed(start);
  for (const octet of octets)
    for (let bit = 0; bit < 8; bit++) {
      const top = (register >> 15) ^ ((octet >> bit) & 1);
      register = ((register << 1) & 0xffff) ^ (top === 1 ? polynomial : 0);
    }
  return reversed(register);
}

function reversed(word: number): number {
  return parseInt([...word.toString(2).padStart(16, "0")].reverse().join(""), 2);
}

/** CRC-16/ARC: x^16 + x^15 + x^2 + 1. */
export function crcArc(octets: Iterable<number>): number {
  return crc16(octets, 0x8005, 0);
}

/** CRC-16/X-25: x^16 + x^12 + x^5 + 1, start and end inverted. */
export function crcX25(octets: Iterable<number>): number {
  return crc16(octets, 0x1021, 0xffff) ^ 0xffff;
}

/** CRC-16/KERMIT: the same polynomial, nothing inverted. */
export function crcKermit(octets: Iterable<number>): number {
  return crc16(octets, 0x1021, 0);
}

const bytes = (text: string): number[] => [...Buffer.from(text, "latin1")];

/** A P1 telegram; `digits` writes the CRC, by default four of them, and may leave it out. */
export function p1Telegram(
  lines: string[],
  digits = (crc: number): string => crc.toString(16).toUpperCase().padStart(4, "0"),
  identification = "/FRL5\\2own-work",
): Uint8Array {
  const body = [identification, "", ...lines, "!"].join("\r\n");
  return Uint8Array.from(bytes(`${body}${digits(crcArc(bytes(body)))}\r\n`));
}

/** A pushed telegram of mode D, without any check. */
export function pushedTelegram(lines: string[]): Uint8Array {
  return Uint8Array.from(bytes(["/FRL3own-work", "", ...lines, "!", ""].join("\r\n")));
}

/** STX or SOH, text, ETX and the check character. */
export function block(text: string, start = 2): number[] {
  const body = [...bytes(text), 3];
  return [start, ...body, body.reduce((a, b) => a ^ b)];
}

/** A whole read-out: sign-on, identification, acknowledge where there is one, data. */
export function readOut(
  lines: string[],
  letter = "5",
  acknowledge = `\x060${letter}0\r\n`,
): Uint8Array {
  const signOn = `/?!\r\n/FRL${letter}own-work\r\n${acknowledge}`;
  return Uint8Array.from([...bytes(signOn), ...block(`${lines.join("\r\n")}\r\n!\r\n`)]);
}

/** One entry of a list: OBIS code, value, and what it is worth. */
export interface SmlEntry {
  obis: number[];
  value: bigint | string; // a text is an octet string
  bytes?: number; // of the value
  signed?: boolean;
  scaler?: number;
  unit?: number;
}

/** Octets of a TL field and a content of `length` octets, the field counted. */
function tl(type: number, length: number): number[] {
  if (type === 7) return length < 16 ? [0x70 | length] : [0xf0 | (length >> 4), length & 15];
  const whole = length + 1;
  if (whole < 16) return [(type << 4) | whole];
  return [0x80 | (type << 4) | ((length + 2) >> 4), (length + 2) & 15];
}

const octetString = (octets: number[]): number[] => [...tl(0, octets.length), ...octets];
const integer = (type: number, value: bigint, length: number): number[] => [
  ...tl(type, length),
  ...Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 255n)),
];
const NOTHING = [0x01];

function message(body: number[], tag: number): number[] {
  const head = [
    ...tl(7, 6),
    ...octetString([1, 2, 3, 4]),
    ...integer(6, 0n, 1),
    ...integer(6, 0n, 1),
  ];
  const open = [...head, ...tl(7, 2), ...integer(6, BigInt(tag), 2), ...body];
  const crc = crcX25(open);
  return [...open, ...integer(6, BigInt(((crc & 255) << 8) | (crc >> 8)), 2), 0x00];
}

function entryOf({
  obis,
  value,
  bytes: length = 8,
  signed = true,
  scaler,
  unit,
}: SmlEntry): number[] {
  const content =
    typeof value === "string" ? octetString(bytes(value)) : integer(signed ? 5 : 6, value, length);
  return [
    ...tl(7, 7),
    ...octetString(obis),
    ...NOTHING, // status
    ...[...tl(7, 2), ...integer(6, 1n, 1), ...integer(6, 77_000n, 4)], // a time, a list of its own
    ...(unit === undefined ? NOTHING : integer(6, BigInt(unit), 1)),
    ...(scaler === undefined ? NOTHING : integer(5, BigInt(scaler), 1)),
    ...content,
    ...NOTHING, // signature
  ];
}

/** An SML telegram with one GetList answer; `crc` as another CRC, `raw` in place of the messages. */
export function smlTelegram(entries: SmlEntry[], crc = crcX25, raw?: number[]): Uint8Array {
  const list = [
    ...tl(7, 7),
    ...NOTHING,
    ...octetString(bytes("own-work")),
    ...NOTHING,
    ...NOTHING,
    ...tl(7, entries.length),
    ...entries.flatMap(entryOf),
    ...NOTHING,
    ...NOTHING,
  ];
  const opening = [
    ...tl(7, 6),
    ...NOTHING,
    ...NOTHING,
    ...octetString([9]),
    ...octetString([8]),
    ...NOTHING,
    ...NOTHING,
  ];
  const closing = [...tl(7, 1), ...NOTHING];
  const file = raw ?? [
    ...message(opening, 0x0101),
    ...message(list, 0x0701),
    ...message(closing, 0x0201),
  ];
  const fill = (4 - (file.length % 4)) % 4;
  const padded = [...file, ...Array<number>(fill).fill(0)];
  const open = [
    0x1b,
    0x1b,
    0x1b,
    0x1b,
    1,
    1,
    1,
    1,
    ...escaped(padded),
    0x1b,
    0x1b,
    0x1b,
    0x1b,
    0x1a,
    fill,
  ];
  const check = crc(open);
  return Uint8Array.from([...open, check & 255, check >> 8]);
}

// Four octets 1B of the content are written twice.
function escaped(octets: number[]): number[] {
  const out: number[] = [];
  let run = 0;
  for (const octet of octets) {
    out.push(octet);
    run = octet === 0x1b ? run + 1 : 0;
    if (run < 4) continue;
    out.push(0x1b, 0x1b, 0x1b, 0x1b);
    run = 0;
  }
  return out;
}

const sum = (octets: number[]): number => octets.reduce((a, b) => a + b, 0) % 256;

/** A long frame of M-Bus. */
export function longFrame(control: number, address: number, ci: number, data: number[]): number[] {
  const body = [control, address, ci, ...data];
  return [0x68, body.length, body.length, 0x68, ...body, sum(body), 0x16];
}

/** A short frame of M-Bus. */
export function shortFrame(control: number, address: number): number[] {
  return [0x10, control, address, sum([control, address]), 0x16];
}

/** A meter's header of 12 octets and its records. */
export function meterData(id: string, records: string): number[] {
  const number = [...Buffer.from(id, "hex")].reverse();
  return [
    ...number,
    0x4c,
    0x1a,
    0x01,
    0x04,
    0x2a,
    0x00,
    0x00,
    0x00,
    ...Buffer.from(records, "hex"),
  ];
}
