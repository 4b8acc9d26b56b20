/** The search bar: the text jumps to the first match while one types; Enter takes it as the selection. */
import { h } from "./dom.js";
import { firstHit, SearchIndex } from "./search.js";

export class SearchBar {
  /**
   * @param {import("./editor.js").Editor} editor
   * @param {(key: string, values?: Record<string, any>) => string} say
   * @param {() => void} back gives the keys back to the text
   */
  constructor(editor, say, back) {
    this.editor = editor;
    this.say = say;
    this.back = back;
    /** @type {SearchIndex | null} */
    this.index = null;
    /** @type {import("./offsets.js").Text | null} */
    this.indexed = null;
    /** @type {{start: number, end: number}[]} */
    this.hits = [];
    this.at = 0;
    this.origin = { start: 0, end: 0 };
    this.input = h("input", { type: "search", spellcheck: false, autocomplete: "off", placeholder: say("search_hint"), "aria-label": say("search_hint") });
    this.count = h("output", { role: "status" });
    this.element = h("div.search", { hidden: true, role: "search" }, this.input, this.count, h("small", {}, say("search_keys")));
    this.input.addEventListener("input", () => this.#find());
    this.input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#onKey(event));
  }

  open() {
    this.origin = this.editor.selection();
    this.element.hidden = false;
    this.input.focus();
    this.input.select();
  }

  /** The next or previous match of the last search. @param {1 | -1} direction */
  again(direction) {
    if (!this.input.value) return this.open();
    this.#refresh();
    if (!this.hits.length) return;
    const { start } = this.editor.selection();
    const next = direction > 0 ? this.hits.findIndex((hit) => hit.start > start) : this.hits.findLastIndex((hit) => hit.end <= start);
    this.at = next < 0 ? (direction > 0 ? 0 : this.hits.length - 1) : next;
    this.#show();
  }

  #refresh() {
    if (this.indexed !== this.editor.text) {
      this.indexed = this.editor.text;
      this.index = new SearchIndex(this.indexed.raw);
    }
    this.hits = /** @type {SearchIndex} */ (this.index).find(this.input.value);
  }

  #find() {
    this.#refresh();
    this.at = firstHit(this.hits, this.origin.start);
    this.#show();
  }

  #show() {
    const hit = this.hits[this.at];
    this.count.textContent = hit ? this.say("search_hits", { at: this.at + 1, count: this.hits.length }) : this.input.value ? this.say("search_none") : "";
    if (hit) this.editor.goTo(hit.start, hit.end);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing) return;
    const direction = event.key === "ArrowDown" || (event.key === "F3" && !event.shiftKey) ? 1 : event.key === "ArrowUp" || event.key === "F3" ? -1 : 0;
    if (direction && this.hits.length) {
      this.at = (this.at + direction + this.hits.length) % this.hits.length;
      this.#show();
    } else if (event.key === "Enter") this.#close();
    else if (event.key === "Escape") {
      this.editor.goTo(this.origin.start, Math.max(this.origin.end, this.origin.start + 1));
      this.#close();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #close() {
    this.element.hidden = true;
    this.back();
  }
}
