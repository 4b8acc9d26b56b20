/** The page: a text goes in, its entities come out. What it says about its model stands in the page itself. */
import { h } from "./dom.js";
import { LANGUAGES, messagesOf, preferredLanguage, remember } from "./messages.js";
import { Remote } from "./remote.js";
import { legend, markedText, table } from "./view.js";

const NAMES = { en: "English", vi: "Tiếng Việt" };
const MEGABYTE = 1e6;

/** @param {string} id @returns {any} */
const at = (id) => document.getElementById(id);

const published = JSON.parse(at("published").textContent);

class Page {
  constructor() {
    this.language = preferredLanguage();
    this.say = messagesOf(this.language);
    /** What the page is doing, to be said again in another language. @type {() => void} */
    this.status = () => {};
    /** @type {{document: any, seconds: number} | null} */
    this.answer = null;
    /** What could not be done. @type {import("./remote.js").Trouble | null} */
    this.trouble = null;
    this.busy = false;
    this.failed = false;
    this.differs = false;
    this.isReady = false;
    this.build();
    this.start();
  }

  /** Fills the page in its language; the text in the box stays. */
  build() {
    const { say } = this;
    document.documentElement.lang = this.language;
    const languages = LANGUAGES.map((language) =>
      h("button", { type: "button", lang: language, "aria-pressed": String(language === this.language), onclick: () => this.speak(language) }, NAMES[language]),
    );
    const text = at("text")?.value ?? "";
    const examples = published.examples.length
      ? [h("p.label", { id: "examples-label" }, say("examples")), h("div.examples", { role: "group", "aria-labelledby": "examples-label" }, ...this.examples())]
      : [];
    at("page").replaceChildren(
      h("header", {}, h("div", {}, h("h1", {}, published.title), h("p", {}, say("tagline"))), h("div.languages", { role: "group", "aria-label": say("language") }, ...languages)),
      h("main", {},
        h("section.input", {},
          h("label", { htmlFor: "text" }, say("text")),
          h("textarea", { id: "text", rows: 7, placeholder: say("placeholder"), spellcheck: false, dir: "auto", "aria-describedby": "hint", value: text, onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event) }),
          h("div.actions", {},
            h("button.primary", { id: "recognize", type: "button", onclick: () => this.recognize() }, say("recognize")),
            h("button", { id: "clear", type: "button", onclick: () => this.clear() }, say("clear")),
            h("p.note", { id: "hint" }, `${say("keys")} ${say("private")}`)),
          ...examples,
          h("div", { id: "loading" }, h("progress", { id: "bar", max: published.bytes, value: 0, "aria-labelledby": "status" }), h("p.note", { id: "status", role: "status" }))),
        h("section", { id: "result", "aria-label": say("result") })),
      h("footer", {}, h("p", {}, say("made_with", { viner: published.viner, runtime: published.runtime })), ...published.licenses.map((/** @type {string} */ line) => h("p", { lang: "en" }, line))),
    );
    this.status();
    this.show();
  }

  examples() {
    const ordered = [...published.examples].sort((one, other) => Number(other.language === this.language) - Number(one.language === this.language));
    return ordered.map(({ language, title, text }) =>
      h("button", { type: "button", lang: language || undefined, onclick: () => { at("text").value = text; void this.recognize(); } }, title),
    );
  }

  /** @param {"en" | "vi"} language */
  speak(language) {
    this.language = language;
    this.say = messagesOf(language);
    remember(language);
    this.build();
    /** @type {any} */ (document.querySelector(`.languages [lang=${language}]`))?.focus();
  }

  /** Fetches the model and starts it. */
  start() {
    this.failed = false;
    this.trouble = null;
    if (isOld()) {
      this.ready = Promise.reject({ code: "old", values: {} });
    } else {
      this.remote = new Remote(published, { progress: (bytes) => this.progress(bytes), window: (done, of) => of > 1 && this.tell("working_part", { done: done + 1, of }) });
      this.ready = this.remote.ready;
    }
    this.progress(0);
    this.ready.then(
      ({ differs }) => {
        this.differs = differs;
        this.isReady = true;
        this.loaded();
      },
      (/** @type {any} */ trouble) => {
        this.failed = true;
        this.trouble = trouble;
        this.status = () => (at("loading").hidden = true);
        this.status();
        this.show();
      },
    );
  }

  /** @param {number} bytes */
  progress(bytes) {
    const megabytes = (/** @type {number} */ count) => Math.round(count / MEGABYTE);
    this.status = () => {
      at("loading").hidden = false;
      at("bar").hidden = false;
      at("bar").value = bytes;
      at("status").textContent = bytes < published.bytes ? this.say("loading", { done: megabytes(bytes), of: megabytes(published.bytes) }) : this.say("starting");
    };
    this.status();
  }

  loaded() {
    this.status = () => {
      at("bar").hidden = true;
      at("status").textContent = this.say(this.differs ? "differs" : "ready");
    };
    this.status();
  }

  /** @param {string} key @param {Record<string, any>} [values] */
  tell(key, values) {
    at("status").textContent = this.say(key, values);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.recognize();
  }

  async recognize() {
    if (this.busy) return;
    const text = at("text").value;
    this.answer = null;
    if (this.failed) this.start();
    if (text.trim() === "") {
      this.trouble = { code: "no_text", values: {} };
      this.show();
      at("text").focus();
      return;
    }
    this.trouble = null;
    this.setBusy(true);
    try {
      await this.ready;
      this.tell("working");
      const began = performance.now();
      const document = await this.remote?.recognize(text);
      this.answer = { document, seconds: (performance.now() - began) / 1000 };
    } catch (trouble) {
      this.trouble = /** @type {any} */ (trouble);
      if (this.remote?.broken) {
        this.failed = true;
        this.isReady = false;
        this.status = () => (at("loading").hidden = true);
      }
    }
    this.setBusy(false);
    this.status();
    this.show();
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.busy = busy;
    this.show();
  }

  clear() {
    at("text").value = "";
    this.answer = null;
    if (!this.failed) this.trouble = null;
    this.show();
    at("text").focus();
  }

  /** Shows the answer, what went wrong, or what to do. */
  show() {
    const result = at("result");
    at("recognize").disabled = this.busy;
    result.setAttribute("aria-busy", String(this.busy));
    if (this.trouble) result.replaceChildren(this.error(this.trouble));
    else if (this.answer) result.replaceChildren(...this.found(this.answer));
    else result.replaceChildren(h("div.empty", {}, ...this.busy ? [h("p", {}, this.say(this.isReady ? "working" : "waits"))] : [h("strong", {}, this.say("empty_title")), h("p", {}, this.say("empty_text"))]));
  }

  /** @param {import("./remote.js").Trouble} trouble */
  error({ code, values }) {
    const again = this.failed && code !== "old" ? h("button", { type: "button", onclick: () => this.retry() }, this.say("again")) : null;
    const detail = code === "broken" && values.detail ? h("details", {}, h("summary", {}, this.say("detail")), h("code", { lang: "en" }, String(values.detail))) : null;
    return h("div.error", { role: "alert", data: { code } }, h("strong", {}, this.say("error")), h("p", {}, this.say(code, values)), detail, again);
  }

  retry() {
    this.start();
    this.show();
    if (at("text").value.trim() !== "") void this.recognize();
  }

  /** @param {{document: any, seconds: number}} answer */
  found({ document, seconds }) {
    const { say } = this;
    const count = document.entities.length;
    const summary = say("found", { count, words: document.words.length, seconds: Math.round(seconds * 100) / 100 });
    const parts = [h("p.summary", { role: "status" }, summary), legend(document, published.types, say), markedText(document, published.types)];
    if (count === 0) parts.splice(1, 0, h("p.note", {}, say("none_found")));
    else parts.push(...table(document, published.types, say));
    const copied = h("p.note", { role: "status" });
    parts.push(
      h("div.actions", {},
        h("button", { id: "copy", type: "button", onclick: () => this.copy(document, copied) }, say("copy")),
        h("button", { id: "download", type: "button", onclick: () => download(document) }, say("download")),
        copied),
    );
    return parts;
  }

  /** @param {any} document @param {HTMLElement} note */
  async copy(document, note) {
    try {
      await navigator.clipboard.writeText(jsonLine(document));
      note.textContent = this.say("copied");
    } catch {
      note.textContent = this.say("not_copied");
    }
  }
}

/** The document as viner reads it: one line of JSON. @param {any} document */
function jsonLine(document) {
  return `${JSON.stringify(document)}\n`;
}

/** @param {any} document */
function download(document) {
  const address = URL.createObjectURL(new Blob([jsonLine(document)], { type: "application/jsonl" }));
  h("a", { href: address, download: "entities.jsonl" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Whether the browser lacks what the page needs. */
function isOld() {
  // The smallest module that has an instruction of SIMD.
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  const has = /** @type {any} */ (globalThis);
  return !has.WebAssembly || !WebAssembly.validate(Uint8Array.from(simd)) || !has.DecompressionStream || !has.BigInt64Array || !has.Worker;
}

const page = new Page();

/** For scripts of the same page, and its console: `await viner.recognize("…")` gives the document. */
/** @type {any} */ (globalThis).viner = { recognize: (/** @type {string} */ text) => page.ready?.then(() => page.remote?.recognize(text)) };
