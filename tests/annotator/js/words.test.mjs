import assert from "node:assert/strict";
import test from "node:test";
import { Text } from "../../../src/viner/annotator/static/offsets.js";
import { BLOCK_WORDS, Words } from "../../../src/viner/annotator/static/words.js";
import { wordsOf } from "./support.mjs";

const of = (raw) => new Words(new Text(raw), wordsOf(raw));

test("words and gaps tile the text", () => {
  for (const raw of ["  BN990-993 😷 ở\r\nHà Nội.\n", "", "   ", "a", "\tx "]) {
    const words = of(raw);
    let all = "";
    for (let k = 0; k < words.count; k++) all += words.gap(k) + words.surface(k);
    assert.equal(all + words.gap(words.count), raw);
  }
});

test("a place belongs to the word that holds it, a gap to the word before", () => {
  const words = of(" ab cd");
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((point) => words.at(point)), [0, 0, 0, 0, 1, 1]);
  assert.deepEqual(words.of(1, 3), [0, 0]);
  assert.deepEqual(words.of(2, 5), [0, 1]);
});

test("jumps go to the beginnings of sentences and of lines", () => {
  const words = of("Một hai. Ba bốn!\nNăm 3.5 sáu");
  const starts = [];
  for (let k = 0; ; ) {
    const next = words.jump(k, 1, "sentence");
    if (next === words.count - 1) break;
    starts.push(words.surface(next));
    k = next;
  }
  assert.deepEqual(starts, ["Ba", "Năm"]);
  assert.equal(words.surface(words.jump(1, 1, "line")), "Năm");
  assert.equal(words.jump(2, -1, "line"), 0);
});

test("each line is a block, and a long line is cut at a sentence's end", () => {
  const line = "a b c d e f g h i. ".repeat(100);
  const words = of(`x y\n${line}\nz`);
  const blocks = words.blocks();
  assert.deepEqual(blocks.slice(0, 2), [0, 2]);
  blocks.forEach((first, b) => assert.ok((blocks[b + 1] ?? words.count) - first <= BLOCK_WORDS));
  for (const first of blocks.slice(2, -1)) assert.equal(words.surface(first - 1), ".");
  assert.equal(words.surface(blocks.at(-1)), "z");
});

test("entities have no white space at their ends", () => {
  const words = of("a  b ");
  assert.deepEqual(words.trim(0, 5), [0, 4]);
  assert.deepEqual(words.trim(1, 3), [1, 1]);
});
