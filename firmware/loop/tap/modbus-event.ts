// SPDX-License-Identifier: MIT
// Modbus: what an event says of a request, of its answer, of a write.
//
// Spec: Modbus application protocol 1.1b3 §6. Writes are told from the octets of the request, which the
// caller kept: the answers of FC 15, 16, 23 do not repeat them. Nothing is kept here.

import { USES_TAP_EVENTS } from "../../generated/uses";
import {
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_ORPHAN,
  TAP_EVENT_QUERY,
  TAP_EVENT_READ,
  TapEvent,
} from "./event";
import { EXCEPTION_FLAG } from "./length";
import { Request } from "./pair";
import { octetAt, octetsFrom, Window, wordAt } from "./window";

/** An event of a request; without values. */
export function tellRequest(event: TapEvent, kind: i32, request: Request): void {
  const code = request.code;
  event.kind = kind;
  event.unit = request.unit;
  event.code = code;
  event.address = isAddressed(code) ? request.address : 0;
  event.quantity = isCounted(code) ? request.quantity : isSingle(code) ? 1 : 0;
  event.reason = 0;
  event.answerUs = 0;
  event.values = 0;
  event.bytes = 0;
}

/** The answer of `length` at the head: READ, QUERY or EXCEPTION. */
export function tellAnswer(event: TapEvent, request: Request, window: Window, length: i32): void {
  const failed = (octetAt(window, 1) & EXCEPTION_FLAG) != 0;
  const code = request.code;
  if (failed) {
    tellRequest(event, TAP_EVENT_EXCEPTION, request);
    event.reason = octetAt(window, 2);
  } else if (code <= 4 || code == 23 || code == 24) {
    tellRequest(event, TAP_EVENT_READ, request);
    const fifo = code == 24;
    if (fifo) event.quantity = wordAt(window, 4);
    setValues(event, octetsFrom(window, fifo ? 6 : 3), fifo ? length - 8 : length - 5);
  } else {
    tellRequest(event, TAP_EVENT_QUERY, request);
    setValues(event, octetsFrom(window, 2), length - 4);
  }
}

/** What the frame of a request writes; it is one of FC 5, 6, 15, 16, 22, 23. */
export function tellWrite(event: TapEvent, kind: i32, request: Request, frame: usize): void {
  const code = request.code;
  tellRequest(event, kind, request);
  if (code == 23) {
    event.address = bigEndian(frame + 6);
    event.quantity = bigEndian(frame + 8);
    setValues(event, frame + 11, load<u8>(frame + 10));
  } else if (code == 15 || code == 16) setValues(event, frame + 7, load<u8>(frame + 6));
  else setValues(event, frame + 4, code == 22 ? 4 : 2);
}

/** The answer of `length` at the head, of which nobody saw the request. */
export function tellOrphan(event: TapEvent, window: Window, length: i32): void {
  const code = octetAt(window, 1);
  event.kind = TAP_EVENT_ORPHAN;
  event.unit = octetAt(window, 0);
  event.code = code & ~EXCEPTION_FLAG;
  event.address = 0;
  event.quantity = 0;
  event.reason = code & EXCEPTION_FLAG ? octetAt(window, 2) : 0;
  event.answerUs = 0;
  setValues(event, octetsFrom(window, 2), length - 4);
}

/** FC 5, 6, 15, 16, 22, 23: what is written stands in the request. */
export function isWrite(code: i32): bool {
  return isSingle(code) || code == 15 || code == 16 || code == 23;
}

// FC 5, 6, 22.
function isSingle(code: i32): bool {
  return code == 5 || code == 6 || code == 22;
}

// Requests with a quantity at octet 4.
function isCounted(code: i32): bool {
  return code <= 4 || code == 15 || code == 16 || code == 23;
}

function isAddressed(code: i32): bool {
  const diagnostic = USES_TAP_EVENTS && code == 8; // its sub-function stands there
  return isCounted(code) || isSingle(code) || code == 24 || diagnostic;
}

function setValues(event: TapEvent, values: usize, bytes: i32): void {
  event.values = values;
  event.bytes = bytes;
}

function bigEndian(at: usize): i32 {
  return (load<u8>(at) << 8) | load<u8>(at + 1);
}
