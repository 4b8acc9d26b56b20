/**
 * The text on the page: a block for each line (long lines: for each 300 words or so), in it a span for each word and each gap.
 *
 * Blocks are `contain: content`, so an edit lays out one block. Those in view are filled at once, the others in idle time, in
 * long texts only when they come near; whoever needs a word (`element(k)`) gets it filled. Text goes in as text, never as HTML.
 */
import { pieces } from "./lanes.js";
import { firstWhere } from "./offsets.js";

/** @typedef {import("./model.js").Entity} Entity */

const LANE_HEIGHT = 4;
const LANES_SHOWN = 4;
/** Above this many words only blocks near the view are kept filled. */
const FILL_ALL_WORDS = 30_000;
const FIRST_FILL_WORDS = 600;

export class View {
  /**
   * @param {HTMLElement} root the text area
   * @param {HTMLElement} scroller the element that scrolls it
   */
  constructor(root, scroller) {
    this.root = root;
    this.scroller = scroller;
    /** @type {HTMLElement[]} */
    this.blocks = [];
    /** @type {number[]} */
    this.firsts = [];
    /** @type {(HTMLElement | undefined)[]} */
    this.wordElements = [];
    /** @type {(HTMLElement | undefined)[]} */
    this.gapElements = [];
    /** @type {IntersectionObserver | null} */
    this.observer = null;
    this.generation = 0;
    this.selection = { start: 0, end: 0 };
    /** @type {number} */
    this.cursor = -1;
    /** @type {[number, number]} words that carry marks */
    this.marked = [0, -1];
    /** @type {[number, number]} words that are selected whole, with both neighbors */
    this.inside = [0, -1];
    /** @type {Entity | null} */
    this.focus = null;
  }

  /**
   * Shows a document.
   * @param {import("./words.js").Words} words
   * @param {import("./spans.js").Spans} spans
   * @param {{look: (label: string) => {index: number, dim: boolean}, tag: (entity: Entity) => string}} style
   */
  show(words, spans, style) {
    const generation = ++this.generation;
    this.words = words;
    this.spans = spans;
    this.style = style;
    this.firsts = words.blocks();
    this.wordElements = new Array(words.count);
    this.gapElements = new Array(words.count);
    this.marked = [0, -1];
    this.inside = [0, -1];
    this.cursor = -1;
    this.focus = null;
    this.observer?.disconnect();
    const fragment = document.createDocumentFragment();
    this.blocks = this.firsts.map((_, b) => {
      const block = document.createElement("div");
      block.className = "block";
      block.dir = "auto";
      block.dataset.block = String(b);
      fragment.append(block);
      return block;
    });
    if (words.count === 0) {
      const block = document.createElement("div");
      block.className = "block";
      block.textContent = words.text.raw;
      fragment.append(block);
    }
    let filled = 0;
    let b = 0;
    for (; b < this.blocks.length && filled < FIRST_FILL_WORDS; b++) filled += this.#fill(b);
    for (let rest = b; rest < this.blocks.length; rest++) this.#estimate(rest);
    this.root.replaceChildren(fragment);
    this.scroller.scrollTop = 0;
    if (words.count > FILL_ALL_WORDS) this.#watch();
    else this.#fillLater(b, generation);
  }

  /** The element of a word, filled if it was not. @param {number} k @returns {HTMLElement} */
  element(k) {
    if (!this.wordElements[k]) this.#fill(this.blockOf(k));
    return /** @type {HTMLElement} */ (this.wordElements[k]);
  }

  /** @param {number} k */
  blockOf(k) {
    return firstWhere(this.firsts.length, (b) => this.firsts[b] > k) - 1;
  }

  /** The last word of a block. @param {number} b */
  lastOf(b) {
    return (this.firsts[b + 1] ?? /** @type {any} */ (this.words).count) - 1;
  }

  /** Draws words anew, as far as they are filled. @param {number} first @param {number} last */
  paint(first, last) {
    for (let k = first; k <= last; k++) if (this.wordElements[k]) this.#paintWord(k);
    const next = last + 1;
    if (this.gapElements[next]) this.#paintGap(next);
  }

  paintAll() {
    if (this.words) this.paint(0, this.words.count - 1);
  }

  /**
   * Marks cursor, selection and focused entity.
   * @param {{cursor: number, selection: {start: number, end: number}, focus: Entity | null, scroll: boolean}} marks
   */
  mark({ cursor, selection, focus, scroll }) {
    const { words } = this;
    if (!words || words.count === 0) return;
    const old = this.marked;
    const [low, high] = words.of(selection.start, Math.max(selection.end, selection.start + 1));
    const range = focus ? words.of(focus.start, focus.end) : [low, high];
    this.selection = selection;
    this.cursor = cursor;
    this.focus = focus;
    this.marked = [Math.min(low, cursor, range[0]), Math.max(high, cursor, range[1])];
    // The inside of a selection that only grows or shrinks looks as before.
    const inside = /** @type {[number, number]} */ (focus ? [0, -1] : [low + 1, high - 1]);
    const same = /** @type {[number, number]} */ ([Math.max(inside[0], this.inside[0]), Math.min(inside[1], this.inside[1])]);
    this.inside = inside;
    this.#markWords(old[0], old[1], same);
    if (this.marked[0] !== old[0] || this.marked[1] !== old[1]) this.#markWords(this.marked[0], this.marked[1], same);
    if (scroll) this.reveal(cursor);
  }

  /** Scrolls a word into view, with a line of context. @param {number} k */
  reveal(k) {
    const box = this.element(k).getBoundingClientRect();
    const pane = this.scroller.getBoundingClientRect();
    const margin = Math.min(72, pane.height / 5);
    if (box.top < pane.top + margin) this.scroller.scrollTop += box.top - pane.top - Math.min(pane.height / 3, 200);
    else if (box.bottom > pane.bottom - margin) this.scroller.scrollTop += box.bottom - pane.bottom + Math.min(pane.height / 3, 200);
  }

  /**
   * The word one line up or down, nearest to a column.
   * @param {number} k
   * @param {1 | -1} direction
   * @param {number | null} column in pixels, null = where the word is
   * @returns {{word: number, column: number}}
   */
  lineStep(k, direction, column) {
    const count = /** @type {any} */ (this.words).count;
    const start = this.element(k).getBoundingClientRect();
    const wanted = column ?? (start.left + start.right) / 2;
    let [best, distance] = [k, Infinity];
    /** @type {number | null} */
    let line = null;
    for (let j = k + direction; j >= 0 && j < count; j += direction) {
      const box = this.element(j).getBoundingClientRect();
      if (line === null && Math.abs(box.bottom - start.bottom) < 6) continue;
      if (line === null) line = box.bottom;
      if (Math.abs(box.bottom - line) >= 6) break;
      const away = wanted < box.left ? box.left - wanted : Math.max(0, wanted - box.right);
      if (away < distance) [best, distance] = [j, away];
    }
    return { word: best, column: wanted };
  }

  /** The first or last word of the visual line of a word. @param {number} k @param {1 | -1} direction */
  lineEnd(k, direction) {
    const count = /** @type {any} */ (this.words).count;
    const { bottom } = this.element(k).getBoundingClientRect();
    let end = k;
    for (let j = k + direction; j >= 0 && j < count; j += direction) {
      if (Math.abs(this.element(j).getBoundingClientRect().bottom - bottom) >= 6) break;
      end = j;
    }
    return end;
  }

  /**
   * What lies under a point: the word whose box holds it, else the nearest one, and on which side of it the point is.
   * @param {number} x
   * @param {number} y
   * @returns {{word: number, side: -1 | 0 | 1, tag: string | null} | null} side 0 = within the word's box
   */
  hit(x, y) {
    const target = document.elementFromPoint(x, y);
    if (!target || !this.words || this.words.count === 0) return null;
    const tag = /** @type {HTMLElement | null} */ (target.closest(".tag"))?.dataset.entity ?? null;
    const element = /** @type {HTMLElement | null} */ (target.closest(".w"));
    if (element && this.root.contains(element)) return { word: Number(element.dataset.word), side: 0, tag };
    const block = /** @type {HTMLElement | null} */ (target.closest(".block")) ?? this.#blockAt(y);
    if (!block || !this.root.contains(block)) return null;
    const b = Number(block.dataset.block);
    let best = { word: this.firsts[b], side: /** @type {-1 | 0 | 1} */ (-1), tag };
    let distance = Infinity;
    for (let k = this.firsts[b]; k <= this.lastOf(b); k++) {
      for (const box of this.element(k).getClientRects()) {
        const vertical = y < box.top ? box.top - y : Math.max(0, y - box.bottom);
        const horizontal = x < box.left ? box.left - x : Math.max(0, x - box.right);
        const away = vertical * 1000 + horizontal;
        if (away < distance) {
          distance = away;
          const before = getComputedStyle(block).direction === "rtl" ? x > box.right : x < box.left;
          best = { word: k, side: horizontal === 0 ? 0 : before ? -1 : 1, tag };
        }
      }
    }
    return best;
  }

  /**
   * The code point at a place within the text, for selections of characters.
   * @param {number} x
   * @param {number} y
   * @returns {number | null} the border between characters that is nearest
   */
  pointAt(x, y) {
    const doc = /** @type {any} */ (document);
    const caret = doc.caretPositionFromPoint?.(x, y);
    const range = caret ? { node: caret.offsetNode, offset: caret.offset } : fromRange(doc.caretRangeFromPoint?.(x, y));
    const hit = this.hit(x, y);
    if (!hit || !this.words) return null;
    const element = this.element(hit.word);
    const start = this.words.starts[hit.word];
    if (hit.side !== 0 || !range || !element.contains(range.node)) {
      return hit.side < 0 ? start : this.words.ends[hit.word];
    }
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let units = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node === range.node) {
        const { text } = this.words;
        return text.toCodePoint(text.toUtf16(start) + units + range.offset);
      }
      units += node.textContent?.length ?? 0;
    }
    return start;
  }

  /** @param {number} y */
  #blockAt(y) {
    return this.blocks.find((block) => {
      const box = block.getBoundingClientRect();
      return y >= box.top && y < box.bottom;
    });
  }

  /** @param {number} b @returns {number} words that it has */
  #fill(b) {
    const words = /** @type {import("./words.js").Words} */ (this.words);
    const block = this.blocks[b];
    const first = this.firsts[b];
    const last = this.lastOf(b);
    if (this.wordElements[first]) return last - first + 1;
    const fragment = document.createDocumentFragment();
    for (let k = first; k <= last; k++) {
      const gap = words.gap(k);
      if (k === first) {
        // The line feed before a block stands at the end of the one before it.
        const lead = k === 0 ? gap : gap.slice(gap.lastIndexOf("\n") + 1);
        if (lead) fragment.append(lead);
      } else {
        const element = document.createElement("span");
        element.className = "g";
        if (gap) element.append(gap);
        this.gapElements[k] = element;
        fragment.append(element);
      }
      const element = document.createElement("span");
      element.className = "w";
      element.dataset.word = String(k);
      element.textContent = words.surface(k);
      this.wordElements[k] = element;
      fragment.append(element);
    }
    const trail = words.gap(last + 1);
    const tail = document.createElement("span");
    tail.className = "g";
    tail.append(last + 1 === words.count ? trail : trail.slice(0, trail.lastIndexOf("\n") + 1));
    fragment.append(tail);
    // Tags behind the last word of a block have no gap of the same block to stand in.
    this.gapElements[last + 1] ??= tail;
    for (let k = first; k <= last; k++) if (this.spans?.byWord.has(k)) this.#paintWord(k);
    block.replaceChildren(fragment);
    block.style.removeProperty("contain-intrinsic-block-size");
    block.style.removeProperty("min-block-size");
    if (this.marked[1] >= first && this.marked[0] <= last) this.#markWords(Math.max(first, this.marked[0]), Math.min(last, this.marked[1]));
    return last - first + 1;
  }

  /** Gives an empty block about the height that it will have. @param {number} b */
  #estimate(b) {
    const words = /** @type {import("./words.js").Words} */ (this.words);
    const characters = words.ends[this.lastOf(b)] - words.starts[this.firsts[b]];
    const lines = Math.max(1, Math.ceil(characters / 85));
    this.blocks[b].style.setProperty("min-block-size", `${lines * 2.3}em`);
  }

  /** @param {number} b @param {number} generation */
  #fillLater(b, generation) {
    if (b >= this.blocks.length) return;
    idle((deadline) => {
      if (generation !== this.generation) return;
      do this.#fill(b++);
      while (b < this.blocks.length && deadline.timeRemaining() > 6);
      this.#fillLater(b, generation);
    });
  }

  #watch() {
    this.observer = new IntersectionObserver(
      (seen) => {
        for (const { target, isIntersecting } of seen) {
          const b = Number(/** @type {HTMLElement} */ (target).dataset.block);
          if (isIntersecting) this.#fill(b);
          else this.#empty(b);
        }
      },
      { root: this.scroller, rootMargin: "1500px 0px" },
    );
    for (const block of this.blocks) this.observer.observe(block);
  }

  /** @param {number} b */
  #empty(b) {
    const first = this.firsts[b];
    const last = this.lastOf(b);
    if (!this.wordElements[first] || (this.cursor >= first && this.cursor <= last)) return;
    const { height } = this.blocks[b].getBoundingClientRect();
    this.blocks[b].replaceChildren();
    this.blocks[b].style.setProperty("min-block-size", `${height}px`);
    for (let k = first; k <= last; k++) {
      this.wordElements[k] = undefined;
      this.gapElements[k + 1] = undefined;
    }
  }

  /** @param {number} k */
  #paintWord(k) {
    const words = /** @type {import("./words.js").Words} */ (this.words);
    const element = /** @type {HTMLElement} */ (this.wordElements[k]);
    const entities = this.spans?.on(k) ?? [];
    const selected = this.#partlySelected(k);
    const parts = pieces(words.starts[k], words.ends[k], selected ? [...entities, selected] : entities);
    if (parts.length === 1) {
      if (element.childElementCount) element.textContent = words.surface(k);
      this.#draw(element, entities);
    } else {
      this.#draw(element, []);
      element.replaceChildren(
        ...parts.map((part) => {
          const span = document.createElement("span");
          span.textContent = words.text.slice(part.start, part.end);
          this.#draw(span, /** @type {Entity[]} */ (part.entities.filter((entity) => entity !== selected)));
          if (selected && part.entities.includes(/** @type {any} */ (selected))) span.classList.add("sel");
          return span;
        }),
      );
    }
    this.#paintTags(k, entities);
    if (this.gapElements[k]) this.#paintGap(k);
  }

  /** The selection, where it holds only a part of word k. @param {number} k */
  #partlySelected(k) {
    const { start, end } = this.selection;
    const words = /** @type {import("./words.js").Words} */ (this.words);
    const touches = start < words.ends[k] && end > words.starts[k];
    return touches && (start > words.starts[k] || end < words.ends[k]) ? this.selection : null;
  }

  /** @param {number} k @param {Entity[]} entities */
  #paintTags(k, entities) {
    const words = /** @type {import("./words.js").Words} */ (this.words);
    const gap = this.gapElements[k + 1];
    if (!gap || !this.style) return;
    const ending = entities.filter((entity) => entity.end <= words.ends[k]);
    while (gap.firstElementChild) gap.firstElementChild.remove();
    if (!ending.length) return;
    const lanes = /** @type {import("./spans.js").Spans} */ (this.spans).lanes;
    ending.sort((one, other) => (lanes.get(one.id) ?? 0) - (lanes.get(other.id) ?? 0));
    gap.prepend(
      ...ending.map((entity) => {
        const { index, dim } = /** @type {any} */ (this.style).look(entity.label);
        const tag = document.createElement("span");
        tag.className = `tag ${entity.state}${dim ? " dim" : ""}${entity.id === this.focus?.id ? " focus" : ""}`;
        tag.dataset.entity = entity.id;
        tag.dataset.label = /** @type {any} */ (this.style).tag(entity);
        tag.style.setProperty("--type", `var(--type-${index})`);
        return tag;
      }),
    );
  }

  /** @param {number} k the gap before word k */
  #paintGap(k) {
    this.#draw(/** @type {HTMLElement} */ (this.gapElements[k]), this.spans?.over(k) ?? []);
  }

  /**
   * Lines in lanes, the shortest entity nearest to the text, and a tint for what is accepted.
   * @param {HTMLElement} element
   * @param {Entity[]} entities
   */
  #draw(element, entities) {
    if (entities.length === 0) {
      if (element.style.length) element.removeAttribute("style");
      return;
    }
    const { style, spans } = this;
    const images = [];
    const places = [];
    const sizes = [];
    let inner = null;
    let lowest = Infinity;
    for (const entity of entities) {
      const lane = Math.min(spans?.lanes.get(entity.id) ?? 0, LANES_SHOWN - 1);
      const { index, dim } = /** @type {any} */ (style).look(entity.label);
      const color = dim ? "var(--dim)" : `var(--type-${index})`;
      images.push(`linear-gradient(${color},${color})`);
      places.push(`0 calc(100% - var(--lanes) + ${2 + lane * LANE_HEIGHT}px)`);
      sizes.push(entity.state === "accepted" ? "100% 3px" : "100% 1px");
      if (entity.state === "accepted" && !dim && lane < lowest) [inner, lowest] = [index, lane];
    }
    // Last the tint, which ends with the text, as the color of a selection does: that takes the clip of the last layer.
    const tint = inner === null ? "transparent" : `var(--tint-${inner})`;
    images.push(`linear-gradient(${tint},${tint})`);
    places.push("0 0");
    sizes.push("100% 100%");
    element.style.backgroundClip = [...entities.map(() => "border-box"), "content-box"].join(",");
    element.style.backgroundImage = images.join(",");
    element.style.backgroundPosition = places.join(",");
    element.style.backgroundSize = sizes.join(",");
  }

  /** @param {number} first @param {number} last @param {[number, number]} [same] words to leave out */
  #markWords(first, last, same = [0, -1]) {
    const words = /** @type {import("./words.js").Words} */ (this.words);
    const { start, end } = this.selection;
    const one = words.at(start) === words.at(end - 1) && start <= words.starts[words.at(start)] && end >= words.ends[words.at(start)];
    const range = this.focus ? words.of(this.focus.start, this.focus.end) : null;
    for (let k = first; k <= last; k++) {
      if (k === same[0] && same[1] >= same[0]) {
        k = same[1];
        continue;
      }
      const element = this.wordElements[k];
      if (!element) continue;
      const partly = this.#partlySelected(k) !== null;
      if (partly || element.querySelector(".sel")) this.#paintWord(k);
      const focused = range !== null && k >= range[0] && k <= range[1];
      element.classList.toggle("cur", k === this.cursor);
      element.classList.toggle("sel", !partly && !one && !focused && start <= words.starts[k] && end >= words.ends[k]);
      element.classList.toggle("focus", focused);
      const gap = this.gapElements[k];
      if (gap && k > this.firsts[this.blockOf(k)]) {
        gap.classList.toggle("sel", !focused && start < words.ends[k - 1] && end > words.starts[k]);
        gap.classList.toggle("focus", range !== null && k > range[0] && k <= range[1]);
      }
      for (const tag of this.gapElements[k + 1]?.children ?? []) {
        tag.classList.toggle("focus", this.focus !== null && /** @type {HTMLElement} */ (tag).dataset.entity === this.focus.id);
      }
    }
  }
}

/** @param {Range | null | undefined} range */
function fromRange(range) {
  return range ? { node: range.startContainer, offset: range.startOffset } : null;
}

/** @param {(deadline: {timeRemaining: () => number}) => void} work */
function idle(work) {
  if ("requestIdleCallback" in window) requestIdleCallback(work, { timeout: 500 });
  else setTimeout(() => work({ timeRemaining: () => 8 }), 16);
}
