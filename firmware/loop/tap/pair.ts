// SPDX-License-Identifier: MIT
// Modbus RTU: a request that waits, and whether a frame is its answer.
//
// Spec: Modbus application protocol 1.1b3 §6. An answer names no address: only the request seen before
// it does, so the pair is the unit of trust. No time is taken here; all times come as arguments.

import { USES_RARE_CODES, USES_TAP_EVENTS } from "../../generated/uses";
import { EXCEPTION_FLAG } from "./length";
import { octetAt, Window, wordAt } from "./window";

const ANSWER_US_MAX: u32 = 1_000_000; // a master gives up by then

/** A request; `length` 0: none. */
@unmanaged
export class Request {
  length: i32; // of its frame
  atUs: u32; // end of its last octet
  unit: i32;
  code: i32;
  address: i32;
  quantity: i32; // of what is read, or written by FC 15 and 16
  junk: u32; // octets heard since
  crc: i32; // names the frame where the answer is an echo
  timed: i32; // 1: it was taken with its last octet, so that `atUs` is exact; else it is later
}

/** Keeps the request at the head of the window; it ended at `atUs`. */
export function keepRequest(request: Request, window: Window, length: i32, atUs: u32): void {
  request.length = length;
  request.junk = 0;
  request.atUs = atUs;
  request.unit = octetAt(window, 0);
  request.code = octetAt(window, 1);
  request.address = wordAt(window, 2);
  request.quantity = wordAt(window, 4);
  request.crc = wordAt(window, length - 2);
  if (USES_TAP_EVENTS) request.timed = window.fill == length ? 1 : 0;
}

/** True when an answer that takes `answerUs` and ends now is too late for the request. */
export function isLate(request: Request, nowUs: u32, answerUs: u32): bool {
  return <i32>(nowUs - request.atUs) > <i32>(ANSWER_US_MAX + answerUs);
}

/** True when the unit, the code and the byte count at the head are those of the awaited answer. */
export function isAwaited(request: Request, window: Window): bool {
  if (request.length == 0 || octetAt(window, 0) != request.unit) return false;
  const code = octetAt(window, 1);
  if (code == (request.code | EXCEPTION_FLAG)) return true;
  if (code != request.code) return false;
  switch (code) {
    case 1:
    case 2:
      return octetAt(window, 2) == (request.quantity + 7) >> 3;
    case 3:
    case 4:
    case 23:
      return octetAt(window, 2) == request.quantity * 2;
    case 15:
    case 16:
      return wordAt(window, 2) == request.address && wordAt(window, 4) == request.quantity;
    default:
      return true;
  }
}

/** True when the whole frame of `length` at the head is the answer. */
export function isAnswer(request: Request, window: Window, length: i32): bool {
  if (!isAwaited(request, window)) return false;
  if (!isEcho(octetAt(window, 1))) return true;
  return length == request.length && wordAt(window, length - 2) == request.crc;
}

// The answer repeats the request octet by octet: equal length and CRC.
function isEcho(code: i32): bool {
  if (!USES_RARE_CODES) return code == 5 || code == 6;
  return code == 5 || code == 6 || code == 8 || code == 21 || code == 22;
}
