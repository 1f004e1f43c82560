// SPDX-License-Identifier: MIT
// Board files of boards with a JavaScript engine.
//
// Goal: each says what its engine can do and contradicts neither itself nor its picture. Method: the five files
// through their schema, and each pin of a list looked up in the drawing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { JS_BOARDS } from "../../scripts/build/board-names.ts";
import { modelledVariables, readJsBoard } from "../../scripts/build/js-board.ts";

for (const name of JS_BOARDS)
  test(`${name} is as its schema says, and its picture shows each pin`, () => {
    const board = readJsBoard(name);
    assert.equal(board.name, name);
    const drawn = (pin: number, label: string): boolean =>
      board.wiring.some(
        (line) => new RegExp(`(GP|IO)${pin}(?!\\d)`).test(line) && line.includes(label),
      );
    board.analog.forEach((pin, place) =>
      assert.ok(drawn(pin, `analog ${place}`), `analog ${place}`),
    );
    board.pwm.forEach((pin, place) => assert.ok(drawn(pin, `PWM ${place}`), `PWM ${place}`));
    board.digital.forEach((pin, place) =>
      assert.ok(drawn(pin, `digital ${place}`), `digital ${place}`),
    );
    board.taps.forEach(({ rx }, place) => assert.ok(drawn(rx, `tap ${place}, RX`), `tap ${place}`));
    assert.ok(board.periodMsMin >= (board.engine === "kaluma" ? 20 : 1000));
  });

test("a full bundle fits the variables of each board", () => {
  for (const name of JS_BOARDS) {
    const { bundleBytesMax, variables } = readJsBoard(name);
    if (variables === undefined) continue;
    assert.ok(modelledVariables(bundleBytesMax) <= variables.most, name);
    assert.ok(variables.most < variables.count, name);
  }
  assert.equal(modelledVariables(10_240), 2895);
});
