// SPDX-License-Identifier: MIT
// Interleaved rounds: what is compared runs in turn; the median of each counts.
//
// In turn, so that a machine that is busy for a while slows all of them alike. What only computes can be
// timed by the CPU that this process used: on a shared machine that scatters less. One round that does
// not count comes first: compiled code is what is compared.

/** One of the things compared. */
export interface Contestant {
  name: string;
  /** Does some work and returns how much, in the unit of the figure. */
  run(): number | Promise<number>;
}

/** Milliseconds on the wall. */
export const wallMs = (): number => performance.now();

/** Milliseconds of CPU that this process used, the collector's threads included. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Work per second of each, by name: the median of so many rounds. */
export async function measureRates(
  contestants: readonly Contestant[],
  rounds: number,
  nowMs: () => number = wallMs,
): Promise<Map<string, number>> {
  const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, run } of contestants) {
      const startMs = nowMs();
      const work = await run();
      const rate = (work * 1000) / (nowMs() - startMs);
      if (round > 0) rates.get(name)!.push(rate);
    }
  }
  return new Map([...rates].map(([name, all]) => [name, median(all)]));
}

/** The middle of an odd number of values, else the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  if (middle === undefined) throw new RangeError("a median needs a value");
  return middle;
}
