// SPDX-License-Identifier: MIT
// Tiny modules for tests of the host, and traps planted in real ones.

import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";

const signal = new Int32Array(new SharedArrayBuffer(4));
const { port1, port2 } = new MessageChannel();
const worker = new Worker(new URL("./binaryen-worker.mjs", import.meta.url), {
  workerData: { signal: signal.buffer, port: port2 },
  transferList: [port2],
  execArgv: [], // no loader: see the worker's head
});
worker.unref();

/** The octets of a module written as text. */
export function assemble(text: string): Uint8Array {
  return ask({ text });
}

/** The same module, but its n-th call of an export without parameters (1: the first) is a trap. */
export function plantTrap(wasm: Uint8Array, exportName: string, call: number): Uint8Array {
  return ask({ wasm, exportName, call });
}

// Waits for the worker, so that a test reads as if binaryen were here.
function ask(question: object): Uint8Array {
  Atomics.store(signal, 0, 0);
  worker.postMessage(question);
  Atomics.wait(signal, 0, 0);
  const answer = (receiveMessageOnPort(port1) as { message: unknown }).message;
  if (answer instanceof Uint8Array) return answer;
  throw new Error(String(answer));
}

/**
 * A loop that every tick copies input 0 to output 0 (times 16), takes up to 64 tap entries of tap 0 to
 * address 1024 and puts a record of 16 octets: the tick number at 0, now_us at 4, tap entries at 8.
 * `extra` runs in each tick with the tick number in $n.
 */
export function smallLoop(extra = ""): Uint8Array {
  return assemble(`(module
    (import "host" "now_us" (func $now (result i32)))
    (import "host" "adc_read" (func $adc (param i32) (result i32)))
    (import "host" "pwm_write" (func $pwm (param i32 i32) (result i32)))
    (import "host" "tap_take" (func $tap (param i32 i32 i32) (result i32)))
    (import "host" "ring_put" (func $put (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global $n (mut i32) (i32.const 0))
    (func (export "init"))
    (func (export "tick")
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (drop (call $pwm (i32.const 0) (i32.mul (call $adc (i32.const 0)) (i32.const 16))))
      (i32.store (i32.const 0) (global.get $n))
      (i32.store (i32.const 4) (call $now))
      (i32.store (i32.const 8) (call $tap (i32.const 0) (i32.const 1024) (i32.const 64)))
      (drop (call $put (i32.const 0) (i32.const 16)))
      ${extra}))`);
}

/**
 * A link that in each poll takes all records and counts them as queued and acknowledged, takes all
 * datagrams and answers each to its peer, then wants to be called after 1,000 ms. Counters are at 256,
 * its memory ends at 4096. `extra` runs at the start of each poll; $n is the number of the poll.
 */
export function smallLink(extra = "", init = ""): Uint8Array {
  return assemble(`(module
    (import "host" "now_us" (func $now (result i32)))
    (import "host" "ring_take" (func $ring (param i32 i32) (result i32)))
    (import "host" "datagram_put" (func $put (param i32 i32 i32) (result i32)))
    (import "host" "datagram_take" (func $take (param i32 i32) (result i32)))
    (import "host" "flash_read" (func $read (param i32 i32 i32) (result i32)))
    (import "host" "flash_erase" (func $erase (param i32) (result i32)))
    (import "host" "flash_program" (func $program (param i32 i32 i32) (result i32)))
    (import "host" "entropy" (func $entropy (param i32 i32) (result i32)))
    (import "host" "info" (func $info (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global $n (mut i32) (i32.const 0))
    (global $x (mut i32) (i32.const 0))
    (func (export "init") ${init})
    (func (export "poll") (result i32) (local $length i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      ${extra}
      (loop $records
        (if (call $ring (i32.const 512) (i32.const 76)) (then
          (i32.store (i32.const 256) (i32.add (i32.load (i32.const 256)) (i32.const 1)))
          (i32.store (i32.const 260) (i32.add (i32.load (i32.const 260)) (i32.const 1)))
          (br $records))))
      (loop $datagrams
        (local.set $length (call $take (i32.const 1024) (i32.const 516)))
        (if (local.get $length) (then
          (drop (call $put (i32.load (i32.const 1024)) (i32.const 1028)
            (i32.sub (local.get $length) (i32.const 4))))
          (br $datagrams))))
      (i32.const 1000))
    (func (export "counters") (result i32) (i32.const 256))
    (func (export "waiting") (param i32 i32) (result i32)
      (i32.store (local.get 0) (i32.const 41))
      (i32.store offset=4 (local.get 0) (i32.const 42))
      (i32.load (i32.const 276)))
    (func (export "memoryBytes") (result i32) (i32.const 4096)))`);
}

/** A link that never does anything and always wants to be called again at once. */
export function hungLink(): Uint8Array {
  return assemble(`(module
    (memory (export "memory") 1)
    (func (export "init"))
    (func (export "poll") (result i32) (i32.const 0))
    (func (export "counters") (result i32) (i32.const 0))
    (func (export "waiting") (param i32 i32) (result i32) (i32.const 0))
    (func (export "memoryBytes") (result i32) (i32.const 4096)))`);
}
