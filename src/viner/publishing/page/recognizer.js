/** From text to a document with entities, as viner.runtime.Recognizer does it. */
import { Canonical } from "./canonical.js";
import { Characters, codesOf } from "./characters.js";
import { decode } from "./decoding.js";
import { Text } from "./offsets.js";
import { PieceEncoder } from "./pieces.js";
import { planWindows } from "./windows.js";
import { WordSplitter } from "./words.js";

/**
 * @typedef {{start: number, end: number, label: string, score: number, source: string}} Entity offsets in code points
 * @typedef {{text: string, words: [number, number][], entities: Entity[]}} Document the one shape of documents in viner
 * @typedef {(pieces: BigInt64Array) => Promise<Float32Array>} Engine runs one window; logits of each of its pieces, one piece after the other
 */

/** A text that cannot be recognized; `code` names a message of the page. */
export class TextError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export class Recognizer {
  /**
   * @param {{labels: string[], calibration: import("./decoding.js").Calibration | null, least_estimate: number, overlap: number, pieces: Record<string, any>}} model
   * @param {{characters: any, canonical: any}} tables
   * @param {Engine} run
   */
  constructor(model, tables, run) {
    const known = { characters: new Characters(tables.characters), canonical: new Canonical(tables.canonical) };
    this.labels = model.labels;
    this.tags = 2 * model.labels.length + 1;
    this.calibration = model.calibration;
    this.leastEstimate = model.least_estimate;
    this.overlap = model.overlap;
    this.splitter = new WordSplitter(known.characters);
    this.encoder = new PieceEncoder(model.pieces, known);
    this.run = run;
  }

  /** @param {string} raw @returns {{text: Text, flat: number[], pieces: number[], offsets: number[]}} */
  encode(raw) {
    const text = new Text(raw);
    const flat = this.splitter.split(codesOf(raw));
    return { text, flat, ...this.encoder.encode(text, flat) };
  }

  /**
   * @param {string} raw
   * @param {(done: number, of: number) => void} [progress] windows
   * @returns {Promise<Document>}
   */
  async recognize(raw, progress) {
    if (/\p{Surrogate}/u.test(raw)) throw new TextError("half_character");
    const { flat, pieces, offsets } = this.encode(raw);
    const windows = planWindows(offsets, this.encoder.capacity, this.overlap);
    const emissions = new Float32Array((flat.length / 2) * this.tags);
    for (const [k, window] of windows.entries()) {
      progress?.(k, windows.length);
      await this.answer(window, pieces, offsets, emissions);
    }
    const spans = decode(emissions, this.tags, this.calibration, this.leastEstimate);
    /** @type {[number, number][]} */
    const words = Array.from({ length: flat.length / 2 }, (_, k) => [flat[2 * k], flat[2 * k + 1]]);
    const entities = spans.map(({ first, last, label, score }) => ({
      start: words[first][0], end: words[last - 1][1], label: this.labels[label], score: Math.round(score * 1e4) / 1e4, source: "model",
    }));
    return { text: raw, words, entities };
  }

  /**
   * Runs one window. Of its logits, it keeps the first piece's of each word that the window answers.
   * @param {import("./windows.js").Window} window
   * @param {number[]} pieces
   * @param {number[]} offsets
   * @param {Float32Array} emissions
   */
  async answer({ first, last, keepFirst, keepLast }, pieces, offsets, emissions) {
    const { prefix, suffix } = this.encoder;
    const seen = [...prefix, ...pieces.slice(offsets[first], offsets[last]), ...suffix];
    const logits = await this.run(BigInt64Array.from(seen, BigInt));
    for (let word = keepFirst; word < keepLast; word++) {
      const row = (offsets[word] - offsets[first] + prefix.length) * this.tags;
      for (let tag = 0; tag < this.tags; tag++) {
        const logit = logits[row + tag];
        if (Number.isNaN(logit)) throw new TextError("no_number");
        emissions[word * this.tags + tag] = logit;
      }
    }
  }
}
