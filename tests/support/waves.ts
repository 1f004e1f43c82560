// SPDX-License-Identifier: MIT
// Captures of edges for tests, with what a right decoder makes of each channel.

import { readFileSync } from "node:fs";
import type { Wave } from "../../host-sim/line/wave.ts";

export interface EdgeCapture {
  channel: string;
  wave: Wave;
  endNs: number;
  pitchNs: number; // of its samples
  expected: ExpectedLine;
}

interface ExpectedLine {
  uart: boolean;
  baud: number;
  format: string;
  inverted: boolean;
  chars: number;
  bytes_hex: string;
  framing_errors: number;
  framing_error_at?: number[];
  parity_errors: number;
}

interface Row {
  sample_rate_hz: number;
  channel: string;
  initial: number;
  samples: number;
  edges: number[];
}

/** The channels of a capture whose kind is "edges". */
export function readEdges(file: string): EdgeCapture[] {
  const [head, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { expected } = JSON.parse(head!) as {
    expected: { channels: Record<string, ExpectedLine> };
  };
  return lines.map((line) => {
    const row = JSON.parse(line) as Row;
    const pitchNs = 1e9 / row.sample_rate_hz;
    let sample = 0;
    const edges = row.edges.map((distance) => (sample += distance) * pitchNs);
    return {
      channel: row.channel,
      wave: { initial: row.initial, edges },
      endNs: row.samples * pitchNs,
      pitchNs,
      expected: expected.channels[row.channel]!,
    };
  });
}
