// SPDX-License-Identifier: MIT
// Goal: topic ids are unique, seeded, never reserved; names are checked.
// Method: tables filled to their bound, the counter led over its end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeTopicFilter, decodeTopicName } from "../../gateway/names.ts";
import {
  createPredefined,
  createTopicIds,
  createTopics,
  dropTopic,
  muteTopic,
  registerTopic,
} from "../../gateway/topics.ts";
import { octets } from "./client.ts";

test("the first id is decided by the seed alone, and seeds differ", () => {
  assert.equal(createTopicIds(7).next, createTopicIds(7).next);
  const firsts = new Set(Array.from({ length: 100 }, (_, seed) => createTopicIds(seed).next));
  assert.ok(firsts.size > 95);
  for (const first of firsts) assert.ok(first >= 1 && first <= 0xfffe);
});

test("ids pass over FFFF and 0000 and over those in use", () => {
  const topics = createTopics();
  const ids = { next: 0xfffe };
  const first = registerTopic(topics, ids, "a")!;
  const second = registerTopic(topics, ids, "b")!;
  assert.deepEqual([first.topicId, second.topicId], [0xfffe, 1]);
  ids.next = 0xfffe;
  assert.equal(registerTopic(topics, ids, "c")?.topicId, 2);
});

test("a dropped topic gets a new id", () => {
  const topics = createTopics();
  const ids = createTopicIds(1);
  const old = registerTopic(topics, ids, "a")!;
  dropTopic(topics, old);
  dropTopic(topics, old);
  assert.equal(topics.bytes, 0);
  assert.notEqual(registerTopic(topics, ids, "a")?.topicId, old.topicId);
});

test("the set of muted names is bounded and forgets its oldest", () => {
  const topics = createTopics();
  for (let i = 0; i < 65; i++) muteTopic(topics, `t/${i}`);
  assert.equal(topics.muted.size, 64);
  assert.equal(topics.muted.has("t/0"), false);
  assert.equal(topics.muted.has("t/64"), true);
});

test("predefined topics are checked at start", () => {
  const predefined = createPredefined({ "plant/alarm": 7 });
  assert.equal(predefined.nameOf(7), "plant/alarm");
  assert.equal(predefined.idOf("plant/alarm"), 7);
  assert.equal(predefined.nameOf(8), undefined);
  for (const table of [{ a: 0 }, { a: 0xffff }, { a: 1.5 }, { a: 3, b: 3 }]) {
    assert.throws(() => createPredefined(table), RangeError);
  }
});

test("names and filters follow MQTT 3.1.1 §4.7", () => {
  for (const name of ["a", "/", "a//b", "ä/ö", "$SYS/x", "a b"]) {
    assert.equal(decodeTopicName(octets(name)), name);
  }
  for (const name of ["", "+", "a/#", "a\0"])
    assert.equal(decodeTopicName(octets(name)), undefined);
  for (const filter of ["a", "+", "#", "a/+/b", "a/#", "+/+", "/#"]) {
    assert.equal(decodeTopicFilter(octets(filter)), filter);
  }
  for (const filter of ["a+", "#/a", "a/#/b", "a#", "++", ""]) {
    assert.equal(decodeTopicFilter(octets(filter)), undefined);
  }
  assert.equal(decodeTopicName(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
  assert.equal(decodeTopicName(Uint8Array.of(0xed, 0xa0, 0x80)), undefined);
});
