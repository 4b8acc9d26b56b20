/** The page: puts the parts together and runs the commands that are about more than the text. */
import { Alerts } from "./alerts.js";
import { Announcer } from "./announce.js";
import { api, reasonOf, workFor } from "./api.js";
import { askClash } from "./clash.js";
import { openComments } from "./comments.js";
import { h, keycap } from "./dom.js";
import { Editor } from "./editor.js";
import { openHelp } from "./help.js";
import { Keys } from "./keys.js";
import { openLabelAll } from "./labeleverywhere.js";
import { openList } from "./list.js";
import { Lease } from "./lease.js";
import { Measures } from "./measure.js";
import { messages } from "./messages.js";
import { Outbox } from "./outbox.js";
import { openPalette } from "./palette.js";
import { download, sort } from "./parked.js";
import { connectPointer } from "./pointer.js";
import { View } from "./render.js";
import { Schema } from "./schema.js";
import { SearchBar } from "./searchbar.js";
import { CURRENT, firstDocument, started } from "./start.js";
import { Training } from "./training.js";

const VISITED = "viner-visited";
const NOTICE_MS = 7000;
/** How often, and after how many milliseconds, a document is asked for again while somebody's change of many documents goes on. */
const BUSY_TRIES = 5;
const BUSY_PAUSE_MS = 1000;
/** How many documents the server takes as "not these". */
const MOST_EXCLUDED = 500;

class Page {
  /** @param {import("./start.js").Started} parts */
  constructor({ tab, storage }) {
    this.tab = tab;
    this.storage = storage;
    this.language = document.documentElement.lang;
    this.say = messages(this.language);
    /** @type {any} */
    this.session = null;
    this.keys = new Keys();
    this.measures = new Measures();
    /** Whether Enter was pressed with nothing left to accept; the next Enter means done. */
    this.armed = false;
    this.busy = false;
    /** The document that is left as soon as it is saved. @type {string | null} */
    this.leaving = null;
    this.lease = new Lease({ renew: (id) => api.lease(id, tab), lost: (who) => this.notify("leased", { who }) });
    this.noticeTimer = 0;
    this.chromeWaits = false;
    /** @type {string[]} documents in the order in which they were opened */
    this.visited = JSON.parse(sessionStorage.getItem(VISITED) ?? "[]");
    /** Documents that were left as they were: they come again when all others have. @type {Set<string>} */
    this.left = new Set();
    /** @type {any} */
    this.progress = null;
    /** Takes back what was last labeled in all documents. @type {{name: string, run: () => void} | null} */
    this.everywhere = null;

    this.training = new Training(this.say, (key, values) => this.notify(key, values));
    this.live = h("div.quiet-live", { "aria-live": "polite", role: "status" });
    this.announcer = new Announcer(this.live);
    this.alerts = new Alerts(this.say("understood"));
    this.#build();
    this.outbox = new Outbox({
      storage,
      api,
      listener: {
        onState: (state, waiting, error) => this.#showSaving(state, waiting, error),
        onSaved: (entry, saved) => this.#onSaved(entry, saved),
        onRebased: (stored, state, dropped, schema, detached) => this.#onRebased(stored, state, dropped, schema, detached),
        onClash: (stored, clashes) => askClash(stored, clashes, this.say),
        onRefused: (entry, error, reopened) => this.#onRefused(entry, error, reopened),
        onReopened: (id) => this.#showReopened(id),
        onStuck: (entry, error) => this.alerts.show(`stuck ${entry.document}`, this.say("stuck", { id: entry.document, reason: reasonOf(error) })),
        onGone: (id, entries) => {
          this.alerts.show(`gone ${id}`, this.say("gone", { id, count: entries.length }));
          if (this.editor.state?.id === id) void this.next();
        },
      },
    });
    this.view = new View(this.area, this.pane);
    this.editor = new Editor({
      view: this.view,
      outbox: this.outbox,
      send: (edit) => this.outbox.add({ ...edit, who: this.session.who, project: this.session.project_id, projectName: this.session.project, tab, key: this.measures.key }),
      // Under the labels that this page knows: where it learns of others, its steps follow with all else.
      loadHistory: (id, before) => api.history(id, before, this.schema?.version),
      undoEverywhere: api.undo,
      reload: () => this.open(/** @type {any} */ (this.editor.state).id),
      changed: () => this.#changed(),
      notify: (key, values) => this.notify(key, values),
    });
    this.search = new SearchBar(this.editor, this.say, () => this.area.focus({ preventScroll: true }));
    this.pane.before(this.search.element);
    connectPointer(this.area, this.view, {
      select: (start, end, cursor) => this.editor.select(start, end, cursor),
      choose: (id) => this.editor.choose(id),
      entityOn: (word) => this.editor.spans.on(word).toSorted((one, other) => one.end - one.start - (other.end - other.start))[0]?.id ?? null,
      place: () => this.editor,
    });
    addEventListener("keydown", (event) => this.#onKey(event));
    addEventListener("online", () => this.outbox.retry());
    document.addEventListener("visibilitychange", () => document.hidden || (this.outbox.retry(), this.lease.touched(), void this.training.refresh()));
    for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll"]) {
      addEventListener(kind, () => this.lease.touched(), { capture: true, passive: true });
    }
    storage.onFailure = () => this.alerts.show("not_lasting", this.say("not_lasting"));
    if (!storage.lasting) storage.onFailure();
    addEventListener("beforeunload", (event) => this.outbox.waiting() && !this.storage.lasting && event.preventDefault());
  }

  // What there is to see

  #build() {
    const { say } = this;
    document.title = say("title");
    this.saving = h("output.saving", { role: "status" });
    this.bar = h("div.bar", { hidden: true }, (this.barFill = h("i")));
    this.progressText = h("span.progress", {});
    this.labels = h("div.labels", { role: "toolbar", "aria-label": say("labels") });
    this.about = h("div.about", {});
    this.documentLabels = h("div.document-labels", { hidden: true });
    this.area = h("div.text", { id: "text", tabIndex: 0, role: "textbox", "aria-multiline": "true", "aria-readonly": "true", "aria-label": say("text"), spellcheck: false });
    this.pane = h("main.pane", {}, this.area, (this.empty = h("section.empty", { hidden: true })));
    this.here = h("div.here", {});
    this.notice = h("div.notice", { role: "status", hidden: true });
    const action = (/** @type {string} */ name, /** @type {string} */ key, /** @type {import("./keys.js").Command} */ command, kind = "") =>
      h(`button${kind}`, { type: "button", data: { command: command.name }, "aria-keyshortcuts": key, onclick: () => this.run(command) }, h("span", {}, say(name)), keycap(key));
    this.actions = h("div.actions", {},
      h("div.group", {},
        action("suggestion_next", "Space", { name: "suggestion", direction: 1 }),
        action("accept", "Enter", { name: "accept" }, ".yes"),
        (this.removeButton = action("reject", "Del", { name: "remove" }, ".no")),
        action("accept_all", "⇧ Enter", { name: "acceptAll" })),
      h("div.group", {},
        action("undo", "Ctrl Z", { name: "undo" }),
        action("skip", "-", { name: "skip" }),
        action("done_next", "Ctrl Enter", { name: "done" }, ".primary")));
    const tool = (/** @type {string} */ name, /** @type {string} */ key, /** @type {import("./keys.js").Command} */ command) =>
      h("button.quiet", { type: "button", title: `${say(name)} (${key})`, "aria-keyshortcuts": key, onclick: () => this.run(command) }, say(name));
    const other = this.language === "vi" ? "en" : "vi";
    const header = h("header.top", {},
      h("a.brand", { href: "../", title: say("home") }, "viner"),
      (this.projectName = h("span.project", {})),
      h("div.progress-box", {}, this.bar, this.progressText),
      this.saving,
      this.training.element,
      h("nav", {}, tool("documents", "F2", { name: "documents" }), tool("search", "/", { name: "search" }), tool("commands", "=", { name: "palette" }), tool("help", "F1", { name: "help" }),
        h("a.quiet", { href: `../language/${other}?next=/annotate/`, lang: other, hreflang: other, title: other === "vi" ? "Tiếng Việt" : "English" }, other.toUpperCase())));
    document.body.replaceChildren(
      h("a.skip-link", { href: "#text", onclick: (/** @type {Event} */ event) => (event.preventDefault(), this.area.focus()) }, say("skip_link")),
      header, this.labels, h("div.document", {}, this.about, this.documentLabels), this.pane, h("footer.bottom", {}, this.here, this.actions), this.alerts.element, this.notice, this.live);
    // Buttons leave the keys to the text when they are used by mouse.
    for (const part of [this.labels, this.actions, this.documentLabels]) part.addEventListener("mousedown", (/** @type {Event} */ event) => event.preventDefault());
  }

  /** @param {any} session */
  setSession(session) {
    this.session = session;
    workFor(session.who);
    this.projectName.textContent = session.project;
    this.#setSchema(session.schema);
    this.#setProgress(session.progress);
    this.training.show(session.training);
    void this.training.refresh();
  }

  /** @param {any} data */
  #setSchema(data) {
    const { say } = this;
    this.schema = new Schema(data);
    this.keys.own = this.schema.ownKeys;
    this.schema.paint(document.documentElement);
    this.labels.replaceChildren(...this.schema.types.map((type, index) => {
      const keys = /** @type {Schema} */ (this.schema).keysOf(type.name);
      return h("button", {
        type: "button", color: `var(--type-${index})`, data: { label: type.name }, title: [type.description, keys.length ? say("label_key", { key: keys.join(" / ") }) : say("no_key")].filter(Boolean).join(" · "),
        onclick: (/** @type {MouseEvent} */ event) => (event.shiftKey ? this.showOnly(type.name) : this.run({ name: "label", label: type.name })),
      }, keys.length ? keycap(keys[0]) : h("i.swatch"), h("span", {}, type.name), h("small", {}));
    }));
    const layers = this.schema.documentLayers;
    this.documentLabels.hidden = layers.length === 0;
    this.documentLabels.replaceChildren(...layers.map((layer) =>
      h("fieldset", { role: layer.multiple ? "group" : "radiogroup" }, h("legend", {}, layer.name), ...layer.types.map((type) =>
        h("button", {
          type: "button", role: layer.multiple ? "checkbox" : "radio", "aria-checked": "false", data: { layer: layer.name, name: type.name }, title: type.description ?? "", color: type.color,
          onclick: () => this.editor.toggleDocumentLabel(layer.name, type.name),
          onkeydown: (/** @type {KeyboardEvent} */ event) => this.#onDocumentLabelKey(event),
        }, type.name)))));
  }

  /** @param {any} progress */
  #setProgress(progress) {
    if (!progress) return;
    this.progress = progress;
    const total = progress.documents ?? 0;
    const done = progress.done ?? 0;
    this.progressText.textContent = this.say("progress", { done, total });
    this.bar.hidden = total === 0;
    this.barFill.style.setProperty("inline-size", `${total ? (100 * done) / total : 0}%`);
  }

  /** @param {import("./outbox.js").SaveState} state @param {number} waiting @param {any} error */
  #showSaving(state, waiting, error) {
    const { say } = this;
    const text = {
      saved: () => say("saved"), saving: () => say("saving"), offline: () => say("waiting_offline", { count: waiting }),
      busy: () => say("waiting_busy", { count: waiting, reason: error?.message ?? "" }), signedOut: () => say("waiting_sign_in", { count: waiting }), choice: () => say("waiting_choice", { count: waiting }),
      otherPerson: () => say("waiting_other", { count: waiting, who: error?.body?.who ?? "" }), stuck: () => say("waiting_stuck", { count: waiting }),
    }[state]();
    this.saving.dataset.state = state;
    this.saving.dataset.waiting = String(waiting);
    if (this.saving.textContent !== text) this.saving.textContent = text;
    if (state === "signedOut" || state === "otherPerson") {
      const who = this.session.who;
      this.saving.append(" ", h("a", { href: `../login?${new URLSearchParams({ name: who, next: "/annotate/" })}`, target: "_blank" }, say("sign_in", { who })));
    }
    if (this.leaving && !["saved", "saving", "stuck"].includes(state)) {
      this.busy = false;
      if (state !== "choice") this.notify("leaves_later");
    }
  }

  /** @param {string} key @param {Record<string, any>} [values] @param {{name: string, run: () => void}} [action] */
  notify(key, values = {}, action) {
    clearTimeout(this.noticeTimer);
    this.notice.replaceChildren(this.say(key, values));
    if (action) this.notice.append(h("button", { type: "button", onclick: () => ((this.notice.hidden = true), action.run()) }, action.name));
    this.notice.hidden = false;
    this.noticeTimer = window.setTimeout(() => (this.notice.hidden = true), action ? 3 * NOTICE_MS : NOTICE_MS);
  }

  /** The text is painted first; counts and buttons follow after the frame. */
  #changed() {
    this.armed = false;
    if (this.chromeWaits) return;
    this.chromeWaits = true;
    requestAnimationFrame(() => setTimeout(() => {
      this.chromeWaits = false;
      this.#showChrome();
    }));
  }

  #showChrome() {
    const { editor, say } = this;
    const { state, stored } = editor;
    document.body.classList.toggle("no-document", !state);
    if (!state) return;
    /** @type {Record<string, number>} */
    const counts = {};
    let accepted = 0;
    for (const entity of state.entities.values()) {
      if (entity.state === "rejected") continue;
      counts[entity.label] = (counts[entity.label] ?? 0) + 1;
      accepted += Number(entity.state === "accepted");
    }
    for (const button of this.labels.children) {
      const { label } = button.dataset;
      const count = String(counts[label] ?? "");
      if (button.lastElementChild.textContent !== count) button.lastElementChild.textContent = count;
      button.classList.toggle("off", editor.only !== null && editor.only !== label);
      button.toggleAttribute("data-only", editor.only === label);
    }
    for (const button of this.documentLabels.querySelectorAll("button")) {
      button.setAttribute("aria-checked", String((state.labels[button.dataset.layer] ?? []).includes(button.dataset.name)));
    }
    this.#showAbout(stored, state, accepted);
    const open = editor.open_();
    const [here] = editor.here();
    const focus = editor.focus();
    const parts = [];
    if (here) {
      parts.push(h(`span.chip.${here.state}`, { color: `var(--type-${this.schema?.position(here.label)})` }, here.label));
      parts.push(h("b.surface", { dir: "auto" }, shorten(editor.text.slice(here.start, here.end))));
      const source = here.state === "suggested" ? [here.source, typeof here.score === "number" ? `${Math.round(here.score * 100)} %` : ""].filter(Boolean).join(" · ") : "";
      if (source) parts.push(h("small", {}, source));
    }
    const at = focus ? open.findIndex((entity) => entity.id === focus.id) + 1 : 0;
    parts.push(h("span.left", {}, at ? say("suggestion_at", { at, count: open.length }) : open.length ? say("open_suggestions", { count: open.length }) : say("no_open_suggestions")));
    this.here.replaceChildren(...parts);
    this.removeButton.firstElementChild.textContent = say(here?.state === "accepted" ? "delete" : "reject");
    this.announcer.say(() => this.#describe());
  }

  /** @param {any} stored @param {any} state @param {number} accepted */
  #showAbout(stored, state, accepted) {
    const { say } = this;
    const { by, model, score } = stored.sampled ?? {};
    // What a person or the order of import chose needs no explanation.
    const why = by === "random" ? say("sampled_random") : by === "uncertain" ? say("sampled_uncertain") : "";
    const sampled = why && say("sampled", { by: [why, model, typeof score === "number" ? score.toFixed(2) : ""].filter(Boolean).join(" · ") });
    this.about.replaceChildren(
      h("b", {}, stored.id),
      h(`span.status.${state.status}`, {}, say(`status_${state.status}`)),
      h("span.split", {}, say(`split_${stored.split}`)),
      h("span.count", {}, say("count_entities", { count: accepted })),
      ...(sampled ? [h("span.sampled", {}, sampled)] : []),
      h("button.quiet", { type: "button", "aria-pressed": String(state.flagged), title: `${say("flag")} (!)`, onclick: () => this.run({ name: "flag" }) }, state.flagged ? `⚑ ${say("flagged")}` : "⚐"),
      h("button.quiet", { type: "button", title: `${say("comment")} (')`, onclick: () => this.run({ name: "comment" }) }, state.comments.length ? say("count_comments", { count: state.comments.length }) : say("comment")),
    );
  }

  /** What a screen reader says about the place of the cursor. */
  #describe() {
    const { editor, say } = this;
    if (!editor.state || editor.words.count === 0) return "";
    const { start, end } = editor.selection();
    const surface = shorten(editor.text.slice(start, end));
    const entities = editor.here().map((entity) =>
      [say("say_entity", { label: entity.label, state: say(`state_${entity.state}`) }), entity.state === "suggested" && typeof entity.score === "number" ? say("say_score", { score: Math.round(entity.score * 100) }) : ""]
        .filter(Boolean).join(", "));
    const word = editor.cursor === editor.anchor || editor.focus() ? say("say_word", { word: surface }) : say("say_selected", { surface });
    return [word, ...entities].join("; ");
  }

  // Documents

  /**
   * Shows an answer that carries a document, or says that there is none.
   * @param {{document: any, lease_seconds?: number | null, progress?: any, held_by?: string}} answer
   */
  async show(answer) {
    this.#setProgress(answer.progress);
    if (!answer.document) return this.#showEmpty();
    const { document: stored } = answer;
    this.empty.hidden = true;
    this.area.hidden = false;
    if (stored.schema !== this.schema?.version) this.#setSchema(await api.schema());
    this.editor.open(stored, /** @type {Schema} */ (this.schema));
    sessionStorage.setItem(CURRENT, stored.id);
    const address = new URL(location.href);
    if (address.searchParams.has("document")) {
      // From here on a reload comes back to the document that is open then.
      address.searchParams.delete("document");
      history.replaceState(null, "", address);
    }
    if (this.visited.at(-1) !== stored.id) this.visited = [...this.visited.filter((id) => id !== stored.id), stored.id].slice(-200);
    sessionStorage.setItem(VISITED, JSON.stringify(this.visited));
    this.area.dataset.document = stored.id;
    if (!document.querySelector("dialog[open]")) this.area.focus({ preventScroll: true });
    if (answer.held_by) this.notify("leased", { who: answer.held_by });
    if (typeof answer.lease_seconds === "number") this.lease.keep(stored.id, answer.lease_seconds);
    else this.lease.drop();
  }

  /** @param {any} [error] */
  #showEmpty(error) {
    const { say } = this;
    const total = this.progress?.documents ?? 0;
    const open = (this.progress?.todo ?? 0) + (this.progress?.started ?? 0);
    this.lease.drop();
    sessionStorage.removeItem(CURRENT);
    delete this.area.dataset.document;
    this.editor.close();
    this.area.hidden = true;
    this.empty.hidden = false;
    const text = error ? (error.status === 0 ? say("no_connection") : reasonOf(error)) : total === 0 ? say("empty_project") : open > 0 ? say("empty_leased") : say("empty_text", { total });
    const again = h("button", { type: "button", onclick: () => void this.next() }, say("try_again"));
    const review = h("button", { type: "button", onclick: () => this.run({ name: "documents" }) }, say("review"), keycap("F2"));
    const importing = h("a.button", { href: "../" }, say("import"));
    const train = h("button.primary", { type: "button", onclick: () => void this.training.act("start") }, say("train"));
    const trains = this.training.running ? [] : [train];
    const choices = error ? [again] : total === 0 ? [importing, again] : open > 0 ? [again, review] : [...trains, importing, review, again];
    this.empty.replaceChildren(h("h1", {}, say(error ? "error_title" : "empty_title")), h("p", {}, text), h("div.choices", {}, ...choices));
    this.#showChrome();
    this.empty.querySelector("button, a")?.focus();
  }

  /** @param {() => Promise<any>} ask */
  async #go(ask) {
    if (this.busy) return;
    this.busy = true;
    document.body.setAttribute("aria-busy", "true");
    try {
      await this.show(await this.#patiently(ask));
    } catch (error) {
      if (this.editor.state) this.notify("not_done", { reason: reasonOf(error) });
      else this.#showEmpty(error);
    } finally {
      this.busy = false;
      document.body.removeAttribute("aria-busy");
    }
  }

  /** @param {() => Promise<any>} ask */
  async #patiently(ask) {
    for (let left = BUSY_TRIES; ; left -= 1) {
      try {
        return await ask();
      } catch (error) {
        if (/** @type {any} */ (error).code !== "store_locked" || left === 0) throw error;
        this.notify("server_busy");
        await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
      }
    }
  }

  /**
   * The next document of the queue, once the server has what was done to this one. Keys rest for that moment; where it takes
   * longer, since there is no connection or a choice to make, work on this document goes on.
   * @param {"done" | "skipped" | null} [status] why this one is left
   */
  async next(status = null) {
    const id = this.editor.state?.id ?? null;
    if (this.busy || (id !== null && this.leaving === id)) return;
    if (id !== null) {
      this.leaving = id;
      this.busy = true;
      await this.outbox.flushed(id);
      this.leaving = null;
      this.busy = false;
      const { state } = this.editor;
      if (state && (state.id !== id || (status && state.status !== status))) return;
    }
    return this.#go(async () => {
      if (id !== null && !status) {
        this.left.delete(id);
        this.left.add(id);
        void api.release(id, this.tab).catch(() => {});
      }
      const ask = (/** @type {string[]} */ exclude) => api.next({ tab: this.tab, exclude, finished: status ? id : null });
      const answer = await ask([...this.left].slice(-MOST_EXCLUDED));
      if (answer.document || this.left.size === 0) return answer;
      this.left.clear();
      const again = await ask(id !== null && !status ? [id] : []);
      if (again.document || id === null || status) return again;
      const last = await ask([]);
      this.notify("last_one");
      return last;
    });
  }

  /** @param {string} id */
  open(id) {
    const before = this.editor.state?.id;
    return this.#go(async () => {
      await this.outbox.flushed(id);
      const answer = await api.open(id, this.tab);
      if (before && before !== id) void api.release(before, this.tab).catch(() => {});
      return answer;
    });
  }

  /** Opens the document before or behind this one among those that were open. @param {1 | -1} direction */
  step(direction) {
    const at = this.visited.indexOf(this.editor.state?.id ?? "");
    const id = at < 0 ? (direction < 0 ? this.visited.at(-1) : undefined) : this.visited[at + direction];
    if (id) return this.open(id);
    if (direction > 0) return this.next();
    this.notify("no_previous");
  }

  /** @param {"done" | "skipped"} status */
  finish(status) {
    const { state } = this.editor;
    if (!state || this.busy) return;
    if (state.status !== status) this.editor.commit({ status });
    void this.next(status);
  }

  /** @param {string} label */
  showOnly(label) {
    const only = this.editor.only === label ? null : label;
    this.editor.showOnly(only);
    if (only) this.notify("only_shown", { label });
  }

  // What comes back

  /** @param {import("./outbox.js").Entry} entry @param {any} saved */
  #onSaved(entry, saved) {
    this.measures.acknowledged(entry);
    this.alerts.hide(`stuck ${entry.document}`);
    const { state } = this.editor;
    if (state?.id === entry.document) {
      state.version = saved.version;
      this.area.dataset.version = String(saved.version);
      if (saved.schema && saved.schema !== this.schema?.version) void this.#followSchema();
    }
    // The server's count comes with the next document; until then this page counts for itself.
    if (entry.edit.status && this.progress && entry.before.status && entry.before.status !== entry.edit.status) {
      const { [entry.before.status]: from = 1, [entry.edit.status]: to = 0 } = this.progress;
      this.#setProgress({ ...this.progress, [entry.before.status]: from - 1, [entry.edit.status]: to + 1 });
    }
  }

  /**
   * What the server will never take is said until it is read: the text of a remark, too, since it is nowhere else.
   * @param {import("./outbox.js").Entry} entry @param {any} error @param {boolean} reopened
   */
  #onRefused(entry, error, reopened) {
    const { say } = this;
    const { edit, document: id } = entry;
    this.editor.history.drop(entry.operation);
    this.notify("refused", { reason: reasonOf(error) });
    const what = [
      ...(edit.put ?? []).map((/** @type {any} */ entity) => `${shorten(entity.surface ?? "")} · ${entity.label}`),
      ...(edit.delete ?? []).map((gone) => [entry.before.entities[gone]?.label, say("clash_deleted")].filter(Boolean).join(" ")),
      ...Object.values(edit.labels ?? {}).flat(),
      ...(edit.comments?.put ?? []).map((comment) => comment.text),
      ...(edit.status ? [say(`status_${edit.status}`)] : []),
    ];
    const text = say("refused_what", { id, what: what.slice(0, 5).join("; ") + (what.length > 5 ? " …" : ""), reason: reasonOf(error) });
    this.alerts.show(`refused ${entry.operation}`, [text, reopened ? say("not_finished") : ""].filter(Boolean).join(" "), ...this.#wayTo(id));
  }

  /** A document waited to be done with an entity whose label is gone: without it, it is not. @param {string} id */
  #showReopened(id) {
    this.alerts.show(`reopened ${id}`, this.say("reopened", { id }), ...this.#wayTo(id));
  }

  /** The button that opens a document that is not on the page. @param {string} id */
  #wayTo(id) {
    return this.editor.state?.id === id ? [] : [{ name: this.say("open_document", { id }), run: () => void this.open(id) }];
  }

  async #followSchema() {
    const schema = await api.schema(this.schema?.version);
    this.editor.history.rename(schema.renamed, schema.renamed_classes);
    this.#setSchema(schema);
    this.editor.setSchema(/** @type {Schema} */ (this.schema));
    this.notify("schema_changed");
  }

  /** @param {any} stored @param {any} state @param {import("./outbox.js").Entry[]} dropped @param {any} schema @param {number} detached */
  #onRebased(stored, state, dropped, schema, detached) {
    for (const entry of dropped) this.editor.history.drop(entry.operation);
    const known = this.schema?.version;
    const renewed = schema && schema.version !== known;
    if (renewed) this.#setSchema(schema);
    if (this.editor.state?.id === stored.id) {
      this.editor.schema = this.schema ?? null;
      this.editor.rebased(stored, state);
    }
    // The document first: what is typed while the answer is on its way would be lost from view under an older state.
    const steps = [...this.editor.history.steps];
    if (renewed) void api.schema(known).then(({ renamed, renamed_classes }) => this.editor.history.rename(renamed, renamed_classes, steps), () => undefined);
    if (renewed) this.notify("schema_changed");
    else if (detached) this.notify("comment_detached");
    else if (!this.notice.textContent || this.notice.hidden) this.notify(dropped.length ? "theirs_kept" : "both_kept");
  }

  // Keys and commands

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    if (/^(BUTTON|A|SUMMARY)$/.test(target.tagName) && ["Enter", " "].includes(event.key) && !event.ctrlKey && !event.shiftKey) return;
    const command = this.keys.read(event);
    if (!command) return;
    event.preventDefault();
    this.measures.pressed(event.timeStamp);
    this.run(command);
    this.measures.painted();
  }

  /** @param {KeyboardEvent} event */
  #onDocumentLabelKey(event) {
    const buttons = [...this.documentLabels.querySelectorAll("button")];
    const at = buttons.indexOf(event.currentTarget);
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (digit) buttons[(Number(digit[1]) + 9) % 10]?.click();
    else if (step) buttons[(at + step + buttons.length) % buttons.length].focus();
    else if (event.key === "Escape") this.area.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {import("./keys.js").Command} command */
  run(command) {
    const { editor, say } = this;
    const wasArmed = this.armed;
    switch (command.name) {
      case "palette":
        return void openPalette(this.#choices(), say);
      case "help":
        return void openHelp({ schema: /** @type {Schema} */ (this.schema), guideline: this.session?.guideline ?? null }, say);
      case "documents":
        return void openList(/** @type {Schema} */ (this.schema), editor.state?.id ?? null, say).then((id) => (id ? this.open(id) : undefined));
      case "previousDocument":
        return void this.step(-1);
      case "nextDocument":
        return void this.step(1);
      case "train":
        return void this.training.act();
      case "typingTool":
        return this.notify("typing_tool");
      case "saveNow":
        return this.outbox.retry();
    }
    if (!editor.state || this.busy) return;
    if (editor.run(command)) return;
    switch (command.name) {
      case "accept":
        if (editor.accept() === "acted") return;
        if (wasArmed) return this.finish("done");
        this.notify("confirm_done");
        // Set after the change that the accept may have announced, which disarms.
        this.armed = true;
        return;
      case "done":
        return this.finish("done");
      case "skip":
        return this.finish("skipped");
      case "undo":
      case "redo":
        return void editor.undo(command.name);
      case "search":
        return this.search.open();
      case "searchAgain":
        return this.search.again(command.direction);
      case "comment":
        return void openComments(editor, say, (key, values) => this.notify(key, values));
      case "flag":
        return editor.toggleFlag();
      case "labelAll":
        return void openLabelAll(editor, say, (key, values, action) => {
          if (action) this.everywhere = action;
          this.notify(key, values, action);
        }, () => this.open(/** @type {any} */ (editor.state).id));
      case "documentLabels":
        return this.documentLabels.querySelector("button")?.focus();
      case "escape":
        this.notice.hidden = true;
        if (editor.only !== null) return editor.showOnly(null);
        if (editor.words.count) editor.select(editor.words.starts[editor.cursor], editor.words.ends[editor.cursor], editor.cursor);
    }
  }

  /** What an earlier page left has to be saved before a document is shown, or the document would be shown without it. @param {number} count */
  #showSavingFirst(count) {
    this.empty.hidden = false;
    this.area.hidden = true;
    this.empty.replaceChildren(h("h1", {}, this.say("saving_first_title")), h("p", {}, this.say("saving_first", { count })),
      h("div.choices", {}, h("button.primary", { type: "button", onclick: () => this.outbox.retry() }, this.say("try_again"))));
  }

  /** Everything the palette offers. @returns {import("./palette.js").Choice[]} */
  #choices() {
    const { editor, say } = this;
    const schema = /** @type {Schema} */ (this.schema);
    const command = (/** @type {string} */ name, /** @type {string} */ key, /** @type {import("./keys.js").Command} */ what) => ({ name: say(name), key, run: () => this.run(what) });
    return [
      ...schema.types.map(({ name, description }, index) => ({ name, key: schema.keyOf(name), color: `var(--type-${index})`, detail: description, run: () => this.run({ name: "label", label: name }) })),
      ...schema.documentLayers.flatMap((layer) => layer.types.map(({ name, description }) => ({ name: say("document_label", { layer: layer.name, name }), detail: description, run: () => editor.toggleDocumentLabel(layer.name, name) }))),
      command("accept_all", "Shift+Enter", { name: "acceptAll" }),
      command("done_next", "Ctrl+Enter", { name: "done" }),
      command("skip", "-", { name: "skip" }),
      command("label_every", "*", { name: "labelAll" }),
      command("comment", "'", { name: "comment" }),
      command("flag", "!", { name: "flag" }),
      command("undo", "Ctrl+Z", { name: "undo" }),
      command("redo", "Ctrl+Y", { name: "redo" }),
      command("search", "/", { name: "search" }),
      command("documents", "F2", { name: "documents" }),
      command("previous_document", ",", { name: "previousDocument" }),
      command("next_document", ".", { name: "nextDocument" }),
      { name: say({ start: "train", stop: "stop", resume: "resume" }[this.training.action]), run: () => this.run({ name: "train" }) },
      command("help", "F1", { name: "help" }),
      ...(this.session.local ? [] : [{ name: say("account", { who: this.session.who }), run: logOut }]),
      ...[["documents", ""], ["train", "train"], ["labels", "labels"], ["recognize", "recognize"]].map(([name, path]) => ({ name: say(`console_${name}`), run: () => location.assign(`../${this.language}/${path}`) })),
      ...(this.everywhere ? [this.everywhere] : []),
      ...(editor.only ? [{ name: say("show_all"), run: () => editor.showOnly(null) }] : []),
      ...schema.types.map(({ name }, index) => ({ name: say("show_only", { label: name }), color: `var(--type-${index})`, run: () => this.showOnly(name) })),
    ];
  }

  /** Opens the first document; what an earlier page left unsaved goes first. @param {import("./start.js").Started} parts */
  async start({ left, session, first }) {
    this.#showSaving("saved", 0, null);
    try {
      this.setSession(await session);
    } catch (error) {
      if (/** @type {any} */ (error).status === 401) return location.assign("../login?next=/annotate/");
      this.#showEmpty(error);
      this.empty.querySelector("button").onclick = () => location.reload();
      return;
    }
    const { mine, parked } = sort(left, this.session);
    for (const { who, project, projectName, entries } of parked) {
      const key = project === this.session.project_id ? "parked_person" : "parked_project";
      this.alerts.show(`parked ${project} ${who}`, this.say(key, { who, project: projectName, count: entries.length }), { name: this.say("save_file"), run: () => download(entries) });
    }
    this.outbox.adopt(mine);
    await this.#go(async () => {
      if (mine.length) {
        this.#showSavingFirst(mine.length);
        await this.outbox.flushed();
      }
      return first ?? firstDocument(this.tab);
    });
    performance.mark("viner-ready");
  }
}

/** Ends the person's sessions, as the console's button does: a form, which the server answers with the login page. */
function logOut() {
  const form = h("form", { method: "post", action: "../logout" });
  document.body.append(form);
  form.submit();
}

/** @param {string} surface */
function shorten(surface) {
  return surface.length > 90 ? `${surface.slice(0, 60)} … ${surface.slice(-25)}` : surface;
}

const parts = await started;
await new Page(parts).start(parts);
