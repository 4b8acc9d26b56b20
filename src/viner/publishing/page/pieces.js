/** Words to pieces of the model's vocabulary, word by word, as viner.encoding.PieceEncoder does. */
import { Merging } from "./merging.js";
import { normalizerOf } from "./normalizers.js";
import { splitterOf } from "./splitters.js";
import { Unigram } from "./unigram.js";
import { viewOf } from "./views.js";
import { WordPiece } from "./wordpiece.js";

/** Words whose pieces are remembered. */
const REMEMBERED = 50_000;
const MODELS = { Unigram, BPE: Merging, WordPiece };

export class PieceEncoder {
  /**
   * @param {Record<string, any>} rules what Python says about the tokenizer
   * @param {{characters: import("./characters.js").Characters, canonical: import("./canonical.js").Canonical}} tables
   */
  constructor(rules, tables) {
    /** @type {number[]} */ this.prefix = rules.prefix;
    /** @type {number[]} */ this.suffix = rules.suffix;
    /** @type {number} */ this.capacity = rules.capacity;
    /** @type {string} */ this.mark = rules.mark;
    /** @type {number} */ this.unknown = rules.unknown;
    /** @type {number} */ this.vocabulary = rules.vocabulary ?? Infinity;
    this.forbidden = new Set(rules.forbidden);
    this.view = viewOf(rules.views, tables.canonical);
    this.normalizers = rules.normalizers.map((/** @type {any} */ part) => normalizerOf(part, tables));
    this.splitters = rules.splitters.map(splitterOf);
    const Model = /** @type {Record<string, any>} */ (MODELS)[rules.model.type];
    if (!Model) throw new Error(`no model of tokenizers is named ${rules.model.type}`);
    /** @type {{cut: (text: string) => number[]}} */
    this.model = new Model(rules.model);
    /** @type {Map<string, number[]>} */
    this.known = new Map();
  }

  /**
   * @param {import("./offsets.js").Text} text
   * @param {number[]} flat start and end of each word
   * @returns {{pieces: number[], offsets: number[]}} the pieces of all words, and where those of each word begin, then their number
   */
  encode(text, flat) {
    /** @type {number[]} */
    const pieces = [];
    const offsets = [0];
    let last = -1;
    for (let k = 0; k < flat.length; k += 2) {
      const word = text.slice(flat[k], flat[k + 1]);
      for (const piece of this.piecesOf(flat[k] === last ? word : this.mark + word)) pieces.push(piece);
      offsets.push(pieces.length);
      last = flat[k + 1];
    }
    return { pieces, offsets };
  }

  /** @param {string} key a word, with the mark if a space stands before it @returns {number[]} at least one piece, at most a window of them */
  piecesOf(key) {
    const known = this.known.get(key);
    if (known) return known;
    const pieces = this.cut(key);
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(key, pieces);
    return pieces;
  }

  /** @param {string} key */
  cut(key) {
    // The mark is ours: a view must see the word alone.
    const marked = this.mark !== "" && key.startsWith(this.mark);
    let shown = marked ? this.mark + this.view(key.slice(this.mark.length)) : this.view(key);
    for (const normalize of this.normalizers) shown = normalize(shown);
    let parts = [shown];
    for (const split of this.splitters) parts = parts.flatMap(split);
    const ids = parts.flatMap((part) => this.model.cut(part)).slice(0, this.capacity);
    const pieces = ids.map((id) => (id >= this.vocabulary || this.forbidden.has(id) ? this.unknown : id));
    return pieces.length ? pieces : [this.unknown];
  }
}
