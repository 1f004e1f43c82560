// SPDX-License-Identifier: MIT
// Numbers, names and vectors of the binary format, read one after the other.
//
// Spec: WebAssembly 2.0 §5.2. The engine that validated the module before has seen that all of them are well
// formed and end in time; a RangeError here is a mistake of the caller.

export interface Reader {
  readonly bytes: Uint8Array;
  position: number;
  end: number;
}

/** Reads `bytes` from one position to another. */
export function readerOf(bytes: Uint8Array, position = 0, end = bytes.length): Reader {
  return { bytes, position, end };
}

export function isAtEnd(reader: Reader): boolean {
  return reader.position >= reader.end;
}

export function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.position];
  if (byte === undefined) throw new RangeError(`the module ends at ${reader.position}`);
  reader.position++;
  return byte;
}

/** An unsigned number of at most 32 bits. */
export function readU32(reader: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readByte(reader);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new RangeError(`a number at ${reader.position} is too long`);
}

/** A signed number of at most `bits` bits, as its two's complement. */
export function readSigned(reader: Reader, bits: number): bigint {
  let value = 0n;
  let shift = 0n;
  for (;;) {
    const byte = readByte(reader);
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    if ((byte & 0x40) !== 0) value -= 1n << shift;
    return BigInt.asUintN(bits, value);
  }
}

/** Little-endian bits of a float. */
export function readBits32(reader: Reader): number {
  const at = take(reader, 4);
  return new DataView(at.buffer, at.byteOffset, 4).getUint32(0, true);
}

export function readBits64(reader: Reader): bigint {
  const at = take(reader, 8);
  return new DataView(at.buffer, at.byteOffset, 8).getBigUint64(0, true);
}

/** The next octets, not copied. */
export function take(reader: Reader, length: number): Uint8Array {
  const start = reader.position;
  if (start + length > reader.end) throw new RangeError(`the module ends at ${reader.end}`);
  reader.position += length;
  return reader.bytes.subarray(start, start + length);
}

export function readName(reader: Reader): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    take(reader, readU32(reader)),
  );
}

/** As many as a count in front says. */
export function readVector<T>(reader: Reader, readOne: (reader: Reader) => T): T[] {
  const count = readU32(reader);
  const list: T[] = [];
  for (let i = 0; i < count; i++) list.push(readOne(reader));
  return list;
}
