// SPDX-License-Identifier: MIT
// How long code masks interrupts: cycles from each CPSID to its CPSIE.
//
// Takes what objdump -d says of an image. All paths are walked; cycles are those of the Cortex-M0+ TRM, table 3.1, a
// branch as if taken where it is. A call, a return, a wait or a loop under a mask has no bound, and an access through a
// register that no literal under the mask has set may go to a slow bus: each is a problem. So is MSR PRIMASK elsewhere.

/** Cycles that an interrupt may wait for a mask. */
export const MASK_CYCLES_MAX = 25;

export interface Mask {
  at: string; // function and address of the CPSID
  cycles: number; // of the longest path
  problems: string[];
}

interface Instruction {
  name: string;
  operands: string;
  next: number; // address behind it
}

interface Code {
  instructions: Map<number, Instruction>;
  literals: Map<number, number>;
  functions: Map<number, string>; // of each instruction
}

const LINE = /^\s*([0-9a-f]+):\s+(\S+)\s*(.*?)\s*$/;
const LABEL = /^[0-9a-f]+ <(.+)>:$/;
const SLOW = 4; // the top digit of APB addresses
const LEAVES = /^(bl|blx|bx|svc|wfe|wfi|bkpt|udf)/;
const CONDITIONAL = /^b(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)(\.n)?$/;
const STEPS_MAX = 100; // instructions of a path: far beyond the bound

function parse(disassembly: string): Code {
  const code: Code = { instructions: new Map(), literals: new Map(), functions: new Map() };
  let name = "";
  let before: Instruction | undefined;
  for (const line of disassembly.split("\n")) {
    name = LABEL.exec(line)?.[1] ?? name;
    const [, at, mnemonic, operands] = LINE.exec(line) ?? [];
    if (at === undefined || mnemonic === undefined) continue;
    const address = parseInt(at, 16);
    if (before !== undefined) before.next = address;
    before = { name: mnemonic, operands: operands ?? "", next: address + 2 };
    if (mnemonic === ".word") code.literals.set(address, Number(operands!.split(/\s/)[0]));
    else code.instructions.set(address, before);
    code.functions.set(address, name);
  }
  return code;
}

/** All masks of a disassembly. */
export function findMasks(disassembly: string): Mask[] {
  const code = parse(disassembly);
  const masks: Mask[] = [];
  const ended = new Set<number>(); // MSR PRIMASK that ends a mask
  for (const [address, { name, next }] of code.instructions) {
    if (name !== "cpsid") continue;
    const mask: Mask = { at: placeOf(code, address), cycles: 0, problems: [] };
    walk(code, mask, ended, { at: next, cycles: 0, known: new Map(), seen: new Set([address]) });
    if (mask.cycles > MASK_CYCLES_MAX) mask.problems.push(`takes ${mask.cycles} cycles`);
    mask.problems = [...new Set(mask.problems)];
    masks.push(mask);
  }
  for (const [address, instruction] of code.instructions)
    if (setsMask(instruction) && !ended.has(address))
      masks.push({ at: placeOf(code, address), cycles: 0, problems: ["MSR PRIMASK, no CPSID"] });
  return masks;
}

function placeOf({ functions }: Code, address: number): string {
  return `${functions.get(address)} at ${address.toString(16)}`;
}

const setsMask = ({ name, operands }: Instruction): boolean =>
  name === "msr" && /^PRIMASK/i.test(operands);

interface Path {
  at: number;
  cycles: number;
  known: Map<string, number>; // registers that hold a literal
  seen: Set<number>;
}

function walk(code: Code, mask: Mask, ended: Set<number>, path: Path): void {
  const instruction = code.instructions.get(path.at);
  const place = path.at.toString(16);
  if (instruction === undefined) return void mask.problems.push(`no code at ${place}`);
  const { name, operands, next } = instruction;
  if (path.seen.has(path.at) || path.seen.size > STEPS_MAX)
    return void mask.problems.push(`a loop at ${place}`);
  if (LEAVES.test(name) || (/^(pop|mov|add)/.test(name) && /\bpc\}?$|^pc\b/.test(operands)))
    return void mask.problems.push(`${name} at ${place}`);
  if (setsMask(instruction)) ended.add(path.at);
  const ends = name === "cpsie" || setsMask(instruction);
  const known = new Map(path.known);
  if (mayBeSlow(instruction, known)) mask.problems.push(`an access that may be slow at ${place}`);
  learn(code, instruction, known);
  const seen = new Set([...path.seen, path.at]);
  const go = (at: number, cost: number): void => {
    const cycles = path.cycles + cost;
    mask.cycles = Math.max(mask.cycles, cycles);
    if (!ends) walk(code, mask, ended, { at, cycles, known, seen });
  };
  const target = parseInt(operands, 16);
  if (CONDITIONAL.test(name)) {
    go(next, 1);
    go(target, 2);
  } else if (/^b(\.n)?$/.test(name)) go(target, 2);
  else go(next, cyclesOf(instruction));
}

function cyclesOf({ name, operands }: Instruction): number {
  if (/^(push|pop|stm|ldm)/.test(name)) return 1 + listed(operands);
  if (/^(ldr|str)/.test(name)) return 2;
  return /^(mrs|msr|isb|dsb|dmb)/.test(name) ? 3 : 1;
}

// Registers in {r0, r4-r7, lr}.
function listed(operands: string): number {
  const parts = /\{(.*)\}/.exec(operands)?.[1]?.split(",") ?? [];
  return parts.reduce((sum, part) => {
    const [from, to] = part.split("-").map((one) => Number(one.replace(/\D/g, "")));
    return sum + (to === undefined ? 1 : to - from! + 1);
  }, 0);
}

function mayBeSlow({ name, operands }: Instruction, known: ReadonlyMap<string, number>): boolean {
  if (!/^(ldr|str|ldm|stm)/.test(name)) return false;
  const base = (/\[(\w+)/.exec(operands) ?? /^(\w+)!?,/.exec(operands))?.[1] ?? "";
  if (base === "pc" || base === "sp") return false;
  const address = known.get(base);
  return address === undefined || address >>> 28 === SLOW;
}

// A literal makes a register known; whatever else writes it, or may, makes it unknown.
function learn({ literals }: Code, { name, operands }: Instruction, known: Map<string, number>) {
  const target = /^(\w+)/.exec(operands)?.[1] ?? "";
  if (/^(str|cmp|cmn|tst|push|cps|b)/.test(name)) return;
  if (/^(ldm|pop)/.test(name)) return known.clear();
  known.delete(target);
  const place = /\[pc, #.*\(([0-9a-f]+)/.exec(operands)?.[1];
  const value = place === undefined ? undefined : literals.get(parseInt(place, 16));
  if (name.startsWith("ldr") && value !== undefined) known.set(target, value);
}
