// SPDX-License-Identifier: MIT
// The host functions of loop: all that the OT side can reach.
//
// Spec: SPEC.md §1.1. The only file of this module that declares imports; i32 in, i32 out.

/** Microseconds as u32; wraps after 71.6 minutes. */
@external("host", "now_us")
export declare function now_us(): i32;

/** Raw count of an ADC input, 0..4095; -1: there is no such input. */
@external("host", "adc_read")
export declare function adc_read(input: i32): i32;

/** Duty 0..65535 to an output; 0 done, -1: there is no such output. */
@external("host", "pwm_write")
export declare function pwm_write(output: i32, duty: i32): i32;

/** Level of an input pin, 0 or 1; -1: there is no such pin. */
@external("host", "digital_read")
export declare function digital_read(pin: i32): i32;

/** Level to an output pin; 0 done, -1: there is no such pin. */
@external("host", "digital_write")
export declare function digital_write(pin: i32, level: i32): i32;

/** Pulses of an input since power-on, as u32, wrapping; 0 where there is no such input. */
@external("host", "pulse_count")
export declare function pulse_count(input: i32): i32;

/**
 * Up to `capacity` i16 samples of an accelerometer to `address`, oldest first; how many, 0 where there is
 * none, -1 once after some were lost.
 */
@external("host", "burst_take")
export declare function burst_take(device: i32, address: usize, capacity: i32): i32;

/** Up to `capacity` tap entries to `address`; how many. */
@external("host", "tap_take")
export declare function tap_take(tap: i32, address: usize, capacity: i32): i32;

/**
 * Sends octets on the line of a tap that polls; 1 they go out, 0 not now, -1: this tap only listens. Only nodes with
 * a tap of mode poll import it.
 */
@external("host", "tap_put")
export declare function tap_put(tap: i32, address: usize, length: i32): i32;

/**
 * Up to `capacity` edges of a tap's pin to `address`, u32 each: bit 31 the level before the edge, the rest the distance
 * to the edge before in units, 0x7fffffff where it is longer or edges were lost; how many, -1: this board sees none.
 */
@external("host", "edge_take")
export declare function edge_take(tap: i32, address: usize, capacity: i32): i32;

/** Length of a unit of edge_take in picoseconds; 0: this board sees no edges. */
@external("host", "edge_unit_ps")
export declare function edge_unit_ps(tap: i32): i32;

/** Sets a tap's UART, which only listens: format code of ring record 5, + 128 inverted; baud 0 closes. 0 done, -1 cannot. */
@external("host", "tap_open")
export declare function tap_open(tap: i32, baud: i32, format: i32): i32;

/** One record to the ring; 1 taken, 0 full: dropped, and the host counts it. */
@external("host", "ring_put")
export declare function ring_put(address: usize, length: i32): i32;

/** One command record to `address`; its length, 0: none. */
@external("host", "mailbox_take")
export declare function mailbox_take(address: usize, capacity: i32): i32;
