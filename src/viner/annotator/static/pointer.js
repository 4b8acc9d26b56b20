/**
 * Mouse and touch. A drag snaps to words, with Alt it takes characters. On a touch screen a tap selects a word, a tap on another
 * one extends to it. A click on an entity chooses it.
 *
 * @typedef {object} Target
 * @property {(start: number, end: number, cursor: number) => void} select a span in code points; the cursor is a word
 * @property {(id: string) => void} choose an entity
 * @property {(word: number) => string | null} entityOn the innermost entity on a word
 * @property {() => {anchor: number, cursor: number}} place
 */

/**
 * @param {HTMLElement} area
 * @param {import("./render.js").View} view
 * @param {Target} target
 */
export function connectPointer(area, view, target) {
  /** @type {{word: number, side: number, point: number | null, moved: boolean} | null} */
  let drag = null;
  /** @type {number | null} the word that was tapped first */
  let tapped = null;

  const words = () => /** @type {import("./words.js").Words} */ (view.words);
  const selectWords = (/** @type {number} */ from, /** @type {number} */ to) => {
    target.select(words().starts[Math.min(from, to)], words().ends[Math.max(from, to)], to);
  };

  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    const hit = view.hit(event.clientX, event.clientY);
    area.focus({ preventScroll: true });
    event.preventDefault();
    if (!hit) return;
    if (hit.tag) return target.choose(hit.tag);
    if (event.shiftKey) return selectWords(target.place().anchor, hit.word);
    drag = { word: hit.word, side: hit.side, point: event.altKey ? view.pointAt(event.clientX, event.clientY) : null, moved: false };
    area.setPointerCapture(event.pointerId);
    selectWords(hit.word, hit.word);
  });

  area.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const hit = view.hit(event.clientX, event.clientY);
    if (!hit) return;
    if (drag.point !== null) {
      const point = view.pointAt(event.clientX, event.clientY);
      if (point === null || point === drag.point) return;
      drag.moved = true;
      target.select(Math.min(point, drag.point), Math.max(point, drag.point), words().at(Math.max(0, point - (point > drag.point ? 1 : 0))));
      return;
    }
    if (hit.word !== drag.word) drag.moved = true;
    if (!drag.moved) return;
    // Between two words the drag has reached only the one that it has passed.
    let to = hit.word;
    if (hit.side < 0 && to > drag.word) to--;
    if (hit.side > 0 && to < drag.word) to++;
    selectWords(drag.word, to);
  });

  area.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved && drag.side === 0 && event.detail < 2) {
      const entity = target.entityOn(drag.word);
      if (entity !== null) target.choose(entity);
    }
    drag = null;
  });
  area.addEventListener("pointercancel", () => (drag = null));
  area.addEventListener("dblclick", (event) => {
    // A double click means the word, even within an entity.
    const hit = view.hit(event.clientX, event.clientY);
    if (hit && !hit.tag) selectWords(hit.word, hit.word);
  });

  area.addEventListener("click", (event) => {
    if (/** @type {PointerEvent} */ (event).pointerType !== "touch") return;
    const hit = view.hit(event.clientX, event.clientY);
    area.focus({ preventScroll: true });
    if (!hit) return;
    if (hit.tag) {
      tapped = null;
      return target.choose(hit.tag);
    }
    if (tapped !== null && tapped !== hit.word && tapped < words().count) {
      selectWords(tapped, hit.word);
      tapped = null;
      return;
    }
    const entity = tapped === null ? target.entityOn(hit.word) : null;
    tapped = tapped === hit.word ? null : hit.word;
    if (entity !== null) target.choose(entity);
    else selectWords(hit.word, hit.word);
  });
}
