import assert from "node:assert/strict";
import test from "node:test";
import { occurrences } from "../../../src/viner/annotator/static/labelall.js";
import { Text } from "../../../src/viner/annotator/static/offsets.js";
import { matching } from "../../../src/viner/annotator/static/palette.js";
import { firstHit, fold, SearchIndex } from "../../../src/viner/annotator/static/search.js";
import { covering, nextSuggestion, openSuggestions } from "../../../src/viner/annotator/static/suggestions.js";
import { Words } from "../../../src/viner/annotator/static/words.js";
import { entity, wordsOf } from "./support.mjs";

test("search needs neither marks nor case, and finds composed and split text alike", () => {
  const raw = "😷 Ở Đà Nẵng, HÀ NỘI và " + "Hà Nội".normalize("NFD") + ".";
  const text = new Text(raw);
  const index = new SearchIndex(raw);
  assert.deepEqual(index.find("ha noi").map((hit) => text.slice(hit.start, hit.end).normalize("NFC")), ["HÀ NỘI", "Hà Nội"]);
  assert.deepEqual(index.find("đa nang").map((hit) => text.slice(hit.start, hit.end)), ["Đà Nẵng"]);
  assert.deepEqual(index.find(""), []);
  assert.deepEqual(index.find("( ["), []);
});

test("spaces in the query match any one space, letters that become longer keep their place", () => {
  const raw = "a\tb ﬁn İx";
  const text = new Text(raw);
  const found = (query) => new SearchIndex(raw).find(query).map((hit) => text.slice(hit.start, hit.end));
  assert.deepEqual(found("a b"), ["a\tb"]);
  assert.deepEqual(found("fin"), ["ﬁn"]);
  assert.deepEqual(found("ix"), ["İx"]);
  assert.equal(fold("Ệ"), "e");
});

test("the first match is the one behind the cursor, else the first of the text", () => {
  const hits = [{ start: 2, end: 3 }, { start: 8, end: 9 }];
  assert.deepEqual([firstHit(hits, 0), firstHit(hits, 3), firstHit(hits, 9)], [0, 1, 0]);
});

test("label every takes whole words only, and none that have the label", () => {
  const raw = "BV Bạch Mai, BV Bạch Maixyz, bv bạch mai, BV\nBạch Mai. (BV Bạch Mai)";
  const words = new Words(new Text(raw), wordsOf(raw));
  const wanted = { surface: "BV Bạch Mai", label: "ORG", matchCase: true };
  const found = (entities, options = {}) => {
    const { spans, already } = occurrences(words, entities, { ...wanted, ...options });
    return [spans.map(({ start, end }) => words.text.slice(start, end)), already];
  };
  assert.deepEqual(found([]), [["BV Bạch Mai", "BV\nBạch Mai", "BV Bạch Mai"], 0]);
  assert.equal(found([], { matchCase: false })[0].length, 4);
  assert.deepEqual(found([entity("a", 0, 11, "ORG")])[1], 1);
  assert.equal(found([entity("a", 0, 11, "LOC", "suggested")])[0].length, 3, "a suggestion is nobody's word");
  assert.equal(found([entity("a", 0, 13, "LOC")])[0].length, 3, "another label may stand around it");
  assert.deepEqual(found([entity("a", 0, 11, "ORG", "rejected")])[1], 1, "what was rejected is not labeled unseen");
  const { spans, already, otherwise } = occurrences(words, [entity("a", 0, 11, "LOC")], wanted);
  assert.deepEqual([spans.length, already, otherwise], [2, 0, 1], "nor does it get a second label");
  assert.deepEqual(found([], { surface: "a+(b" }), [[], 0], "a surface is no pattern");
});

test("label every finds the word however it is spelled: composed or not, with the tone on either vowel, in one line or two", () => {
  const raw = `Hòa Bình, Hoà Bình, ${"Hòa Bình".normalize("NFD")}, 😷 HOÀ BÌNH, Hòa\nBình, Hòa\n\nBình, Hóa Bình, Hòa Bìnhx`;
  const words = new Words(new Text(raw), wordsOf(raw));
  for (const surface of ["Hòa Bình", "Hoà Bình", "Hoà Bình".normalize("NFD"), " Hòa\tBình\n"]) {
    const found = (matchCase) => occurrences(words, [], { surface, label: "LOC", matchCase }).spans.map(({ start, end }) => words.text.slice(start, end));
    assert.deepEqual(found(true), ["Hòa Bình", "Hoà Bình", "Hòa Bình".normalize("NFD"), "Hòa\nBình"]);
    assert.deepEqual(found(false).length, 5);
  }
});

test("suggestions come in the order of the text, and around its end", () => {
  const suggested = (id, start, end) => entity(id, start, end, "A", "suggested");
  const all = [suggested("late", 9, 10), suggested("outer", 2, 8), suggested("inner", 2, 4), entity("done", 0, 1)];
  const open = openSuggestions(all);
  assert.deepEqual(open.map((one) => one.id), ["outer", "inner", "late"]);
  assert.equal(nextSuggestion(open, { start: 3, end: 4 }, null, 1).id, "late");
  assert.equal(nextSuggestion(open, { start: 9, end: 10 }, "late", 1).id, "outer");
  assert.equal(nextSuggestion(open, { start: 9, end: 10 }, null, -1).id, "inner");
  assert.equal(nextSuggestion([], { start: 0, end: 0 }, null, 1), null);
  assert.deepEqual(openSuggestions(all, (label) => label === "B"), []);
});

test("the entity here is the innermost one, and a suggestion before a decided twin", () => {
  const all = [entity("outer", 0, 9), entity("inner", 2, 4), entity("open", 2, 4, "B", "suggested"), entity("no", 2, 4, "C", "rejected")];
  assert.deepEqual(covering(all, 2, 4).map((one) => one.id), ["open", "inner", "outer"]);
});

test("the palette finds names by their parts, whole names first", () => {
  const names = (query) => matching(["LOCATION", "ORGANIZATION", "PATIENT_ID", "Địa điểm", "Accept all"].map((name) => ({ name })), query).map((one) => one.name);
  assert.equal(names("loc")[0], "LOCATION");
  assert.equal(names("id")[0], "PATIENT_ID");
  assert.equal(names("dia diem")[0], "Địa điểm");
  assert.equal(names("all")[0], "Accept all");
  assert.deepEqual(names("xyzxyz"), []);
  assert.equal(names("").length, 5);
});
