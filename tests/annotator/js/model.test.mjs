import assert from "node:assert/strict";
import test from "node:test";
import { afterOf, apply, inverse, isEmpty, sameEntity, stateOf } from "../../../src/viner/annotator/static/model.js";
import { randomEdit } from "./edits.mjs";
import { entity, random, stored } from "./support.mjs";

const shape = (state) => ({
  entities: [...state.entities.values()].sort((one, other) => (one.id < other.id ? -1 : 1)),
  labels: Object.fromEntries(Object.entries(state.labels).filter(([, classes]) => classes.length)),
  status: state.status,
  flagged: state.flagged,
  comments: [...state.comments].sort((one, other) => (one.id < other.id ? -1 : 1)),
});

test("the inverse of an edit brings back what was there, whatever the edit", () => {
  const source = random(11);
  const state = stateOf(stored({ status: "started" }));
  for (let round = 0; round < 2000; round++) {
    const edit = randomEdit(source, state);
    const was = structuredClone(shape(state));
    const before = apply(state, edit);
    if (source.next() < 0.5) {
      const now = structuredClone(shape(state));
      const back = inverse(before);
      const again = apply(state, back);
      assert.deepEqual(shape(state), was);
      apply(state, inverse(again));
      assert.deepEqual(shape(state), now);
    }
  }
});

test("the first decision moves a document from todo to started, a flag does not, and undo moves it back", () => {
  const state = stateOf(stored());
  apply(state, { flagged: true });
  assert.equal(state.status, "todo");
  const before = apply(state, { put: [entity("a", 0, 1)] });
  assert.equal(state.status, "started");
  assert.equal(afterOf(state, before).status, "started");
  apply(state, inverse(before));
  assert.equal(state.status, "todo");
});

test("a score or a source is no difference between entities, a state is", () => {
  assert.ok(sameEntity(entity("a", 0, 1), { ...entity("b", 0, 1), score: 0.5, source: "model 003" }));
  assert.ok(!sameEntity(entity("a", 0, 1), entity("a", 0, 1, "A", "suggested")));
  assert.ok(sameEntity(null, undefined));
  assert.ok(!sameEntity(null, entity("a", 0, 1)));
});

test("an edit without content is empty", () => {
  for (const edit of [{}, { put: [], delete: [] }, { comments: { put: [], delete: [] } }]) assert.ok(isEmpty(edit));
  for (const edit of [{ flagged: false }, { delete: ["a"] }, { labels: {} }]) assert.ok(!isEmpty(edit));
});
