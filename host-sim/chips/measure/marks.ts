// SPDX-License-Identifier: MIT
// High-water marks of queues, stacks and outbox of a running image.
//
// Ring and mailbox keep their mark themselves, in octets since power-on. Other queues are two words, head and tail, that
// only grow, and are looked at when a handler ends. The outbox is looked at when link sleeps, since a handler may end in
// the middle of a change. Stacks are painted by the start-up.

export interface Mark {
  name: string;
  most: number;
}

export interface StackPeak {
  name: string;
  bytes: number;
  peakBytes: number;
}

const SRAM_BASE = 0x20000000;
const PAINT = 0x57ac57ac; // boards/rp2040/start.S
const STACKS = [
  { name: "link", symbol: "link_stack" },
  { name: "handlers", symbol: "handler_stack" },
] as const;

// Its mark, what came and went, or what came when loop looks: DMA fills a tap.
type Kind = "keeps" | "counts" | "finds";

// By name of the variable; an image may be without one.
const QUEUES: readonly { name: string; symbol: string; kind: Kind }[] = [
  { name: "octets in the ring", symbol: "ring", kind: "keeps" },
  { name: "octets in the mailbox", symbol: "mailbox", kind: "keeps" },
  { name: "octets from the line", symbol: "received", kind: "counts" },
  { name: "octets to the line", symbol: "to_send", kind: "counts" },
  { name: "characters of tap 0", symbol: "taps", kind: "finds" },
];

export type Symbols = ReadonlyMap<string, number>;

export interface Marks {
  /** A handler has ended. */
  handled(): void;
  /** Thread mode begins to sleep. */
  slept(): void;
  found(): Mark[];
  stacks(): StackPeak[];
  /** Words of a variable; none: there is no such one. */
  words(symbol: string, count: number): number[];
  clear(): void;
}

/** `waitingAt` is where link counts what waits in its outbox, in its own memory; undefined: not known. */
export function createMarks(
  sram: Uint8Array,
  symbols: Symbols,
  waitingAt: number | undefined,
): Marks {
  const view = new DataView(sram.buffer, sram.byteOffset, sram.length);
  const word = (address: number): number => view.getUint32(address - SRAM_BASE, true);
  const linkMemory = symbols.get("link_memory");
  const outboxAt =
    linkMemory === undefined || waitingAt === undefined ? undefined : linkMemory + waitingAt;
  const queues = QUEUES.flatMap(({ name, symbol, kind }) => {
    const at = symbols.get(symbol);
    return at === undefined ? [] : [{ name, at, kind, tail: 0 }];
  });
  const waitingIn = (queue: (typeof queues)[number]): number => {
    if (queue.kind === "keeps") return word(queue.at + 8);
    const tail = word(queue.at + 4);
    const waiting = (word(queue.at) - (queue.kind === "finds" ? queue.tail : tail)) >>> 0;
    queue.tail = tail;
    return waiting;
  };
  const most = new Float64Array(queues.length);
  let outbox = 0;
  return {
    handled() {
      for (let i = 0; i < queues.length; i++) {
        const waiting = waitingIn(queues[i]!);
        if (waiting > most[i]!) most[i] = waiting;
      }
    },
    slept() {
      if (outboxAt !== undefined) outbox = Math.max(outbox, word(outboxAt));
    },
    found: () => [
      ...queues.map(({ name }, i) => ({ name, most: most[i]! })),
      ...(outboxAt === undefined ? [] : [{ name: "readings in the outbox", most: outbox }]),
    ],
    stacks: () =>
      STACKS.flatMap(({ name, symbol }) => {
        const [bottom, top] = [symbols.get(symbol), symbols.get(`${symbol}_end`)];
        if (bottom === undefined || top === undefined) return [];
        let at = bottom;
        while (at < top && word(at) === PAINT) at += 4;
        return [{ name, bytes: top - bottom, peakBytes: top - at }];
      }),
    words(symbol, count) {
      const at = symbols.get(symbol);
      return at === undefined ? [] : Array.from({ length: count }, (_, i) => word(at + 4 * i));
    },
    clear() {
      most.fill(0);
      outbox = 0;
    },
  };
}
