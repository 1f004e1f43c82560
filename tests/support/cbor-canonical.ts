// SPDX-License-Identifier: MIT
// One text for what octets mean, made by the hub, cbor-x and python3-cbor2.
//
// Integers are i, floats r with their 64 bits, texts t, octets b, fractions d<exponent>:<mantissa>.

import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { addExtension, Decoder } from "cbor-x";
import type { CborReader } from "../../hub/cbor-reader.ts";
import * as cbor from "../../hub/cbor-reader.ts";
import { Decimal } from "./pack.ts";

const TEXT_CHARS_MAX = 100_000;

/** By the hub's reader; the octets passed its check. */
export function byHub(bytes: Uint8Array): string {
  const reader = cbor.createCborReader();
  cbor.startReading(reader, bytes);
  const text = hubItem(reader);
  if (reader.failed || reader.at !== bytes.length) throw new Error("the reader failed");
  return text;
}

function hubItem(reader: CborReader): string {
  const major = cbor.majorType(reader);
  if (major < 2) return `i${cbor.takeInteger(reader)}`;
  if (major === 2) return hubOctets(reader, "b");
  if (major === 3) return hubOctets(reader, "t");
  if (major === 4)
    return `[${Array.from({ length: cbor.takeArray(reader) }, () => hubItem(reader)).join()}]`;
  if (major === 5)
    return `{${Array.from(
      { length: cbor.takeMap(reader) },
      () => `${hubItem(reader)}=${hubItem(reader)}`,
    ).join()}}`;
  if (major === 6) {
    // The value itself is tested apart; here an exponent of any size must be the same.
    reader.at += 2;
    return `d${cbor.takeInteger(reader)}:${cbor.takeInteger(reader)}`;
  }
  const octet = reader.bytes[reader.at];
  if (octet === 0xf4 || octet === 0xf5) return String(cbor.takeBoolean(reader));
  return floatText(cbor.takeNumber(reader));
}

/** The reader skips what it passes over: its octets are the item's. */
function hubOctets(reader: CborReader, sign: string): string {
  const from = reader.at;
  cbor.skipItem(reader);
  const item = reader.bytes.subarray(from, reader.at);
  const info = item[0]! & 31;
  const headBytes = info < 24 ? 1 : 1 + (1 << (info - 24));
  if (item.length > TEXT_CHARS_MAX) throw new Error("too long");
  return sign + Buffer.from(item.subarray(headBytes)).toString("hex");
}

addExtension({
  Class: Decimal,
  tag: 4,
  encode: () => null,
  decode: ([e, m]: [number, number]) => new Decimal(e, m),
} as unknown as Parameters<typeof addExtension>[0]);
const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });

/** By cbor-x. */
export function byCborX(bytes: Uint8Array): string {
  // Integers and floats come out alike, so floats are told apart by the hub's text.
  return anyItem(decoder.decode(Buffer.from(bytes)));
}

function anyItem(item: unknown): string {
  if (typeof item === "number" || typeof item === "bigint") return numberText(Number(item));
  if (typeof item === "boolean") return String(item);
  if (typeof item === "string") return `t${Buffer.from(item, "utf8").toString("hex")}`;
  if (item instanceof Uint8Array) return `b${Buffer.from(item).toString("hex")}`;
  if (item instanceof Decimal) return `d${Number(item.e)}:${Number(item.m)}`;
  if (Array.isArray(item)) return `[${item.map(anyItem).join()}]`;
  if (item instanceof Map)
    return `{${[...item].map(([key, value]) => `${anyItem(key)}=${anyItem(value)}`).join()}}`;
  throw new Error(`cbor-x gave ${typeof item}`);
}

function numberText(value: number): string {
  return Number.isInteger(value) && !Object.is(value, -0) ? `i${value}` : floatText(value);
}

function floatText(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return `r${bytes.toString("hex")}`;
}

/** A text of byHub() with floats that are whole numbers written as cbor-x gives them. */
export function asCborX(text: string): string {
  return text.replace(/r([0-9a-f]{16})/g, (_, hex: string) =>
    numberText(Buffer.from(hex, "hex").readDoubleBE()),
  );
}

const SCRIPT = `
import sys, struct, decimal, cbor2
def show(x):
    if x is True: return "true"
    if x is False: return "false"
    if isinstance(x, int): return "i%d" % x
    if isinstance(x, float): return "r" + struct.pack(">d", x).hex()
    if isinstance(x, str): return "t" + x.encode("utf8").hex()
    if isinstance(x, bytes): return "b" + x.hex()
    if isinstance(x, decimal.Decimal):
        sign, digits, exponent = x.as_tuple()
        return "d%d:%d" % (exponent, (-1 if sign else 1) * int("".join(map(str, digits)) or "0"))
    if isinstance(x, (list, tuple)): return "[" + ",".join(show(i) for i in x) + "]"
    if isinstance(x, dict):
        return "{" + ",".join(show(k) + "=" + show(v) for k, v in x.items()) + "}"
    return "?" + type(x).__name__
for line in sys.stdin:
    try: print(show(cbor2.loads(bytes.fromhex(line.strip()))))
    except Exception as error: print("!" + type(error).__name__)
`;

/** By Debian's python3-cbor2, all at once; a text that starts with ! is its refusal. */
export function byPython(many: readonly Uint8Array[]): string[] {
  const input = many.map((bytes) => Buffer.from(bytes).toString("hex")).join("\n");
  const result = spawnSync("/usr/bin/python3", ["-c", SCRIPT], { input, maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(result.stderr.toString());
  return result.stdout.toString().trimEnd().split("\n");
}
