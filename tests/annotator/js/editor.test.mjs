import assert from "node:assert/strict";
import test from "node:test";
import { Editor } from "../../../src/viner/annotator/static/editor.js";
import { MOST_AT_ONCE, stateOf } from "../../../src/viner/annotator/static/model.js";
import { Outbox } from "../../../src/viner/annotator/static/outbox.js";
import { entity, failure, Memory, Server, stored, wordsOf } from "./support.mjs";

const quiet = { onState() {}, onSaved() {}, onRebased() {}, onClash: async () => [], onRefused: (_, error) => assert.fail(error), onStuck() {}, onReopened() {}, onGone() {} };

/** An editor with a document, its way to a server that refuses more than it takes at once, and what the person was told. */
function desk(document) {
  const server = new Server(structuredClone(document));
  server.before = ({ put, delete: gone }) => {
    if (put.length > MOST_AT_ONCE || gone.length > MOST_AT_ONCE) throw failure(422, "refused");
  };
  const outbox = new Outbox({ storage: new Memory(), api: server, listener: quiet });
  const told = [];
  const editor = new Editor({
    view: { show() {}, paint() {}, paintAll() {}, mark() {} }, outbox, send: (edit) => outbox.add(edit), loadHistory: async () => ({ events: [] }),
    undoEverywhere: async () => {}, reload: async () => {}, changed() {}, notify: (key, values) => told.push([key, values]),
  });
  editor.open(document, { position: () => 0 });
  const count = (state) => server.entities().filter((one) => one.state === state).length;
  return { editor, server, outbox, told, count };
}

function suggested(many) {
  const text = "a ".repeat(many);
  const entities = Array.from({ length: many }, (_, k) => entity(`s${k}`, 2 * k, 2 * k + 1, "A", "suggested"));
  return stored({ text, words: wordsOf(text), entities });
}

test("accepting more than one save takes goes in several, in order, and is taken back and done again as one step", async () => {
  const many = 2 * MOST_AT_ONCE + 1;
  const { editor, server, outbox, told, count } = desk(suggested(many));
  const puts = [];
  const { before } = server;
  server.before = (operation) => (before(operation), puts.push(operation.put.map(({ id }) => id)));
  editor.acceptAll();
  await outbox.flushed();
  assert.deepEqual(puts.map((ids) => ids.length), [MOST_AT_ONCE, MOST_AT_ONCE, 1]);
  assert.deepEqual(puts.flat(), Array.from({ length: many }, (_, k) => `s${k}`));
  assert.deepEqual([count("accepted"), told], [many, [["accepted_all", { count: many }]]]);

  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual([count("suggested"), server.log.length, server.documents.get("d").status], [many, 6, "todo"]);
  assert.equal(editor.focus()?.id, "s0");
  await editor.undo("redo");
  await outbox.flushed();
  assert.deepEqual([count("accepted"), server.documents.get("d").status], [many, "started"]);
  await editor.undo("undo");
  await outbox.flushed();
  assert.equal(count("suggested"), many);
  await editor.undo("undo");
  assert.equal(told.at(-1)[0], "nothing_to_undo");
});

test("what one save takes is one save", async () => {
  const { editor, server, outbox, count } = desk(suggested(3));
  editor.acceptAll();
  await outbox.flushed();
  assert.deepEqual([count("accepted"), server.log.length], [3, 1]);
});

test("labeling more occurrences of a document than one save takes is one step, too", async () => {
  const text = "a ".repeat(MOST_AT_ONCE + 5);
  const { editor, server, outbox, count } = desk(stored({ text, words: wordsOf(text) }));
  assert.equal(editor.labelAll({ surface: "a", label: "A", matchCase: true }), MOST_AT_ONCE + 5);
  await outbox.flushed();
  assert.deepEqual([count("accepted"), server.log.length], [MOST_AT_ONCE + 5, 2]);
  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual([server.entities().length, server.log.length], [0, 4]);
});

test("steps made before and after stay steps of their own, and what was changed since stays", async () => {
  const { editor, outbox, told, count } = desk(suggested(MOST_AT_ONCE + 2));
  editor.commit({ put: [entity("s0", 0, 1, "A", "rejected")] });
  editor.acceptAll();
  editor.commit({ put: [entity("s5", 10, 11, "A", "rejected")] });
  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual([count("accepted"), count("rejected")], [MOST_AT_ONCE + 1, 1]);
  editor.state.entities.set("s7", entity("s7", 14, 15, "B")); // as somebody else's change would
  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual([count("accepted"), count("rejected"), told.at(-1)[0]], [1, 1, "changed_since"]);
  await editor.undo("undo");
  await outbox.flushed();
  assert.equal(count("rejected"), 0);
});

test("a remark comes back when what it was about is gone, as one on the document", async () => {
  const about = { id: "r", text: "sure?", entity: "e", who: "lan", at: "2026-01-01" };
  const { editor, server, outbox, told } = desk(stored({ text: "a b", words: wordsOf("a b"), status: "started", entities: [entity("e", 0, 1)], comments: [about] }));
  editor.commit({ comments: { put: [], delete: ["r"] } });
  await outbox.flushed();
  const other = structuredClone(server.documents.get("d"));
  other.entities = []; // another person has deleted it
  other.version++;
  server.documents.set("d", other);
  editor.rebased(structuredClone(other), stateOf(structuredClone(other)));
  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual(server.documents.get("d").comments.map(({ id, text, entity: what }) => [id, text, what ?? null]), [["r", "sure?", null]]);
  assert.ok(told.some(([key]) => key === "comment_detached"));
});

test("a step whose class the schema has no more is not sent", async () => {
  const { editor, outbox, server, told } = desk(stored({ text: "a", words: wordsOf("a"), status: "started", labels: { topic: ["OLD"] } }));
  editor.schema = { position: () => 0, documentLayers: [{ name: "topic", types: [{ name: "OLD" }, { name: "NEW" }] }] };
  editor.toggleDocumentLabel("topic", "NEW");
  await outbox.flushed();
  editor.schema = { position: () => 0, documentLayers: [{ name: "topic", types: [{ name: "NEW" }] }] };
  await editor.undo("undo");
  assert.deepEqual(told.at(-1), ["label_gone", { label: "OLD" }]);
  assert.equal(server.log.length, 1);
});

test("a step whose label is gone is said once and passed over, until the labels change again", async () => {
  const { editor, outbox, server, told } = desk(stored({ text: "a b", words: wordsOf("a b"), status: "started", entities: [entity("old", 2, 3, "OLD")] }));
  editor.commit({ put: [entity("e", 0, 1, "A")] });
  editor.commit({ delete: ["old"] });
  await outbox.flushed();
  editor.schema = { position: (label) => (label === "OLD" ? -1 : 0), documentLayers: [] };
  await editor.undo("undo");
  assert.deepEqual([told.at(-1), server.log.length], [["label_gone", { label: "OLD" }], 2]);
  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual([server.entities(), server.log.length], [[], 3], "the step before it is taken back");
  await editor.undo("undo");
  assert.equal(told.at(-1)[0], "nothing_to_undo");

  editor.history.rename({ A: "B" });
  editor.schema = { position: () => 0, documentLayers: [] };
  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual(server.entities().map(({ id }) => id), ["old"]);
});

test("what is labeled while older steps are on their way is what is taken back", async () => {
  const { editor, outbox, server } = desk(stored({ text: "a b", words: wordsOf("a b"), status: "started", entities: [entity("first", 0, 1)] }));
  let fail = null;
  editor.loadHistory = () => new Promise((_, reject) => (fail = () => reject(failure(0, ""))));
  const undone = editor.undo("undo");
  await outbox.flushed();
  editor.commit({ put: [entity("second", 2, 3)] });
  await outbox.flushed();
  fail();
  await undone;
  await outbox.flushed();
  assert.deepEqual(server.entities().map(({ id }) => id), ["first"]);
});

test("steps that arrive when another document is open are not that one's", async () => {
  const { editor, outbox, server } = desk(stored({ text: "a b", words: wordsOf("a b"), status: "started", entities: [entity("e", 0, 1)] }));
  // The second taking back refers to a step that only the server knows, so the history is asked.
  const deleted = { operation: "o2", undoes: "o1", kind: "undo", before: { entities: { gone: entity("gone", 2, 3) } }, after: { entities: { gone: null } } };
  editor.history.add(deleted);
  let answer = null;
  editor.loadHistory = () => new Promise((resolve) => (answer = resolve));
  const undone = editor.undo("redo");
  await outbox.flushed();
  const other = stored({ id: "other", text: "c d", words: wordsOf("c d") });
  server.documents.set("other", structuredClone(other));
  editor.open(other, { position: () => 0 });
  answer({ events: [] });
  await undone;
  await outbox.flushed();
  assert.deepEqual([server.log.length, editor.state.entities.size], [0, 0]);
});

test("a step on many documents is confirmed anew after other work", async () => {
  const { editor, told, outbox } = desk(stored({ text: "a b", words: wordsOf("a b"), status: "started" }));
  const undone = [];
  editor.undoOperation = async (_, operation) => undone.push(operation);
  editor.history.add({ operation: "all", undoes: null, kind: "label-all", before: { entities: {} }, after: { entities: {} } });
  editor.history.older = false;
  await editor.undo("undo");
  assert.equal(told.at(-1)[0], "confirm_everywhere");
  editor.commit({ put: [entity("e", 0, 1)] });
  await outbox.flushed();
  await editor.undo("undo");
  await outbox.flushed();
  await editor.undo("undo");
  assert.deepEqual([told.at(-1)[0], undone], ["confirm_everywhere", []], "work lay in between");
  await editor.undo("undo");
  assert.deepEqual(undone, ["all"]);
});

test("a labeling everywhere that the server never takes back does not stand before older steps", async () => {
  const { editor, told, server, outbox } = desk(stored({ text: "a", words: wordsOf("a"), status: "started" }));
  editor.commit({ put: [entity("e", 0, 1)] });
  await outbox.flushed();
  let answer = failure(503, "locked");
  editor.undoOperation = async () => {
    throw answer;
  };
  editor.labeledEverywhere("all");
  await editor.undo("undo");
  assert.deepEqual([told.at(-1)[0], editor.history.steps.length], ["not_done", 2], "it may be tried again");
  answer = failure(422, "refused");
  await editor.undo("undo");
  await editor.undo("undo");
  await outbox.flushed();
  assert.deepEqual(server.entities(), []);
});
