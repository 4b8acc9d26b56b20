import assert from "node:assert/strict";
import test from "node:test";
import { History, reversible } from "../../../src/viner/annotator/static/history.js";
import { afterOf, apply, inverse, stateOf } from "../../../src/viner/annotator/static/model.js";
import { entity, random, stored } from "./support.mjs";
import { randomEdit } from "./edits.mjs";

const step = (operation, undoes = null) => ({ operation, undoes, before: { entities: {} }, after: { entities: {} } });
const names = (steps) => steps.map((one) => one.operation).join("");

test("undo, undo, redo, and a new step: what each would take next", () => {
  const history = new History();
  history.older = false;
  for (const one of ["a", "b", "c"]) history.add(step(one));
  assert.deepEqual([names(history.stacks().undo), names(history.stacks().redo)], ["abc", ""]);
  history.add(step("x", "c"));
  history.add(step("y", "b"));
  assert.deepEqual([names(history.stacks().undo), names(history.stacks().redo)], ["a", "xy"]);
  history.add(step("z", "y"));
  assert.deepEqual([names(history.stacks().undo), names(history.stacks().redo)], ["az", "x"]);
  history.add(step("d"));
  assert.deepEqual([names(history.stacks().undo), names(history.stacks().redo)], ["azd", ""]);
});

test("older events come in pages, and a step that undoes an unknown one asks for more", () => {
  const history = new History();
  history.add(step("x", "c"));
  assert.equal(history.stacks().complete, false);
  history.addOlder([step("a"), step("c"), step("x", "c")], false);
  assert.deepEqual([names(history.stacks().undo), names(history.stacks().redo), history.stacks().complete], ["a", "x", true]);
});

test("any mix of edits, undos and redos walks exactly through the states that there were", () => {
  const source = random(99);
  for (let round = 0; round < 60; round++) {
    const state = stateOf(stored({ status: "started" }));
    const history = new History();
    history.older = false;
    const picture = () => JSON.stringify([[...state.entities.values()].sort((one, other) => (one.id < other.id ? -1 : 1)), Object.entries(state.labels).filter(([, classes]) => classes.length), state.status, state.flagged, [...state.comments].sort((one, other) => (one.id < other.id ? -1 : 1))]);
    let past = [picture()];
    let at = 0;
    let count = 0;
    const commit = (edit, undoes = null) => {
      const before = apply(state, edit);
      history.add({ operation: `o${count++}`, undoes, before, after: afterOf(state, before) });
    };
    for (let k = 0; k < 60; k++) {
      const dice = source.next();
      const { undo, redo } = history.stacks();
      assert.deepEqual([undo.length, redo.length], [at, past.length - 1 - at]);
      if (dice < 0.3 && undo.length) {
        commit(inverse(reversible(undo.at(-1), state).before), undo.at(-1).operation);
        assert.equal(picture(), past[--at]);
      } else if (dice < 0.5 && redo.length) {
        commit(inverse(reversible(redo.at(-1), state).before), redo.at(-1).operation);
        assert.equal(picture(), past[++at]);
      } else {
        commit(randomEdit(source, state));
        past = [...past.slice(0, at + 1), picture()];
        at++;
      }
      // A reload forgets nothing: the same steps from the server give the same stacks.
      const reloaded = new History();
      reloaded.addOlder(history.steps, false);
      assert.equal(names(reloaded.stacks().undo), names(history.stacks().undo));
    }
  }
});

test("undoing the first edit makes a document untouched only where nobody else has decided anything", () => {
  for (const [others, labels, status] of [[[], {}, "todo"], [[entity("s", 4, 5, "A", "suggested")], {}, "todo"], [[entity("b", 2, 3)], {}, "started"], [[entity("b", 2, 3, "A", "rejected")], {}, "started"], [[], { topic: ["x"] }, "started"]]) {
    const state = stateOf(stored());
    const before = apply(state, { put: [entity("a", 0, 1)] });
    const mine = { operation: "o", before, after: afterOf(state, before) };
    apply(state, { put: others, labels });
    apply(state, inverse(reversible(mine, state).before));
    assert.equal(state.status, status);
  }
  const done = stateOf(stored());
  const before = apply(done, { put: [entity("a", 0, 1)], status: "done" });
  const mine = { operation: "o", before, after: afterOf(done, before) };
  apply(done, { put: [entity("b", 2, 3)] });
  apply(done, inverse(reversible(mine, done).before));
  assert.equal(done.status, "started");
});

test("what somebody changed since is not taken back", () => {
  const state = stateOf(stored({ status: "started" }));
  const before = apply(state, { put: [entity("a", 0, 1), entity("b", 2, 3)] });
  const mine = { operation: "o", before, after: afterOf(state, before) };
  apply(state, { put: [entity("b", 2, 5)] });
  const { before: back, kept } = reversible(mine, state);
  assert.deepEqual(kept, ["b"]);
  assert.deepEqual(inverse(back).delete, ["a"]);
});

test("steps from before a label was renamed are taken back under its name of today", () => {
  const state = stateOf(stored({ status: "started" }));
  const history = new History();
  history.older = false;
  const made = entity("e", 0, 3, "OLD");
  let before = apply(state, { put: [made] });
  history.add({ operation: "made", undoes: null, before, after: afterOf(state, before) });
  before = apply(state, { delete: ["e"] });
  history.add({ operation: "gone", undoes: null, before, after: afterOf(state, before) });
  history.rename({ OLD: "NEW", LOST: null });
  apply(state, inverse(reversible(history.stacks().undo.at(-1), state).before));
  assert.equal(state.entities.get("e").label, "NEW");
  apply(state, inverse(reversible(history.stacks().undo[0], state).before));
  assert.equal(state.entities.has("e"), false);
});

test("steps from before a class was renamed or merged are taken back under its name of today", () => {
  const state = stateOf(stored({ status: "started", labels: { topic: ["A", "B"] } }));
  const history = new History();
  history.older = false;
  const before = apply(state, { labels: { topic: ["C"] } });
  history.add({ operation: "made", undoes: null, before, after: afterOf(state, before) });
  state.labels = { topic: ["C2"] };
  history.rename({}, { topic: { A: "AB", B: "AB", C: "C2" } });
  apply(state, inverse(reversible(history.stacks().undo[0], state).before));
  assert.deepEqual(state.labels, { topic: ["AB"] });
});

test("steps that came under the names of today are not renamed once more", () => {
  const history = new History();
  history.older = false;
  const made = (operation, label) => ({ operation, undoes: null, before: { entities: {} }, after: { entities: { e: entity("e", 0, 3, label) } } });
  history.add(made("old", "A"));
  const steps = [...history.steps];
  history.add(made("new", "A"));
  history.rename({ A: "B", B: "A" }, {}, steps);
  assert.deepEqual(history.steps.map((one) => one.after.entities.e.label), ["B", "A"]);
});
