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
    const was = state.get(id);
    if (entityNow) state.set(id, entityNow);
    else state.delete(id);
    spans.replaceAll([[was, entityNow]], state.values());
    const fresh = new Spans(words, state.values());
    for (let k = 0; k < words.count; k++) {
      assert.deepEqual(new Set(spans.on(k).map((one) => one.id)), new Set(fresh.on(k).map((one) => one.id)));
    }
    assert.deepEqual(new Map([...spans.lanes].sort()), new Map([...fresh.lanes].sort()));
  }
});

test("many entities at once stand as if they had been there from the start, and every word that looks different is named", () => {
  const raw = "a ".repeat(400);
  const words = new Words(new Text(raw), wordsOf(raw));
  const { below, next, pick } = random(7);
  const looks = (spans, k) => spans.on(k).map((one) => [one.id, one.label, one.state, spans.lanes.get(one.id)].join(" ")).sort().join("; ");
  for (let round = 0; round < 40; round++) {
    const place = () => [2 * below(400)].map((start) => ({ start, end: Math.min(799, start + 1 + 2 * below(pick([1, 4, 200]))) }))[0];
    const make = (id, { start, end }) => entity(id, start, end, pick(["A", "B"]), pick(["accepted", "suggested", "rejected"]));
    const state = new Map(Array.from({ length: 150 }, (_, k) => [`e${k}`, make(`e${k}`, place())]));
    const spans = new Spans(words, state.values());
    const before = Array.from({ length: words.count }, (_, k) => looks(spans, k));
    const pairs = [];
    for (let k = 0; k < 10 + 20 * below(10); k++) {
      const id = `e${k}`;
      const was = state.get(id);
      if (next() < 0.2) state.delete(id);
      else state.set(id, make(id, was && next() < 0.7 ? was : place()));
      pairs.push([was, state.get(id)]);
    }
    const ranges = spans.replaceAll(pairs, state.values());
    const fresh = new Spans(words, state.values());
    assert.deepEqual(new Map([...spans.lanes].sort()), new Map([...fresh.lanes].sort()));
    for (let k = 0; k < words.count; k++) {
      assert.equal(looks(spans, k), looks(fresh, k));
      if (looks(spans, k) !== before[k]) assert.ok(ranges.some(([first, last]) => first <= k && k <= last), `word ${k} of round ${round}`);
    }
    for (let k = 1; k < ranges.length; k++) assert.ok(ranges[k][0] > ranges[k - 1][1] + 1);
  }
});
