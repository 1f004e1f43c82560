// SPDX-License-Identifier: MIT
// Goal: option values are read as documented, or refused with what is right.
//
// Method: tables of texts and values; suggestions against the words of the command line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { closest } from "../../scripts/cli/closest.ts";
import { parseLengthMs } from "../../scripts/cli/length.ts";
import {
  readBroker,
  readEndpoint,
  readFraction,
  readLengthMs,
  readSeed,
  showEndpoint,
} from "../../scripts/cli/values.ts";

test("lengths of time are seconds, or carry s, m or h", () => {
  const lengths = {
    "30": 30_000,
    "30s": 30_000,
    "10m": 600_000,
    "1h": 3_600_000,
    "0.5h": 1_800_000,
  };
  for (const [text, lengthMs] of Object.entries(lengths))
    assert.equal(readLengthMs(text), lengthMs);
  for (const text of ["", "0", "-1", "1d", "m", "1 m", "1m30s", "1e3", "9999999h", "NaN"])
    assert.throws(() => readLengthMs(text), /a length of time is 30, 30s, 10m or 1h\./);
  assert.equal(parseLengthMs("0", 0), 0);
});

test("an address is a port on loopback unless a host is given", () => {
  assert.deepEqual(readEndpoint("8080"), { host: "127.0.0.1", port: 8080 });
  assert.deepEqual(readEndpoint("0.0.0.0:0"), { host: "0.0.0.0", port: 0 });
  assert.deepEqual(readEndpoint("[::1]:99"), { host: "::1", port: 99 });
  assert.equal(showEndpoint({ host: "::1", port: 99 }), "[::1]:99");
  for (const text of ["", "x", "65536", "-1", ":80", "a b:80", "::1:80", "http://h:80"])
    assert.throws(() => readEndpoint(text), /an address is PORT or HOST:PORT/, text);
});

test("probabilities, seeds and brokers are checked", () => {
  assert.equal(readFraction("0.2"), 0.2);
  assert.equal(readFraction("20%"), 0.2);
  for (const text of ["1.1", "-0", "a", "101%", ""]) assert.throws(() => readFraction(text), text);
  assert.equal(readSeed("4294967295"), 4_294_967_295);
  for (const text of ["4294967296", "1.5", "-1", "0x1"]) assert.throws(() => readSeed(text), text);
  assert.equal(readBroker("mqtt://127.0.0.1"), "mqtt://127.0.0.1:1883");
  assert.equal(readBroker("mqtt://host:99"), "mqtt://host:99");
  for (const text of ["http://h", "host", "mqtt://", "mqtts://h"])
    assert.throws(() => readBroker(text), /a broker is mqtt:\/\/HOST/, text);
});

test("the nearest word is suggested, and none when none is near", () => {
  const words = ["temperature", "everyMs", "unit", "scale"];
  assert.equal(closest("evryMs", words), "everyMs");
  assert.equal(closest("scael", words), "scale");
  assert.equal(closest("Unit", words), "unit");
  assert.equal(closest("pressure", words), undefined);
  assert.equal(closest("x".repeat(10_000), words), undefined);
});
