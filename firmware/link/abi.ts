// SPDX-License-Identifier: MIT
// The host functions of link: all it can reach, and the only file that names them.
//
// Spec: SPEC.md §1.2. Every parameter and result is i32. Only index.ts imports this file, so a core
// cannot reach the host: it gets bytes and times as arguments.

@external("host", "now_us")
export declare function now_us(): i32;
@external("host", "ring_take")
export declare function ring_take(address: usize, capacity: i32): i32;
@external("host", "mailbox_put")
export declare function mailbox_put(address: usize, length: i32): i32;
@external("host", "datagram_put")
export declare function datagram_put(peer: i32, address: usize, length: i32): i32;
@external("host", "datagram_take")
export declare function datagram_take(address: usize, capacity: i32): i32;
@external("host", "flash_read")
export declare function flash_read(offset: i32, address: usize, length: i32): i32;
@external("host", "flash_erase")
export declare function flash_erase(offset: i32): i32;
@external("host", "flash_program")
export declare function flash_program(offset: i32, address: usize, length: i32): i32;
@external("host", "entropy")
export declare function entropy(address: usize, length: i32): i32;
@external("host", "info")
export declare function info(item: i32, address: usize, capacity: i32): i32;
