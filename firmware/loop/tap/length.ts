// SPDX-License-Identifier: MIT
// Modbus RTU: how long a frame must be, from its first octets.
//
// Spec: Modbus application protocol 1.1b3 §6 (lengths), §7 (exception codes); serial line 1.02 §2.2 (units).
// Length of the whole frame with address and CRC. 0: these octets start no such frame. A length beyond
// the octets at hand means: wait for that many, then ask again. Fields that cannot be (quantities,
// byte counts, codes) give 0, which prunes false frames in noise. At least two octets must be there.
// Without USES_RARE_CODES FC 1 to 6, 15 and 16 are all that is known.

import { USES_RARE_CODES } from "../../generated/uses";
import { MODBUS_FRAME_BYTES_MAX } from "../../limits";
import { isWhole, octetAt, Window, wordAt } from "./window";

export const UNIT_MAX = 247; // 248..255 are reserved
export const EXCEPTION_FLAG = 0x80;
const DIAGNOSTIC_MAX = 20; // highest sub-function of FC 8
const LOOPBACK_BYTES_MAX = 64; // of FC 8, 0: each length up to it is tried, and waited for
const REFERENCE_TYPE = 6; // of FC 20 and 21, the only one there is
const ENCAPSULATED_READ = 0x0e; // FC 43: read device identification

/** Length if the window starts with a request. */
export function requestLength(window: Window): i32 {
  const code = octetAt(window, 1);
  if (octetAt(window, 0) == 0 && !isBroadcastable(code)) return 0;
  if (!USES_RARE_CODES) return commonRequestLength(window, code);
  switch (code) {
    case 1:
    case 2:
      return quantityFits(window, 2, 2000, 8);
    case 3:
    case 4:
      return quantityFits(window, 2, 125, 8);
    case 5:
      return coilLength(window);
    case 6:
      return 8;
    case 7:
    case 11:
    case 12:
    case 17:
      return 4;
    case 8:
      return diagnosticLength(window);
    case 15:
      return writeLength(window, 1968);
    case 16:
      return writeLength(window, 123);
    case 20:
      return fileLength(window, 7, 245, 3);
    case 21:
      return fileLength(window, 9, 251, 3);
    case 22:
      return 10;
    case 23:
      return readWriteLength(window);
    case 24:
      return 6;
    case 43:
      return identificationRequestLength(window);
    default:
      return 0;
  }
}

/** Length if the window starts with an answer. */
export function answerLength(window: Window): i32 {
  const code = octetAt(window, 1);
  if (octetAt(window, 0) == 0) return 0; // nobody answers a broadcast
  if (code & EXCEPTION_FLAG) return exceptionLength(window, code ^ EXCEPTION_FLAG);
  if (!USES_RARE_CODES) return commonAnswerLength(window, code);
  switch (code) {
    case 1:
    case 2:
      return countedLength(window, 1, 250, false);
    case 3:
    case 4:
    case 23:
      return countedLength(window, 2, 250, true);
    case 5:
      return coilLength(window);
    case 6:
      return 8;
    case 7:
      return 5;
    case 8:
      return diagnosticLength(window);
    case 11:
      return eventCounterLength(window);
    case 12:
      return countedLength(window, 6, 70, false); // status, two counts, up to 64 events
    case 15:
      return quantityFits(window, 2, 1968, 8);
    case 16:
      return quantityFits(window, 2, 123, 8);
    case 17:
      return countedLength(window, 1, 251, false);
    case 20:
      return fileLength(window, 2, 245, 4);
    case 21:
      return fileLength(window, 9, 251, 3);
    case 22:
      return 10;
    case 24:
      return fifoLength(window);
    case 43:
      return identificationLength(window);
    default:
      return 0;
  }
}

// The same where only FC 1 to 6, 15 and 16 are known: without the switch it is a third of the code.
function commonRequestLength(window: Window, code: i32): i32 {
  if (!isKnownCode(code)) return 0;
  if (code > 6) return writeLength(window, code == 15 ? 1968 : 123);
  return code > 4 ? singleLength(window, code) : quantityFits(window, 2, code > 2 ? 125 : 2000, 8);
}

function commonAnswerLength(window: Window, code: i32): i32 {
  if (!isKnownCode(code)) return 0;
  if (code > 6) return quantityFits(window, 2, code == 15 ? 1968 : 123, 8);
  return code > 4
    ? singleLength(window, code)
    : countedLength(window, code > 2 ? 2 : 1, 250, code > 2);
}

function singleLength(window: Window, code: i32): i32 {
  return code == 5 ? coilLength(window) : 8;
}

// The codes of the table.
function isKnownCode(code: i32): bool {
  if (!USES_RARE_CODES) return (code >= 1 && code <= 6) || code == 15 || code == 16;
  return (
    (code >= 1 && code <= 8) ||
    code == 11 ||
    code == 12 ||
    (code >= 15 && code <= 17) ||
    (code >= 20 && code <= 24) ||
    code == 43
  );
}

// Only what changes something can go to all units at once.
function isBroadcastable(code: i32): bool {
  if (!USES_RARE_CODES) return code > 4; // of those that are known at all
  return (
    code == 5 || code == 6 || code == 8 || code == 15 || code == 16 || code == 21 || code == 22
  );
}

// Address at `at`, then a quantity of 1..most that does not run over the last address.
function quantityFits(window: Window, at: i32, most: i32, length: i32): i32 {
  if (window.fill < at + 4) return at + 4;
  const quantity = wordAt(window, at + 2);
  const fits = quantity >= 1 && quantity <= most && wordAt(window, at) + quantity <= 0x10000;
  return fits ? length : 0;
}

function countedLength(window: Window, least: i32, most: i32, even: bool): i32 {
  if (window.fill < 3) return 3;
  const count = octetAt(window, 2);
  return count >= least && count <= most && !(even && count & 1) ? 5 + count : 0;
}

function coilLength(window: Window): i32 {
  if (window.fill < 6) return 6;
  const value = wordAt(window, 4);
  return value == 0 || value == 0xff00 ? 8 : 0;
}

// Sub-function 0 returns its data, of which nothing tells the length: the first even length whose CRC
// is right, else one more pair.
function diagnosticLength(window: Window): i32 {
  if (window.fill < 4) return 4;
  const subFunction = wordAt(window, 2);
  if (subFunction > DIAGNOSTIC_MAX) return 0;
  if (subFunction != 0) return 8;
  for (let length = 8; length <= LOOPBACK_BYTES_MAX; length += 2) {
    if (length > window.fill || isWhole(window, length)) return length;
  }
  return 0;
}

function writeLength(window: Window, most: i32): i32 {
  if (window.fill < 7) return 7;
  const quantity = wordAt(window, 4);
  const count = octetAt(window, 6);
  const wanted = most == 123 ? quantity * 2 : (quantity + 7) >> 3;
  return count == wanted ? quantityFits(window, 2, most, 9 + count) : 0;
}

// FC 20 and 21: groups with a reference type of 6, the first at `typeAt`.
function fileLength(window: Window, least: i32, most: i32, typeAt: i32): i32 {
  if (window.fill <= typeAt) return typeAt + 1;
  const count = octetAt(window, 2);
  const fits = count >= least && count <= most && octetAt(window, typeAt) == REFERENCE_TYPE;
  return fits ? 5 + count : 0;
}

function readWriteLength(window: Window): i32 {
  if (window.fill < 11) return 11;
  const count = octetAt(window, 10);
  if (count != wordAt(window, 8) * 2) return 0;
  if (quantityFits(window, 2, 125, 1) == 0) return 0;
  return quantityFits(window, 6, 121, 13 + count);
}

function eventCounterLength(window: Window): i32 {
  if (window.fill < 4) return 4;
  const status = wordAt(window, 2);
  return status == 0 || status == 0xffff ? 8 : 0;
}

// Octets that follow, then the number of 16-bit values, at most 31.
function fifoLength(window: Window): i32 {
  if (window.fill < 6) return 6;
  const values = wordAt(window, 4);
  return values <= 31 && wordAt(window, 2) == 2 + 2 * values ? 8 + 2 * values : 0;
}

function identificationRequestLength(window: Window): i32 {
  if (window.fill < 4) return 4;
  const access = octetAt(window, 3);
  return octetAt(window, 2) == ENCAPSULATED_READ && access >= 1 && access <= 4 ? 7 : 0;
}

// Six octets of head, then objects of id, length and octets; the last is followed by the CRC.
function identificationLength(window: Window): i32 {
  if (window.fill < 8) return 8;
  const access = octetAt(window, 3);
  const more = octetAt(window, 5);
  if (octetAt(window, 2) != ENCAPSULATED_READ || access < 1 || access > 4) return 0;
  if (more != 0 && more != 0xff) return 0;
  let length = 8;
  const objects = octetAt(window, 7);
  for (let i = 0; i < objects; i++) {
    if (length + 2 > MODBUS_FRAME_BYTES_MAX - 2) return 0;
    if (window.fill < length + 2) return length + 2;
    length += 2 + octetAt(window, length + 1);
  }
  return length + 2 <= MODBUS_FRAME_BYTES_MAX ? length + 2 : 0;
}

function exceptionLength(window: Window, code: i32): i32 {
  if (!isKnownCode(code)) return 0;
  if (window.fill < 3) return 3;
  const reason = octetAt(window, 2);
  return (reason >= 1 && reason <= 6) || reason == 8 || reason == 10 || reason == 11 ? 5 : 0;
}
