/** Whether this browser reads and answers the model's test texts as Python did when the page was published. */

const MODULUS = 2147483647;

/**
 * One number for where the words and pieces of a text are.
 * @param {number[]} flat
 * @param {number[]} pieces
 * @param {number[]} offsets
 */
export function fingerprint(flat, pieces, offsets) {
  let mark = 0;
  for (const numbers of [flat, pieces, offsets]) for (const number of numbers) mark = (mark * 31 + number + 1) % MODULUS;
  return mark;
}

/**
 * @param {import("./recognizer.js").Recognizer} recognizer
 * @param {[string, number][]} texts each with its fingerprint
 * @returns {string | null} a text that is read otherwise here
 */
export function readOtherwise(recognizer, texts) {
  for (const [text, mark] of texts) {
    const { flat, pieces, offsets } = recognizer.encode(text);
    if (fingerprint(flat, pieces, offsets) !== mark) return text;
  }
  return null;
}

/**
 * @param {import("./recognizer.js").Recognizer} recognizer
 * @param {{text: string, entities: [number, number, string][]} | null} sample
 */
export async function answersOtherwise(recognizer, sample) {
  if (sample === null) return false;
  const { entities } = await recognizer.recognize(sample.text);
  const found = entities.map(({ start, end, label }) => [start, end, label]);
  return JSON.stringify(found) !== JSON.stringify(sample.entities);
}
