// SPDX-License-Identifier: MIT
// What a hostile or broken DHCP server may send in place of a good answer.

export const TYPE_AT = 242; // the server model writes option 53 first, then 54

/** Each makes something of a good OFFER or ACK that a client may not follow. */
export const HOSTILE: Record<string, (message: Uint8Array) => Uint8Array> = {
  "cut before its options": (message) => message.subarray(0, 239),
  "of no octet": () => new Uint8Array(0),
  "of another transaction": (message) => patched(message, 5, message[5]! ^ 1),
  "for another client": (message) => patched(message, 30, message[30]! ^ 1),
  "a request": (message) => patched(message, 0, 1),
  "without the magic cookie": (message) => patched(message, 238, 0),
  "with an option that runs over the end": (message) => patched(message, message.length - 6, 200),
  "that ends within an option's head": (message) => message.subarray(0, 244),
  "with a server of five octets": (message) => patched(message, 244, 5),
  "for address 0": (message) => patched(message, 16, 0),
  "for the network itself": (message) => patched(message, 19, 0),
  "for a group": (message) => patched(message, 16, 224),
  "with a mask of holes": (message) => withOption(message, 1, [255, 0, 255, 0]),
  "with a mask of one host": (message) => withOption(message, 1, [255, 255, 255, 255]),
  "without a server": (message) => withOption(message, 54, [0, 0, 0, 0]),
  "of an unknown type": (message) => patched(message, TYPE_AT, 77),
  "of 1,400 octets": (message) => Uint8Array.from({ ...message, length: 1400 }),
};

export function patched(message: Uint8Array, at: number, value: number): Uint8Array {
  const copy = message.slice();
  copy[at] = value;
  return copy;
}

/** The same with another value of an option of that length. */
export function withOption(message: Uint8Array, code: number, value: number[]): Uint8Array {
  const copy = message.slice();
  for (let at = 240; at < copy.length && copy[at] !== 255; at += 2 + copy[at + 1]!)
    if (copy[at] === code) copy.set(value, at + 2);
  return copy;
}
