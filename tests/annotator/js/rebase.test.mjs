import assert from "node:assert/strict";
import test from "node:test";
import { apply, isEmpty, sameEntity, stateOf } from "../../../src/viner/annotator/static/model.js";
import { insist, merge, rebase } from "../../../src/viner/annotator/static/rebase.js";
import { entity, random, stored } from "./support.mjs";

const before = (entities, more = {}) => ({ entities, ...more });
const current = (entities, more = {}) => stateOf(stored({ entities, version: 5, status: "started", ...more }));

test("edits of different entities are both kept", () => {
  const mine = entity("a", 0, 3);
  const { edit, clashes } = rebase({ put: [mine] }, before({ a: null }), current([entity("b", 5, 8, "B")]));
  assert.deepEqual(edit, { put: [mine] });
  assert.deepEqual(clashes, []);
});

test("two changes of one entity are a choice, the same change twice is none", () => {
  const was = entity("a", 0, 3, "A");
  const mine = entity("a", 0, 3, "B");
  const theirs = entity("a", 0, 3, "C");
  const { edit, clashes } = rebase({ put: [mine] }, before({ a: was }), current([theirs]));
  assert.ok(isEmpty(edit));
  assert.deepEqual(clashes, [{ kind: "entity", id: "a", mine, theirs }]);
  assert.deepEqual(insist(clashes), { put: [mine] });
  assert.deepEqual(rebase({ put: [mine] }, before({ a: was }), current([mine])), { edit: {}, clashes: [] });
});

test("a deletion against a change is a choice, and deleting what is gone is none", () => {
  const was = entity("a", 0, 3, "A");
  const { clashes } = rebase({ delete: ["a"] }, before({ a: was }), current([entity("a", 0, 5, "A")]));
  assert.equal(clashes[0].mine, null);
  assert.deepEqual(insist(clashes), { delete: ["a"] });
  assert.deepEqual(rebase({ delete: ["a"] }, before({ a: was }), current([])), { edit: {}, clashes: [] });
  const gone = rebase({ put: [entity("a", 0, 3, "B")] }, before({ a: was }), current([]));
  assert.equal(gone.clashes[0].theirs, null);
});

test("a suggestion that a model has withdrawn or moved meanwhile is no choice: the person's decision stands", () => {
  const was = entity("a", 0, 3, "A", "suggested");
  for (const theirs of [[], [entity("a", 0, 5, "A", "suggested")]]) {
    const { edit, clashes } = rebase({ put: [entity("a", 0, 3, "A")] }, before({ a: was }), current(theirs));
    assert.deepEqual([edit.put.length, clashes.length], [1, 0]);
  }
  const rejected = rebase({ put: [entity("a", 0, 3, "A")] }, before({ a: was }), current([entity("a", 0, 3, "A", "rejected")]));
  assert.equal(rejected.clashes.length, 1, "what a person has rejected is one");
});

test("a decision holds for the same suggestion under another id, which gives way", () => {
  const was = entity("a", 0, 3, "A", "suggested");
  const theirs = [entity("renewed", 0, 3, "A", "suggested"), entity("other", 0, 3, "B", "suggested")];
  for (const state of ["rejected", "accepted"]) {
    const mine = entity("a", 0, 3, "A", state);
    const answer = rebase({ put: [mine] }, before({ a: was }), current(theirs));
    assert.deepEqual(answer, { edit: { put: [mine], delete: ["renewed"] }, clashes: [] });
  }
  const both = { put: [entity("a", 0, 3, "A", "rejected"), entity("renewed", 0, 3, "A", "rejected")] };
  const answer = rebase(both, before({ a: was, renewed: theirs[0] }), current(theirs));
  assert.deepEqual(answer.edit, both, "what the person decided on itself stays");
  const renamed = rebase({ put: [entity("a", 0, 3, "OLD", "rejected")] }, before({ a: { ...was, label: "OLD" } }), current(theirs), { OLD: "A" });
  assert.deepEqual(renamed.edit.delete, ["renewed"]);
});

test("both sides adding the same entity leaves one", () => {
  const { edit, clashes } = rebase({ put: [entity("mine", 0, 3)] }, before({ mine: null }), current([entity("theirs", 0, 3)]));
  assert.ok(isEmpty(edit));
  assert.deepEqual(clashes, []);
});

test("a renamed label is translated, a label that is gone is a choice that names it", () => {
  const mine = entity("a", 0, 3, "OLD");
  const renamed = rebase({ put: [mine] }, before({ a: entity("a", 0, 3, "OTHER") }), current([entity("a", 0, 3, "OTHER2")]), { OLD: "NEW", OTHER: "OTHER2" });
  assert.deepEqual(renamed.edit.put[0].label, "NEW");
  const gone = rebase({ put: [mine] }, before({ a: null }), current([]), { OLD: null });
  assert.deepEqual(gone.clashes.map((clash) => clash.kind), ["label"]);
  assert.deepEqual(insist(gone.clashes), {}, "nobody can insist on a label that there is not");
});

test("done follows on started by itself, but not on another decision", () => {
  assert.deepEqual(rebase({ status: "done" }, before({}, { status: "todo" }), current([])).edit, { status: "done" });
  assert.equal(rebase({ status: "done" }, before({}, { status: "started" }), current([], { status: "skipped" })).clashes[0].kind, "status");
});

test("an undo back to untouched stops at started where somebody else has decided something meanwhile", () => {
  const back = { delete: ["a"], status: "todo" };
  const found = before({ a: entity("a", 0, 3) }, { status: "started" });
  assert.deepEqual(rebase(back, found, current([entity("a", 0, 3), entity("b", 5, 8)])).edit, { delete: ["a"] });
  assert.deepEqual(rebase(back, found, current([entity("a", 0, 3), entity("b", 5, 8, "A", "suggested")])).edit, back);
});

test("labels of the document and comments follow the same rule", () => {
  const labels = rebase({ labels: { topic: ["x"] } }, before({}, { labels: { topic: [] } }), current([], { labels: { other: ["o"] } }));
  assert.deepEqual(labels.edit, { labels: { topic: ["x"] } });
  const clash = rebase({ labels: { topic: ["x"] } }, before({}, { labels: { topic: [] } }), current([], { labels: { topic: ["y"] } }));
  assert.equal(clash.clashes[0].kind, "labels");
  const comments = rebase({ comments: { put: [{ id: "m", text: "mine" }] } }, before({}, { comments: { m: null } }), current([], { comments: [{ id: "n", text: "theirs" }] }));
  assert.deepEqual(comments.edit.comments.put, [{ id: "m", text: "mine" }]);
});

test("merging two edits keeps all of both, the second winning where they name the same entity", () => {
  const merged = merge({ put: [entity("a", 0, 1), entity("b", 0, 1)], delete: ["c"] }, { put: [entity("c", 0, 2)], delete: ["a"] });
  assert.deepEqual(merged.put.map((one) => one.id), ["b", "c"]);
  assert.deepEqual(merged.delete, ["a"]);
});

test("whatever two people do: each entity ends as one of them left it, and who touched it alone gets his way", () => {
  const source = random(2026);
  const ids = ["a", "b", "c", "d", "e", "f"];
  for (let round = 0; round < 1500; round++) {
    const { below, pick, next } = source;
    const start = stateOf(stored({ status: "started", entities: ids.slice(0, 4).map((id, k) => entity(id, 10 * k, 10 * k + 5, "A")) }));
    const copy = () => stateOf(stored({ status: "started", entities: [...start.entities.values()] }));
    const act = (side, touched) => {
      const id = pick(ids);
      touched.add(id);
      // Places differ by side, so that a twin, which needs no second copy, does not come up here.
      return side.entities.has(id) && next() < 0.3 ? { delete: [id] } : { put: [entity(id, 100 * ids.indexOf(id) + below(40), 100 * ids.indexOf(id) + 50, pick(["A", "B", "C"]), pick(["accepted", "rejected"]))] };
    };
    const [me, them] = [copy(), copy()];
    const [mineTouched, theirsTouched] = [new Set(), new Set()];
    const queue = [];
    for (let k = below(5); k >= 0; k--) {
      const edit = act(me, mineTouched);
      queue.push({ edit, before: apply(me, edit) });
    }
    for (let k = below(5); k >= 0; k--) apply(them, act(them, theirsTouched));
    const merged = stateOf(stored({ status: "started", entities: [...them.entities.values()] }));
    const asked = new Map();
    for (const { edit, before: found } of queue) {
      const result = rebase(edit, found, merged);
      for (const clash of result.clashes) if (!asked.has(clash.id)) asked.set(clash.id, pick(["mine", "theirs"]));
      apply(merged, merge(result.edit, insist(result.clashes.filter((clash) => asked.get(clash.id) === "mine"))));
    }
    for (const id of ids) {
      const [mine, theirs, now] = [me, them, merged].map((state) => state.entities.get(id));
      if (!theirsTouched.has(id)) assert.ok(sameEntity(now, mine), `${id} was mine alone (round ${round})`);
      else if (!mineTouched.has(id)) assert.ok(sameEntity(now, theirs), `${id} was theirs alone (round ${round})`);
      else if (asked.get(id) === "mine") assert.ok(sameEntity(now, mine), `${id} was chosen as mine (round ${round})`);
      else assert.ok(sameEntity(now, theirs) || sameEntity(now, mine), `${id} is what one of us made of it (round ${round})`);
    }
  }
});

test("classes of the document are called as they are today, and a class that was deleted goes from the edit as well", () => {
  const was = { ...before({}), labels: { topic: ["OLD"], kind: ["GONE"] } };
  const maps = { topic: { OLD: "NEW", OTHER: "OTHER2", X: "NEW" }, kind: { GONE: null } };
  const now = current([], { labels: { topic: ["NEW"], kind: [] } });
  const { edit, clashes } = rebase({ labels: { topic: ["OLD", "OTHER"], kind: ["GONE"] } }, was, now, {}, maps);
  assert.deepEqual([edit.labels, clashes], [{ topic: ["NEW", "OTHER2"] }, []]);
  assert.deepEqual(rebase({ labels: { topic: ["OLD", "X"] } }, was, now, {}, maps), { edit: {}, clashes: [] }, "merged into one that stands there");
});
