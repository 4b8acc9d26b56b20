// What the modules of the page answer to questions from Python: node ask.mjs MODULES < questions.json
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const module = (name) => import(pathToFileURL(path.join(process.argv[2], name)).href);
const { Canonical } = await module("canonical.js");
const { Characters, codesOf } = await module("characters.js");
const { decode } = await module("decoding.js");
const { fingerprint } = await module("checks.js");
const { PieceEncoder } = await module("pieces.js");
const { Recognizer } = await module("recognizer.js");
const { planWindows } = await module("windows.js");
const { viewOf } = await module("views.js");
const { WordSplitter } = await module("words.js");

const { tables, rules, model, questions } = JSON.parse(fs.readFileSync(0, "utf-8"));
const known = tables && { characters: new Characters(tables.characters), canonical: new Canonical(tables.canonical) };
const splitter = known && new WordSplitter(known.characters);
const encoder = rules && new PieceEncoder(rules, known);

/** Logits that depend on the piece and its place, as the fake engine of the test makes them. */
async function engine(pieces) {
  const tags = 2 * model.labels.length + 1;
  return Float32Array.from({ length: pieces.length * tags }, (_, k) => {
    const [place, tag] = [Math.floor(k / tags), k % tags];
    return 3 * Math.sin(Number(pieces[place]) * 12.9898 + tag * 78.233 + place * 37.719);
  });
}
const recognizer = model && new Recognizer(model, tables, engine);

const answers = {
  split: (texts) => texts.map((text) => splitter.split(codesOf(text))),
  pieces: (words) => words.map((word) => encoder.cut(word)),
  view: ({ names, words }) => words.map(viewOf(names, known.canonical)),
  windows: (plans) => plans.map(({ offsets, capacity, overlap }) => planWindows(offsets, capacity, overlap).map((w) => [w.first, w.last, w.keepFirst, w.keepLast])),
  decode: ({ tags, documents, calibration, least }) =>
    documents.map((values) => decode(Float32Array.from(values), tags, calibration, least)),
  recognize: (texts) => Promise.all(texts.map((text) => recognizer.recognize(text))),
  fingerprint: (texts) => texts.map((text) => (({ flat, pieces, offsets }) => fingerprint(flat, pieces, offsets))(recognizer.encode(text))),
};

const found = {};
for (const [name, question] of Object.entries(questions)) found[name] = await answers[name](question);
fs.writeFileSync(1, JSON.stringify(found));
