import assert from "node:assert/strict";
import { test } from "node:test";

import { MESSAGES, messages } from "../../../src/viner/annotator/static/messages.js";
import { outcomeOf } from "../../../src/viner/annotator/static/training.js";

const WORSE = {
  code: "model_worse",
  values: { name: "004", former: "003", f1: 0.81234, former_f1: 1, documents: 1234 },
  message: "Model 003 stays in service, since 004 is worse.",
};

/** @param {any} outcome @param {string | null} active @param {string} language */
function told(outcome, active, language) {
  const { key, values } = outcomeOf(outcome, active, language);
  return messages(language)(key, values);
}

test("what became of a model is told in the language of the page, numbers and all", () => {
  assert.equal(told(WORSE, null, "en"), "Model 003 stays in service, since 004 is worse: F1 0.8123 against 1.0000 on the 1,234 dev documents of today.");
  assert.equal(told(WORSE, null, "vi"), "Vẫn dùng mô hình 003 vì 004 kém hơn: F1 0,8123 so với 1,0000 trên 1.234 văn bản dev hiện tại.");
  assert.equal(told({ code: "model_first", values: { name: "001" }, message: "…" }, "001", "vi"), "Mô hình 001 là mô hình đầu tiên và đang được dùng.");
});

test("an outcome that the page does not know brings no English into another language", () => {
  for (const outcome of [{ code: "model_of_tomorrow", values: {}, message: "English." }, { code: null, message: "English." }, null]) {
    assert.equal(told(outcome, "005", "vi"), "Mô hình mới 005");
    assert.equal(told(outcome, null, "vi"), "Đã huấn luyện xong");
  }
});

test("every value that a sentence names is one that outcomes have", () => {
  const known = new Set([...Object.keys(WORSE.values)]);
  for (const [key, [english]] of Object.entries(MESSAGES)) {
    if (key.startsWith("outcome_")) for (const [, name] of english.matchAll(/\{(\w+)\}/g)) assert.ok(known.has(name), `${key}: ${name}`);
  }
});
