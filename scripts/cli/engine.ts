// SPDX-License-Identifier: MIT
// The option of `sim` that says what runs the nodes.

import { Option } from "commander";

const ENGINES = ["wasm", "chip"] as const;
export type Engine = (typeof ENGINES)[number];

export function engineOption(): Option {
  const text = "what runs the nodes; chip: their flash images on a model of an RP2040";
  return new Option("--engine <E>", text).choices(ENGINES).default("wasm");
}
