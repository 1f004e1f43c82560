// SPDX-License-Identifier: MIT
// The interpreter: runs decoded instructions until something else is due.
//
// Spec: Armv6-M ARM §A6.7; cycles: Cortex-M0+ TRM table 3.1. Whatever is rare is in step.ts and special.ts.
// Allocates nothing. One function, since what it keeps in local variables is what makes it fast: flags, the
// place in the code, what is left to run. The numbers are those of OPERATIONS; a test compares their names.

import { fetch } from "./memory.ts";
import { type Machine, NO_READ } from "./machine.ts";
import { step } from "./step.ts";

/** Runs to `bound`; returns early for a special instruction, a jump that is more, or a fault. */
export function execute(m: Machine): void {
  const r = m.registers;
  const { base: ramBase, size: ramSize, bytes, halves, words } = m.ram;
  const { base: codeBase, code } = m.window;
  const codeLength = code.length;
  const access = m.access;
  let { at, n, z, carry, overflow, bound } = m;
  let left = (bound - m.cycle) | 0;
  while (left > 0 && at >>> 0 < codeLength) {
    let entry = code[at]!;
    if (entry === 0) {
      m.at = at;
      entry = fetch(m);
      if (entry === 0) break;
    }
    at++;
    let address = 0;
    const a = (entry >> 8) & 15;
    const b = (entry >> 12) & 15;
    const c = entry >> 16;
    switch (entry & 255) {
      case 1: {
        // lslConstant
        const value = r[b]!;
        carry = (value >>> (32 - c)) & 1;
        n = z = r[a] = value << c;
        left--;
        continue;
      }
      case 2: {
        // movRegister
        n = z = r[a] = r[b]!;
        left--;
        continue;
      }
      case 3: {
        // lsrConstant
        const value = r[b]!;
        carry = (value >>> (c - 1)) & 1;
        n = z = r[a] = c === 32 ? 0 : (value >>> c) | 0;
        left--;
        continue;
      }
      case 4: {
        // asrConstant
        const value = r[b]!;
        carry = (value >> (c - 1)) & 1;
        n = z = r[a] = value >> (c === 32 ? 31 : c);
        left--;
        continue;
      }
      case 5: {
        // addRegister
        const first = r[b]!;
        const second = r[c]!;
        n = z = r[a] = (first + second) | 0;
        carry = n >>> 0 < first >>> 0 ? 1 : 0;
        overflow = (first ^ n) & (second ^ n);
        left--;
        continue;
      }
      case 6: {
        // subRegister
        const first = r[b]!;
        const second = r[c]!;
        n = z = r[a] = (first - second) | 0;
        carry = first >>> 0 >= second >>> 0 ? 1 : 0;
        overflow = (first ^ second) & (first ^ n);
        left--;
        continue;
      }
      case 7: {
        // addConstant
        const first = r[b]!;
        const second = c;
        n = z = r[a] = (first + second) | 0;
        carry = n >>> 0 < first >>> 0 ? 1 : 0;
        overflow = (first ^ n) & (second ^ n);
        left--;
        continue;
      }
      case 8: {
        // subConstant
        const first = r[b]!;
        const second = c;
        n = z = r[a] = (first - second) | 0;
        carry = first >>> 0 >= second >>> 0 ? 1 : 0;
        overflow = (first ^ second) & (first ^ n);
        left--;
        continue;
      }
      case 9: {
        // movConstant
        n = z = r[a] = c;
        left--;
        continue;
      }
      case 10: {
        // cmpConstant
        const first = r[a]!;
        const second = c;
        n = z = (first - second) | 0;
        carry = first >>> 0 >= second >>> 0 ? 1 : 0;
        overflow = (first ^ second) & (first ^ n);
        left--;
        continue;
      }
      case 11: {
        // and
        n = z = r[a] = r[a]! & r[b]!;
        left--;
        continue;
      }
      case 12: {
        // eor
        n = z = r[a] = r[a]! ^ r[b]!;
        left--;
        continue;
      }
      case 13: {
        // lsl
        const by = r[b]! & 255;
        const value = r[a]!;
        if (by !== 0) carry = by > 32 ? 0 : (by === 32 ? value : value >>> (32 - by)) & 1;
        n = z = r[a] = by > 31 ? 0 : value << by;
        left--;
        continue;
      }
      case 14: {
        // lsr
        const by = r[b]! & 255;
        const value = r[a]!;
        if (by !== 0) carry = by > 32 ? 0 : (value >>> (by - 1)) & 1;
        n = z = r[a] = by > 31 ? 0 : (value >>> by) | 0;
        left--;
        continue;
      }
      case 15: {
        // asr
        const by = r[b]! & 255;
        const value = r[a]!;
        if (by !== 0) carry = (value >> (by > 32 ? 31 : by - 1)) & 1;
        n = z = r[a] = value >> (by > 31 ? 31 : by);
        left--;
        continue;
      }
      case 16: {
        // adc
        const first = r[a]!;
        const second = r[b]!;
        n = z = r[a] = (first + second + carry) | 0;
        if (carry === 0) carry = n >>> 0 < first >>> 0 ? 1 : 0;
        else carry = n >>> 0 <= first >>> 0 ? 1 : 0;
        overflow = (first ^ n) & (second ^ n);
        left--;
        continue;
      }
      case 17: {
        // sbc
        const first = r[a]!;
        const second = ~r[b]!;
        n = z = r[a] = (first + second + carry) | 0;
        if (carry === 0) carry = n >>> 0 < first >>> 0 ? 1 : 0;
        else carry = n >>> 0 <= first >>> 0 ? 1 : 0;
        overflow = (first ^ n) & (second ^ n);
        left--;
        continue;
      }
      case 18: {
        // ror
        const by = r[b]! & 255;
        const turn = by & 31;
        const value = r[a]!;
        n = z = r[a] = turn === 0 ? value : (value >>> turn) | (value << (32 - turn));
        if (by !== 0) carry = n >>> 31;
        left--;
        continue;
      }
      case 19: {
        // tst
        n = z = r[a]! & r[b]!;
        left--;
        continue;
      }
      case 20: {
        // rsb
        const second = r[b]!;
        n = z = r[a] = -second | 0;
        carry = second === 0 ? 1 : 0;
        overflow = second & n;
        left--;
        continue;
      }
      case 21: {
        // cmp
        const first = r[a]!;
        const second = r[b]!;
        n = z = (first - second) | 0;
        carry = first >>> 0 >= second >>> 0 ? 1 : 0;
        overflow = (first ^ second) & (first ^ n);
        left--;
        continue;
      }
      case 22: {
        // cmn
        const first = r[a]!;
        const second = r[b]!;
        n = z = (first + second) | 0;
        carry = n >>> 0 < first >>> 0 ? 1 : 0;
        overflow = (first ^ n) & (second ^ n);
        left--;
        continue;
      }
      case 23: {
        // orr
        n = z = r[a] = r[a]! | r[b]!;
        left--;
        continue;
      }
      case 24: {
        // mul
        n = z = r[a] = Math.imul(r[a]!, r[b]!);
        left--;
        continue;
      }
      case 25: {
        // bic
        n = z = r[a] = r[a]! & ~r[b]!;
        left--;
        continue;
      }
      case 26: {
        // mvn
        n = z = r[a] = ~r[b]!;
        left--;
        continue;
      }
      case 27: {
        // addHigh
        const sum = r[a]! + r[b]!;
        r[a] = a === 13 ? sum & ~3 : sum;
        left--;
        continue;
      }
      case 28: {
        // cmpHigh
        const first = r[a]!;
        const second = r[b]!;
        n = z = (first - second) | 0;
        carry = first >>> 0 >= second >>> 0 ? 1 : 0;
        overflow = (first ^ second) & (first ^ n);
        left--;
        continue;
      }
      case 29: {
        // movHigh
        const value = r[b]!;
        r[a] = a === 13 ? value & ~3 : value;
        left--;
        continue;
      }
      case 34: {
        // bx
        const target = r[a]!;
        left -= 2;
        if ((target & 1) === 1 && target >>> 28 !== 15) {
          at = (target - codeBase) >> 1;
          continue;
        }
        m.jump = target;
        m.jumping = true;
        bound -= left;
        left = 0;
        continue;
      }
      case 35: {
        // blx
        const target = r[a]!;
        left -= 2;
        r[14] = (codeBase + 2 * at) | 1;
        if ((target & 1) === 1) {
          at = (target - codeBase) >> 1;
          continue;
        }
        m.jump = target;
        m.jumping = true;
        bound -= left;
        left = 0;
        continue;
      }
      case 36: {
        // ldrLiteral
        address = ((codeBase + 2 * at + 2) & ~3) + c;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 3) !== 0 || (access[offset >> 5]! & NO_READ) !== 0)
          break;
        r[a] = words[offset >> 2]!;
        left -= 2;
        continue;
      }
      case 37: {
        // str
        address = (r[b]! + r[c]!) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 3) !== 0 || access[offset >> 5] !== 0) break;
        words[offset >> 2] = r[a]!;
        left -= 2;
        continue;
      }
      case 38: {
        // strh
        address = (r[b]! + r[c]!) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 1) !== 0 || access[offset >> 5] !== 0) break;
        halves[offset >> 1] = r[a]!;
        left -= 2;
        continue;
      }
      case 39: {
        // strb
        address = (r[b]! + r[c]!) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || access[offset >> 5] !== 0) break;
        bytes[offset] = r[a]!;
        left -= 2;
        continue;
      }
      case 40: // ldrsb
        address = (r[b]! + r[c]!) | 0;
        break;
      case 41: {
        // ldr
        address = (r[b]! + r[c]!) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 3) !== 0 || (access[offset >> 5]! & NO_READ) !== 0)
          break;
        r[a] = words[offset >> 2]!;
        left -= 2;
        continue;
      }
      case 42: {
        // ldrh
        address = (r[b]! + r[c]!) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 1) !== 0 || (access[offset >> 5]! & NO_READ) !== 0)
          break;
        r[a] = halves[offset >> 1]!;
        left -= 2;
        continue;
      }
      case 43: {
        // ldrb
        address = (r[b]! + r[c]!) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (access[offset >> 5]! & NO_READ) !== 0) break;
        r[a] = bytes[offset]!;
        left -= 2;
        continue;
      }
      case 44: // ldrsh
        address = (r[b]! + r[c]!) | 0;
        break;
      case 45: {
        // strAt
        address = (r[b]! + c) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 3) !== 0 || access[offset >> 5] !== 0) break;
        words[offset >> 2] = r[a]!;
        left -= 2;
        continue;
      }
      case 46: {
        // ldrAt
        address = (r[b]! + c) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 3) !== 0 || (access[offset >> 5]! & NO_READ) !== 0)
          break;
        r[a] = words[offset >> 2]!;
        left -= 2;
        continue;
      }
      case 47: {
        // strbAt
        address = (r[b]! + c) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || access[offset >> 5] !== 0) break;
        bytes[offset] = r[a]!;
        left -= 2;
        continue;
      }
      case 48: {
        // ldrbAt
        address = (r[b]! + c) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (access[offset >> 5]! & NO_READ) !== 0) break;
        r[a] = bytes[offset]!;
        left -= 2;
        continue;
      }
      case 49: {
        // strhAt
        address = (r[b]! + c) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 1) !== 0 || access[offset >> 5] !== 0) break;
        halves[offset >> 1] = r[a]!;
        left -= 2;
        continue;
      }
      case 50: {
        // ldrhAt
        address = (r[b]! + c) | 0;
        const offset = (address - ramBase) >>> 0;
        if (offset >= ramSize || (offset & 1) !== 0 || (access[offset >> 5]! & NO_READ) !== 0)
          break;
        r[a] = halves[offset >> 1]!;
        left -= 2;
        continue;
      }
      case 51: {
        // adr
        r[a] = ((codeBase + 2 * at + 2) & ~3) + c;
        left--;
        continue;
      }
      case 52: {
        // addSp
        r[a] = r[13]! + c;
        left--;
        continue;
      }
      case 53: {
        // moveSp
        r[13] = r[13]! + c;
        left--;
        continue;
      }
      case 54: {
        // sxth
        r[a] = (r[b]! << 16) >> 16;
        left--;
        continue;
      }
      case 55: {
        // sxtb
        r[a] = (r[b]! << 24) >> 24;
        left--;
        continue;
      }
      case 56: {
        // uxth
        r[a] = r[b]! & 0xffff;
        left--;
        continue;
      }
      case 57: {
        // uxtb
        r[a] = r[b]! & 0xff;
        left--;
        continue;
      }
      case 30: // addPc
      case 31: // movPc
      case 32: // toPcAdd
      case 33: // toPcMov
      case 58: // rev
      case 59: // rev16
      case 60: // revsh
      case 61: // push
      case 62: // pop
      case 63: // stm
      case 64: // ldm
        break;
      case 65: // beq
        left--;
        if (z === 0) {
          at += c;
          left--;
        }
        continue;
      case 66: // bne
        left--;
        if (z !== 0) {
          at += c;
          left--;
        }
        continue;
      case 67: // bcs
        left--;
        if (carry === 1) {
          at += c;
          left--;
        }
        continue;
      case 68: // bcc
        left--;
        if (carry === 0) {
          at += c;
          left--;
        }
        continue;
      case 69: // bmi
        left--;
        if (n < 0) {
          at += c;
          left--;
        }
        continue;
      case 70: // bpl
        left--;
        if (n >= 0) {
          at += c;
          left--;
        }
        continue;
      case 71: // bvs
        left--;
        if (overflow < 0) {
          at += c;
          left--;
        }
        continue;
      case 72: // bvc
        left--;
        if (overflow >= 0) {
          at += c;
          left--;
        }
        continue;
      case 73: // bhi
        left--;
        if (carry === 1 && z !== 0) {
          at += c;
          left--;
        }
        continue;
      case 74: // bls
        left--;
        if (carry === 0 || z === 0) {
          at += c;
          left--;
        }
        continue;
      case 75: // bge
        left--;
        if ((n ^ overflow) >= 0) {
          at += c;
          left--;
        }
        continue;
      case 76: // blt
        left--;
        if ((n ^ overflow) < 0) {
          at += c;
          left--;
        }
        continue;
      case 77: // bgt
        left--;
        if (z !== 0 && (n ^ overflow) >= 0) {
          at += c;
          left--;
        }
        continue;
      case 78: // ble
        left--;
        if (z === 0 || (n ^ overflow) < 0) {
          at += c;
          left--;
        }
        continue;
      case 79: // b
        at += c;
        left -= 2;
        continue;
      case 80: // bl
        r[14] = (codeBase + 2 * at + 2) | 1;
        at += entry >> 8;
        left -= 3;
        continue;
      case 81: // nop
        left--;
        continue;
      case 82: // barrier
        at++;
        left -= 3;
        continue;
      default:
        m.special = entry;
        bound -= left;
        left = 0;
        continue;
    }
    m.cycle = bound - left;
    m.at = at;
    step(m, entry, address);
    at = m.at;
    bound = m.bound;
    left = (bound - m.cycle) | 0;
  }
  m.at = at;
  m.cycle = bound - left;
  m.n = n;
  m.z = z;
  m.carry = carry;
  m.overflow = overflow;
}
