// SPDX-License-Identifier: MIT
// A map of CBOR as a small SenML record, written by a class.

class Writer {
  bytes: StaticArray<u8> = new StaticArray<u8>(64);
  position: i32 = 0;

  put(value: i32): void {
    this.bytes[this.position] = <u8>value;
    this.position++;
  }

  head(major: i32, argument: u32): void {
    const type = major << 5;
    if (argument < 24) {
      this.put(type | argument);
    } else if (argument < 0x100) {
      this.put(type | 24);
      this.put(argument);
    } else if (argument < 0x10000) {
      this.put(type | 25);
      this.put(argument >> 8);
      this.put(argument);
    } else {
      this.put(type | 26);
      this.put(argument >> 24);
      this.put(argument >> 16);
      this.put(argument >> 8);
      this.put(argument);
    }
  }

  integer(value: i32): void {
    if (value >= 0) this.head(0, value);
    else this.head(1, ~value);
  }

  text(value: string): void {
    const length = value.length;
    this.head(3, length);
    for (let i = 0; i < length; i++) this.put(value.charCodeAt(i));
  }
}

const writer = new Writer();

function reading(time: i32, value: i32): i32 {
  writer.position = 0;
  writer.head(5, 5);
  writer.integer(-2);
  writer.text("dev1");
  writer.integer(-3);
  writer.integer(time);
  writer.integer(0);
  writer.text("temp");
  writer.integer(1);
  writer.text("Cel");
  writer.integer(2);
  writer.head(6, 4);
  writer.head(4, 2);
  writer.integer(-2);
  writer.integer(value);
  return writer.position;
}

export function run(n: i32): i32 {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const length = reading(1000000 + i, 2137 - (i << 6));
    for (let k = 0; k < length; k++) sum = (sum * 31 + <i32>writer.bytes[k]) & 0xffff;
  }
  return sum;
}
