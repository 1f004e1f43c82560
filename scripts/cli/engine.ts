// SPDX-License-Identifier: MIT
// Options that say what runs nodes: an engine, and the board of a chip.

import { Option } from "commander";
import { BOARDS } from "../build/boards.ts";

const ENGINES = ["wasm", "chip", "js", "duktape"] as const;
export type Engine = (typeof ENGINES)[number];

export function engineOption(): Option {
  const text =
    "what runs the nodes; chip: their flash images on a model of an RP2040, " +
    "js and duktape: the modules as JavaScript, in Node or in duktape";
  return new Option("--engine <E>", text).choices(ENGINES).default("wasm");
}

export function boardOption(of: "--engine chip" | "--chip"): Option {
  const chips = BOARDS.filter((board) => board !== "posix");
  return new Option("--board <B>", `the board of ${of}`).choices(chips).default("pico");
}
