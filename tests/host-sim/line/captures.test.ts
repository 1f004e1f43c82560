// SPDX-License-Identifier: MIT
// Goal: the receiver's model hears on real wires what independent decoders hear.
// Method: every channel of every shared capture of edges, at its true rate, format and polarity.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import { TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../../firmware/wire/tap.ts";
import { hear } from "../../../host-sim/line/hear.ts";
import { formatOf } from "../../../host-sim/line/format.ts";
import * as need from "../../support/need.ts";
import { readEdges } from "../../support/waves.ts";

const FOLDER = "taps/edges";

test("characters, framing and parity errors of every capture", need.shared(FOLDER), (t) => {
  let [channels, characters] = [0, 0];
  for (const name of readdirSync(need.sharedFile(FOLDER)))
    for (const { channel, wave, endNs, expected } of readEdges(
      need.sharedFile(`${FOLDER}/${name}`),
    )) {
      if (!expected.uart) continue;
      const { baud, inverted } = expected;
      const format = formatOf(baud, expected.format);
      const heard = hear(wave, { format, inverted }, endNs + format.bitNs / 2);
      // One capture ends before the middle of its last stop bit; others end within a character.
      const digits = format.dataBits > 8 ? 3 : 2;
      const hex = heard.map(({ data }) => data.toString(16).padStart(digits, "0")).join("");
      const framing = heard.flatMap(({ flags }, i) => (flags & TAP_FLAG_FRAMING ? [i] : []));
      const parity = heard.filter(({ flags }) => flags & TAP_FLAG_PARITY).length;
      const where = `${name}, ${channel}`;
      assert.equal(hex, expected.bytes_hex, where);
      assert.equal(framing.length, expected.framing_errors, where);
      if (expected.framing_error_at) assert.deepEqual(framing, expected.framing_error_at, where);
      assert.equal(parity, expected.parity_errors, where);
      channels++;
      characters += heard.length;
    }
  t.diagnostic(`${channels} channels, ${characters} characters`);
  assert.ok(channels > 0);
});
