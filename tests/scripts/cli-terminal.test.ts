// SPDX-License-Identifier: MIT
// Goal: a person at a terminal is asked, sees progress, and can stop it.
//
// Method: the command on a pty, keys as they are typed, all that is on the screen.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readNode } from "../../scripts/build/node.ts";
import { listTemplates } from "../../scripts/run/template.ts";
import { startOnTerminal } from "../support/terminal.ts";
import { makeFolder } from "./folders.ts";

const top = makeFolder();
const QUESTION = /which template\? \[oven\] /;

const ANEW = `\r${String.fromCharCode(27)}\\[K`; // of a line that is written over

test("new asks which template, and takes what is typed", async () => {
  const terminal = startOnTerminal(["new", "mine"], top);
  await terminal.says(QUESTION);
  terminal.type("meter\r");
  const { code, text } = await terminal.ended();
  assert.equal(code, 0, text);
  for (const { name, text: what } of listTemplates()) {
    const line = `  ${name.padEnd(8)} ${what}\n`;
    assert.ok(line.length <= 80 && text.includes(line), `${name} is offered on one line`);
  }
  assert.match(text, /\nmade mine from meter: node\.json, /);
  assert.match(text, /\n {2}next: ferrule up mine --watch\n$/);
  assert.equal(readNode(join(top, "mine")).type.type, "mine");
});

test("Return alone takes the default, a wrong name is refused", async () => {
  const plain = startOnTerminal(["new", "plain"], top);
  await plain.says(QUESTION);
  plain.type("\r");
  assert.match((await plain.ended()).text, /\nmade plain from oven: /);
  const wrong = startOnTerminal(["new", "wrong"], top);
  await wrong.says(QUESTION);
  wrong.type("metre\r");
  const { code, text } = await wrong.ended();
  assert.equal(code, 3);
  assert.match(text, /\nferrule: there is no template metre; did you mean meter\?\n {2}next: /);
  assert.ok(!existsSync(join(top, "wrong")), "nothing is made");
});

test("Ctrl-C and Ctrl-D at the question make nothing and end with 130", async () => {
  for (const key of ["\u0003", "\u0004"]) {
    const terminal = startOnTerminal(["new", "never"], top);
    await terminal.says(QUESTION);
    terminal.type(key);
    const { code, text } = await terminal.ended();
    assert.equal(code, 130, text);
    assert.match(text, /\[oven\] .*\nferrule: interrupted\n$/);
    assert.ok(!existsSync(join(top, "never")), "nothing is made");
  }
});

test("a long simulation has one line that Ctrl-C takes away", async () => {
  const args = ["sim", "--for", "100h", "--trace", join(top, "never.jsonl")];
  const terminal = startOnTerminal(args);
  await terminal.says(new RegExp(`${ANEW}\\d+ %, \\d+ of 360000 s simulated${ANEW}\\d+ %`));
  terminal.type("\u0003");
  const { code, text } = await terminal.ended();
  assert.equal(code, 130);
  assert.match(text, new RegExp(`s simulated(\\^C)?${ANEW}ferrule: interrupted\n$`));
  assert.ok(!readdirSync(top).some((name) => name.startsWith("never")), "nothing is written");
});
