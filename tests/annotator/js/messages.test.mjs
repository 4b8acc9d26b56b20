import assert from "node:assert/strict";
import { test } from "node:test";

import { MESSAGES, messages } from "../../../src/viner/annotator/static/messages.js";

test("one is told from many where a language does", () => {
  assert.equal(messages("en")("count_entities", { count: 1 }), "1 entity");
  assert.equal(messages("en")("count_entities", { count: 2 }), "2 entities");
  assert.equal(messages("en")("count_entities", { count: 0 }), "0 entities");
  assert.equal(messages("vi")("count_entities", { count: 1 }), "1 thực thể");
});

test("both languages name the same values", () => {
  const names = (/** @type {string} */ text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
  for (const [key, [english, vietnamese]] of Object.entries(MESSAGES)) assert.deepEqual(names(english), names(vietnamese), key);
});
