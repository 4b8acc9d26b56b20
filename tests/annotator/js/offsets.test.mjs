import assert from "node:assert/strict";
import test from "node:test";
import { Text } from "../../../src/viner/annotator/static/offsets.js";
import { random } from "./support.mjs";

const SENTENCE = "Bệnh nhân 😷 Nguyễn Văn A ở Hà Nội.";

test("an entity behind an emoji has the code points that the server counts, composed or not", () => {
  const composed = new Text(SENTENCE.normalize("NFC"));
  const split = new Text(SENTENCE.normalize("NFD"));
  assert.equal(composed.slice(27, 33), "Hà Nội");
  assert.equal(split.slice(35, 44), "Hà Nội".normalize("NFD"));
  assert.deepEqual([composed.toUtf16(27), composed.toUtf16(33)], [28, 34]);
  assert.deepEqual([split.toUtf16(35), split.toUtf16(44)], [36, 45]);
});

test("both ways agree with the string's own iteration on random texts", () => {
  const { below, pick } = random(7);
  const alphabet = ["a", "ệ", "e\u0323\u0302", "😷", "👩\u200d⚕\ufe0f", "\r\n", " ", "م", "\ud800", "\udc00"];
  for (let round = 0; round < 300; round++) {
    const raw = Array.from({ length: below(30) }, () => pick(alphabet)).join("");
    const points = Array.from(raw);
    const text = new Text(raw);
    assert.equal(text.length, points.length);
    let unit = 0;
    points.forEach((point, k) => {
      assert.equal(text.toUtf16(k), unit);
      assert.equal(text.toCodePoint(unit), k);
      if (point.length === 2) assert.equal(text.toCodePoint(unit + 1), k, "the middle of a character is its start");
      unit += point.length;
    });
    assert.equal(text.toUtf16(points.length), raw.length);
    const [start, end] = [below(points.length + 1), below(points.length + 1)].sort((one, other) => one - other);
    assert.equal(text.slice(start, end), points.slice(start, end).join(""));
  }
});
