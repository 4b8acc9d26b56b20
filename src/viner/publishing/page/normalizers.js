/** What a tokenizer does to a word before it cuts it, as the library `tokenizers` does it. */
import { bytesOf, codesOf, expand, utf8Length } from "./characters.js";
import { Clusters } from "./clusters.js";

/** @typedef {(text: string) => string} Normalizer */

/**
 * @param {Record<string, any>} part
 * @param {{characters: import("./characters.js").Characters, canonical: import("./canonical.js").Canonical}} tables
 * @returns {Normalizer}
 */
export function normalizerOf(part, tables) {
  const known = { Characters: characterwise, Form: form, Precompiled: precompiled, Replace: replace, Spaces: spaces, Strip: strip };
  const make = /** @type {Record<string, (part: any, tables: any) => Normalizer>} */ (known)[part.type];
  if (!make) throw new Error(`no normalizer is named ${part.type}`);
  return make(part, tables);
}

/** @type {(part: any, tables: any) => Normalizer} */
function characterwise({ kinds, texts }, { canonical }) {
  const table = expand(kinds);
  /** @type {((char: string) => string)[]} */
  const made = [(char) => char, () => "", (char) => ` ${char} `, (char) => canonical.decomposed(char), (char) => texts[char]];
  return (text) => Array.from(text, (char) => made[table[/** @type {number} */ (char.codePointAt(0))]](char)).join("");
}

/** @type {(part: any, tables: any) => Normalizer} */
function form({ compose, ...differences }, { canonical }) {
  const own = canonical.with(differences);
  return compose ? (text) => own.composed(text) : (text) => own.decomposed(text);
}

/** @type {(part: any) => Normalizer} */
function replace({ from, to }) {
  return (text) => text.split(from).join(to);
}

/** @type {(part: any) => Normalizer} */
function spaces({ to }) {
  return (text) => text.replace(/ {2,}/g, () => to);
}

/** @type {(part: any) => Normalizer} */
function strip({ left, right, spaces: runs }) {
  const table = expand(runs);
  return (text) => {
    const chars = Array.from(text);
    const isSpace = (/** @type {string} */ char) => table[/** @type {number} */ (char.codePointAt(0))] !== 0;
    let start = 0;
    let end = chars.length;
    while (left && start < end && isSpace(chars[start])) start++;
    while (right && end > start && isSpace(chars[end - 1])) end--;
    return chars.slice(start, end).join("");
  };
}

/** Clusters of so many bytes and more are not looked up as a whole. */
const WHOLE_BYTES = 6;

/**
 * SentencePiece's compiled map, as `tokenizers` reads it: a short cluster is looked up first, and what its *beginning* maps to
 * takes the place of all of it; then each character by itself.
 * @type {(part: any, tables: any) => Normalizer}
 */
function precompiled({ map, apart }, { characters }) {
  const lookUp = compiledMap(bytesOf(map));
  const clusters = new Clusters(characters, apart);
  return (text) => {
    const codes = codesOf(text);
    let made = "";
    for (let start = 0, end; start < codes.length; start = end) {
      let bytes = utf8Length(codes[start]);
      for (end = start + 1; end < codes.length && !clusters.isBorder(codes, end); end++) bytes += utf8Length(codes[end]);
      const cluster = codes.subarray(start, end);
      const whole = bytes < WHOLE_BYTES ? lookUp(cluster) : null;
      made += whole ?? Array.from(cluster, (code) => lookUp([code]) ?? String.fromCodePoint(code)).join("");
    }
    return made;
  };
}

/**
 * A double-array trie (Darts) of UTF-8 strings, and the texts that they map to.
 * @param {Uint8Array} bytes size of the trie, its units of 32 bits, texts that end in NUL
 * @returns {(codes: ArrayLike<number>) => string | null} what the shortest beginning in the map becomes, null where there is none
 */
function compiledMap(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(0, true);
  const units = Uint32Array.from({ length: size >> 2 }, (_, k) => view.getUint32(4 + 4 * k, true));
  const texts = bytes.subarray(4 + size);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const offset = (/** @type {number} */ unit) => (unit >>> 10) << ((unit & 0x200) >>> 6);
  return (codes) => {
    let at = offset(units[0]);
    for (const byte of encoder.encode(String.fromCodePoint(...Array.from(codes)))) {
      if (byte === 0) return null;
      at ^= byte;
      const unit = units[at];
      if ((unit & 0x800000ff) >>> 0 !== byte) return null;
      at ^= offset(unit);
      if (unit & 0x100) {
        const start = units[at] & 0x7fffffff;
        return decoder.decode(texts.subarray(start, texts.indexOf(0, start)));
      }
    }
    return null;
  };
}
