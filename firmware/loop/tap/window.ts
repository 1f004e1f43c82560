// SPDX-License-Identifier: MIT
// The last octets of a line; any stretch has its CRC checked in constant time.
//
// Spec: Modbus over serial line 1.02 §6.2.2 (polynomial A001 reflected, start FFFF, low octet first).
// Fixed memory, at most MODBUS_FRAME_BYTES_MAX octets; positions wrap at 256.
//
// A frame is right when its bits, the first 16 turned, sum to zero if bit k weighs x^-k: the ordinary
// CRC weighs it x^(n-k), and x is invertible. Such weights do not depend on where the frame ends, so
// a running sum over the whole line serves every frame: sums[end] must equal wanted[start].
// That is one CRC per octet (8 shifts), whatever has to be tried again after damage.

import { USES_MODBUS_ASCII } from "../../generated/uses";
import { MODBUS_FRAME_BYTES_MAX } from "../../limits";

const POLYNOMIAL: u32 = 0xa001;
const MASK: u32 = MODBUS_FRAME_BYTES_MAX - 1; // 255: the size is a power of two

/**
 * Followed in memory by the octets (u8), once more by the octets, so that any stretch of them lies in one
 * piece, then by the sums and the wanted sums (u16), 256 of each.
 */
@unmanaged
export class Window {
  head: u32; // position of the oldest octet
  fill: i32; // octets kept
  sum: u32; // of the line so far
  weight: u32; // of the next bit; 0 only before the first octet
  checked: u32; // 1: what is in the window is one frame whose check was done elsewhere
}

const OCTETS: usize = offsetof<Window>();
const SUMS: usize = OCTETS + MODBUS_FRAME_BYTES_MAX * 2;
const WANTED: usize = SUMS + MODBUS_FRAME_BYTES_MAX * 2;

/** Memory of one window. */
export const WINDOW_BYTES: usize = WANTED + MODBUS_FRAME_BYTES_MAX * 2;

/** Appends an octet; there must be room. */
export function putOctet(window: Window, octet: u32): void {
  assert(window.fill < MODBUS_FRAME_BYTES_MAX);
  const base = changetype<usize>(window);
  const at: usize = (window.head + window.fill) & MASK;
  const before = window.sum;
  let weight: u32 = window.weight == 0 ? 1 : window.weight;
  let sum = before;
  let ones: u32 = 0; // what eight turned bits add here
  for (let bit = 0; bit < 8; bit++) {
    if ((octet >> bit) & 1) sum ^= weight;
    ones ^= weight;
    weight = divideByX(weight);
  }
  store<u8>(base + at, octet, OCTETS);
  store<u8>(base + at, octet, OCTETS + MODBUS_FRAME_BYTES_MAX);
  store<u16>(base + (at << 1), sum, SUMS);
  // A frame that starts here has this octet and the next one turned; so has one octet before.
  store<u16>(base + (at << 1), before ^ ones, WANTED);
  const previous: usize = base + (((at - 1) & MASK) << 1);
  store<u16>(previous, load<u16>(previous, WANTED) ^ ones, WANTED);
  window.sum = sum;
  window.weight = weight;
  window.fill++;
}

/** Address of the octet `index` after the head; those up to `fill` follow it. */
export function octetsFrom(window: Window, index: i32): usize {
  return changetype<usize>(window) + OCTETS + window.head + index;
}

/** Octet `index` (below MODBUS_FRAME_BYTES_MAX) after the head. */
export function octetAt(window: Window, index: i32): i32 {
  const at: usize = (window.head + index) & MASK;
  return load<u8>(changetype<usize>(window) + at, OCTETS);
}

/** Big-endian 16 bits from octet `index` after the head. */
export function wordAt(window: Window, index: i32): i32 {
  return (octetAt(window, index) << 8) | octetAt(window, index + 1);
}

/** True when the first `length` octets (at least 4, at most `fill`) end in their own CRC. */
export function isWhole(window: Window, length: i32): bool {
  if (length < 4 || length > window.fill) return false;
  if (USES_MODBUS_ASCII && window.checked) return length == window.fill;
  const base = changetype<usize>(window);
  const start: usize = window.head;
  const end: usize = (window.head + length - 1) & MASK;
  return load<u16>(base + (end << 1), SUMS) == load<u16>(base + (start << 1), WANTED);
}

/** Empties the window for a frame that is checked elsewhere; its sum starts anew, so it names the frame. */
export function beginFrame(window: Window): void {
  window.fill = 0;
  window.sum = 0;
  window.weight = 1;
}

/** Ends such a frame: its sum stands where RTU has the CRC. */
export function endFrame(window: Window): void {
  const sum = window.sum;
  putOctet(window, sum & 0xff);
  putOctet(window, sum >> 8);
}

/** Lets go of the first `count` octets; they can be read until others take their place. */
export function dropOctets(window: Window, count: i32): void {
  assert(count <= window.fill);
  window.head = (window.head + count) & MASK;
  window.fill -= count;
}

// In the reflected order a multiplication by x shifts right; this is its inverse.
function divideByX(weight: u32): u32 {
  return weight & 0x8000 ? ((weight ^ POLYNOMIAL) << 1) | 1 : weight << 1;
}
