// SPDX-License-Identifier: MIT
// Reads an Intel HEX file, and what storage of an Espruino board it holds.
//
// Records 00 (octets), 01 (end) and 04 (upper half of the address) are known; anything else is refused. Storage is files
// one after the other: `size u32 | name 28 (zeros after it) | octets, up to a multiple of 4`; FF follows the last.

const RECORD = /^:([0-9A-F]{2})([0-9A-F]{4})([0-9A-F]{2})((?:[0-9A-F]{2})*)([0-9A-F]{2})$/i;
const HEX_BYTES_MAX = 1 << 24; // of an image: no such chip has more
const HEADER_BYTES = 32;
const SIZE_FREE = 0xffffffff;

export class HexError extends Error {}

export interface HexImage {
  address: number; // of its first octet
  bytes: Uint8Array; // FF where the file says nothing
}

/** The image that a HEX file holds. Throws HexError with the line. */
export function readHex(text: string): HexImage {
  const pieces: { address: number; bytes: Uint8Array }[] = [];
  let upper = 0;
  let ended = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === "") continue;
    const refuse = (what: string): HexError => new HexError(`line ${index + 1} ${what}`);
    if (ended) throw refuse("follows the end");
    const bytes = recordOf(line);
    if (bytes === undefined) throw refuse("is no record of Intel HEX, or its sum is wrong");
    const [kind, data] = [bytes[3]!, bytes.subarray(4, -1)];
    if (kind === 1) ended = true;
    else if (kind === 4 && data.length === 2) upper = (data[0]! << 8) | data[1]!;
    else if (kind === 0)
      pieces.push({ address: upper * 65_536 + ((bytes[1]! << 8) | bytes[2]!), bytes: data });
    else throw refuse(`has the unknown kind ${kind}`);
  }
  if (!ended) throw new HexError("the file ends without its last record");
  return joined(pieces);
}

function recordOf(line: string): Uint8Array | undefined {
  if (!RECORD.test(line)) return undefined;
  const bytes = Uint8Array.from(Buffer.from(line.slice(1), "hex"));
  const sum = bytes.reduce((total, octet) => total + octet, 0);
  return bytes[0] === bytes.length - 5 && sum % 256 === 0 ? bytes : undefined;
}

function joined(pieces: readonly HexImage[]): HexImage {
  const start = pieces.reduce((least, { address }) => Math.min(least, address), Infinity);
  const end = pieces.reduce(
    (most, { address, bytes }) => Math.max(most, address + bytes.length),
    0,
  );
  if (pieces.length === 0) throw new HexError("the file holds no octet");
  if (end - start > HEX_BYTES_MAX) throw new HexError(`the file spans ${end - start} octets`);
  const all = new Uint8Array(end - start).fill(0xff);
  for (const { address, bytes } of pieces) all.set(bytes, address - start);
  return { address: start, bytes: all };
}

/** Files of a storage by name, from its first octet on. Throws HexError where one does not end. */
export function storageFiles({ bytes }: HexImage): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const size = view.getUint32(at, true);
    if (size === SIZE_FREE) break;
    const name = Buffer.from(bytes.subarray(at + 4, at + HEADER_BYTES));
    const start = at + HEADER_BYTES;
    if (start + size > bytes.length) throw new HexError(`a file at ${at} does not end`);
    files.set(name.toString("latin1").replace(/\0.*$/s, ""), bytes.subarray(start, start + size));
    at = start + 4 * Math.ceil(size / 4);
  }
  return files;
}
