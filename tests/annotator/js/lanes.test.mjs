import assert from "node:assert/strict";
import test from "node:test";
import { lanesOf, pieces } from "../../../src/viner/annotator/static/lanes.js";
import { Text } from "../../../src/viner/annotator/static/offsets.js";
import { Spans } from "../../../src/viner/annotator/static/spans.js";
import { Words } from "../../../src/viner/annotator/static/words.js";
import { entity, random, wordsOf } from "./support.mjs";

const overlap = (one, other) => one.start < other.end && other.start < one.end;

test("entities that share a character never share a lane, and an outer one lies outside", () => {
  const { below } = random(3);
  for (let round = 0; round < 300; round++) {
    const entities = Array.from({ length: 1 + below(12) }, (_, k) => {
      const start = below(20);
      return entity(`e${k}`, start, start + 1 + below(8));
    });
    const lanes = lanesOf(entities);
    for (const one of entities) {
      for (const other of entities) {
        if (one === other || !overlap(one, other)) continue;
        assert.notEqual(lanes.get(one.id), lanes.get(other.id));
        const inside = other.start >= one.start && other.end <= one.end && other.end - other.start < one.end - one.start;
        if (inside) assert.ok(lanes.get(one.id) > lanes.get(other.id));
      }
    }
  }
});

test("the pieces of a word tile it, and each knows exactly the entities that cover it", () => {
  const [a, b] = [entity("a", 0, 3), entity("b", 2, 9)];
  assert.deepEqual(pieces(1, 6, [a, b]), [
    { start: 1, end: 2, entities: [a] },
    { start: 2, end: 3, entities: [a, b] },
    { start: 3, end: 6, entities: [b] },
  ]);
  assert.deepEqual(pieces(4, 6, []), [{ start: 4, end: 6, entities: [] }]);
});

test("entities that come and go leave the same words and lanes as if they had been there from the start", () => {
  const raw = "một hai ba bốn năm sáu bảy tám chín mười";
  const words = new Words(new Text(raw), wordsOf(raw));
  const { below, next } = random(5);
  const state = new Map();
  const spans = new Spans(words, []);
  for (let round = 0; round < 500; round++) {
    const id = `e${below(8)}`;
    const from = below(raw.length - 1);
    const [start, end] = words.trim(from, Math.min(raw.length, from + 1 + below(12)));
    const entityNow = start === end || next() < 0.3 ? null : entity(id, start, end, "A", next() < 0.2 ? "rejected" : "accepted");
    spans.replace(state.get(id), entityNow);
    if (entityNow) state.set(id, entityNow);
    else state.delete(id);
    const fresh = new Spans(words, state.values());
    for (let k = 0; k < words.count; k++) {
      assert.deepEqual(new Set(spans.on(k).map((one) => one.id)), new Set(fresh.on(k).map((one) => one.id)));
    }
    assert.deepEqual(new Map([...spans.lanes].sort()), new Map([...fresh.lanes].sort()));
  }
});
