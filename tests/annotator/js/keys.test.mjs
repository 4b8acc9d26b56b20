import assert from "node:assert/strict";
import test from "node:test";
import { KEY_TABLE } from "../../../src/viner/annotator/static/help.js";
import { Keys, TOOL_BACKSPACE_MS } from "../../../src/viner/annotator/static/keys.js";
import { MESSAGES } from "../../../src/viner/annotator/static/messages.js";
import { readable, Schema } from "../../../src/viner/annotator/static/schema.js";

let clock = 0;
const event = (key, more = {}) => ({ key, code: "", ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, isComposing: false, keyCode: 0, timeStamp: (clock += 1000), ...more });
const read = (key, more) => new Keys().read(event(key, more));

test("arrows move, with Shift extend, with Ctrl jump, with Alt resize", () => {
  assert.deepEqual(read("ArrowRight"), { name: "move", direction: 1, extend: false });
  assert.deepEqual(read("ArrowUp", { shiftKey: true }), { name: "moveLine", direction: -1, extend: true });
  assert.deepEqual(read("ArrowLeft", { ctrlKey: true }), { name: "jump", unit: "sentence", direction: -1, extend: false });
  assert.deepEqual(read("ArrowDown", { ctrlKey: true, shiftKey: true }), { name: "jump", unit: "line", direction: 1, extend: true });
  assert.deepEqual(read("ArrowLeft", { altKey: true }), { name: "resize", border: "end", direction: -1, unit: "word" });
  assert.deepEqual(read("ArrowRight", { altKey: true, shiftKey: true }), { name: "resize", border: "start", direction: 1, unit: "word" });
  assert.deepEqual(read("ArrowRight", { altKey: true, ctrlKey: true }), { name: "resize", border: "end", direction: 1, unit: "character" });
  assert.deepEqual(read("ArrowUp", { altKey: true }), { name: "enclosing", direction: -1 });
});

test("digits label, however the keyboard writes them", () => {
  const label = (index) => ({ name: "label", index });
  assert.deepEqual(read("1", { code: "Digit1" }), label(0));
  assert.deepEqual(read("0", { code: "Numpad0" }), label(9));
  assert.deepEqual(read("ă", { code: "Digit1" }), label(0), "the Vietnamese layout writes ă");
  assert.deepEqual(read("&", { code: "Digit1" }), label(0), "the French layout writes &");
  assert.deepEqual(read("1", { code: "Digit1", shiftKey: true }), label(0), "and a digit with Shift");
  assert.deepEqual(read("Process", { code: "Digit3", keyCode: 229 }), label(2), "a VNI tool hides the digit");
  assert.deepEqual(read("3", { code: "Digit3", isComposing: true }), label(2));
  assert.deepEqual(read("!", { code: "Digit1", shiftKey: true }), { name: "flag" });
});

test("a composing tool hides no command", () => {
  for (const [code, name] of Object.entries({ Space: "suggestion", Enter: "accept", Minus: "skip", Equal: "palette", Slash: "search", Delete: "remove" })) {
    assert.equal(read("Process", { code, keyCode: 229 }).name, name);
  }
});

test("a Backspace right after a character comes from a typing tool and deletes nothing; a person's does", () => {
  const keys = new Keys();
  keys.read(event("1", { code: "Digit1", timeStamp: 1000 }));
  assert.deepEqual(keys.read(event("Backspace", { timeStamp: 1004 })), { name: "typingTool" });
  assert.deepEqual(keys.read(event("Backspace", { timeStamp: 1008 })), { name: "typingTool" }, "several in a row as well");
  assert.deepEqual(keys.read(event("â", { timeStamp: 1010 })), { name: "typingTool" });
  assert.deepEqual(keys.read(event("Backspace", { timeStamp: 1010 + TOOL_BACKSPACE_MS })), { name: "remove" });
});

test("letters are nobody's command, so Telex can stay on", () => {
  for (const letter of "abcdefghijklmnopqrstuvwxyz") {
    assert.equal(read(letter, { code: `Key${letter.toUpperCase()}` }), null);
    assert.equal(read(letter.toUpperCase(), { code: `Key${letter.toUpperCase()}`, shiftKey: true }), null);
  }
  assert.deepEqual(read("ư"), { name: "typingTool" });
});

test("the browser keeps its own keys", () => {
  for (const [key, more] of [["Tab", {}], ["F5", {}], ["r", { ctrlKey: true }], ["c", { ctrlKey: true }], ["PageDown", { ctrlKey: true }]]) {
    assert.equal(read(key, more), null, key);
  }
});

test("undo and redo know the keys of all systems, and a Cyrillic or Telex layout", () => {
  assert.equal(read("z", { ctrlKey: true }).name, "undo");
  assert.equal(read("Z", { metaKey: true, shiftKey: true }).name, "redo");
  assert.equal(read("y", { ctrlKey: true }).name, "redo");
  assert.equal(read("я", { ctrlKey: true, code: "KeyZ" }).name, "undo");
  assert.equal(read("k", { ctrlKey: true }).name, "palette");
});

test("a type's own key labels, unless it is a command's", () => {
  const types = [{ name: "A", color: "#000000" }, { name: "B", color: "#000000", key: "+" }, { name: "C", color: "#000000", key: "b" }, { name: "D", color: "#000000", key: "1" }, { name: "E", color: "#000000", key: "-" }];
  const schema = new Schema({ layers: [{ name: "entities", kind: "entities", types }], version: 1 });
  assert.deepEqual(new Keys(schema.ownKeys).read(event("b", { code: "KeyB" })), { name: "label", label: "C" });
  assert.equal(schema.keyOf("D"), "1", "a digit that a type asks for is its own");
  assert.equal(schema.keyOf("A"), "2", "the others take the digits that are left, in order");
  assert.equal(schema.keyOf("E"), "4", "skip keeps its key");
  assert.equal(new Keys(schema.ownKeys).read(event("-")).name, "skip");
});

test("a type with a letter of its own has a digit as well, after those that have no letter", () => {
  const types = [["NAME", "n"], ["PLACE", null], ["AGE", "a"]].map(([name, key]) => ({ name, key, color: "#000000" }));
  const schema = new Schema({ layers: [{ name: "entities", kind: "entities", types }], version: 1 });
  assert.deepEqual(types.map(({ name }) => schema.keysOf(name)), [["n", "2"], ["1"], ["a", "3"]]);
  const many = Array.from({ length: 11 }, (_, k) => ({ name: `T${k}`, key: k ? null : "t", color: "#000000" }));
  assert.deepEqual(new Schema({ layers: [{ name: "entities", kind: "entities", types: many }], version: 1 }).keysOf("T0"), ["t"]);
});

test("ten types have digits, the eleventh is in the palette", () => {
  const types = Array.from({ length: 12 }, (_, k) => ({ name: `T${k}`, color: "#000000" }));
  const schema = new Schema({ layers: [{ name: "entities", kind: "entities", types }, { name: "topic", kind: "labels", types: [{ name: "x", color: "#000000" }] }], version: 1 });
  assert.deepEqual([schema.keyOf("T0"), schema.keyOf("T9"), schema.keyOf("T10")], ["1", "0", null]);
  assert.deepEqual(schema.documentLayers.map((layer) => layer.name), ["topic"]);
});

test("every key of the help page has a text, and every text is in both languages", () => {
  for (const rows of Object.values(KEY_TABLE)) for (const [, message] of rows) assert.ok(MESSAGES[message], message);
  for (const [key, [english, vietnamese]] of Object.entries(MESSAGES)) {
    const slots = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    assert.ok(english && vietnamese, key);
    assert.deepEqual(slots(english), slots(vietnamese), key);
  }
});

test("every color can be read on light and on dark ground, and one that can already stays", () => {
  assert.equal(readable("#0f766e", "#ffffff"), "rgb(15 118 110)");
  const light = (color) => {
    const [red, green, blue] = color.match(/\d+/g).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (const color of ["#ffff00", "#000000", "#ffffff", "#c4b14a", "#1e3a8a"]) {
    assert.ok(1.05 / (light(readable(color, "#ffffff")) + 0.05) >= 4.5, color);
    assert.ok((light(readable(color, "#131c2e")) + 0.05) / (light("19 28 46") + 0.05) >= 4.5, color);
  }
});
