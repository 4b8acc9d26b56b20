/**
 * The document under work: cursor, selection and focus, and what the commands do to it. Every change goes through `commit`,
 * which applies it, paints it, and hands it to the outbox.
 *
 * @typedef {import("./model.js").Entity} Entity
 * @typedef {import("./model.js").Edit} Edit
 * @typedef {import("./keys.js").Command} Command
 */
import { reasonOf } from "./api.js";
import { occurrences } from "./labelall.js";
import { afterOf, apply, inverse, isEmpty, MOST_AT_ONCE, newId, stateOf } from "./model.js";
import { Text } from "./offsets.js";
import { Spans } from "./spans.js";
import { covering, nextSuggestion, openSuggestions } from "./suggestions.js";
import { History, lastTogether, reversible } from "./history.js";
import { detach } from "./rebase.js";
import { Words } from "./words.js";

export class Editor {
  /**
   * @param {object} parts
   * @param {import("./render.js").View} parts.view
   * @param {import("./outbox.js").Outbox} parts.outbox
   * @param {(edit: {operation: string, document: string, edit: Edit, before: any, undoes: string | null}) => void} parts.send
   * @param {(id: string, before: number | null) => Promise<any>} parts.loadHistory
   * @param {(operation: string, undoes: string) => Promise<any>} parts.undoEverywhere takes back an operation on many documents
   * @param {() => Promise<any>} parts.reload fetches the document anew
   * @param {() => void} parts.changed cursor, focus or document differ from before
   * @param {(key: string, values?: Record<string, any>) => void} parts.notify tells the person something
   */
  constructor({ view, outbox, send, loadHistory, undoEverywhere, reload, changed, notify }) {
    this.view = view;
    this.outbox = outbox;
    this.send = send;
    this.loadHistory = loadHistory;
    this.undoOperation = undoEverywhere;
    this.reload = reload;
    /** The step on many documents that the next Ctrl+Z takes back. @type {string | null} */
    this.confirming = null;
    this.changed = changed;
    this.notify = notify;
    /** @type {any} the stored document */
    this.stored = null;
    /** @type {import("./model.js").DocumentState | null} */
    this.state = null;
    /** @type {import("./schema.js").Schema | null} */
    this.schema = null;
    /** Label that alone is shown in full, null = all. @type {string | null} */
    this.only = null;
    this.text = new Text("");
    this.words = new Words(this.text, []);
    this.spans = new Spans(this.words, []);
    this.history = new History();
    /** Number of the oldest event that is known. @type {number | null} */
    this.oldest = null;
    this.cursor = 0;
    this.anchor = 0;
    /** A selection of characters; null = the words from anchor to cursor. @type {{start: number, end: number} | null} */
    this.characters = null;
    /** @type {string | null} */
    this.focusId = null;
    /** @type {number | null} */
    this.column = null;
  }

  /** @param {any} stored a StoredDocument @param {import("./schema.js").Schema} schema */
  open(stored, schema) {
    this.schema = schema;
    this.stored = stored;
    this.state = stateOf(stored);
    this.text = new Text(stored.text);
    this.words = new Words(this.text, stored.words);
    this.history = new History();
    this.oldest = null;
    this.confirming = null;
    this.cursor = this.anchor = 0;
    this.characters = null;
    this.focusId = null;
    this.column = null;
    this.outbox.opened(stored);
    this.#show();
    const first = nextSuggestion(this.open_(), { start: 0, end: 0 }, null, 1);
    if (first && stored.status !== "done") this.#focusOn(first);
    else this.#mark();
  }

  /** Takes over a newer state of the same document; cursor and scroll position stay. @param {any} stored @param {any} state */
  rebased(stored, state) {
    this.stored = stored;
    this.state = state;
    this.#refresh();
  }

  /** @param {import("./schema.js").Schema} schema */
  setSchema(schema) {
    this.schema = schema;
    this.#refresh();
  }

  close() {
    this.state = this.stored = null;
    this.words = new Words(new Text(""), []);
    this.spans = new Spans(this.words, []);
    this.view.show(this.words, this.spans, this.#style());
  }

  #show() {
    this.spans = new Spans(this.words, this.state?.entities.values() ?? []);
    this.view.show(this.words, this.spans, this.#style());
  }

  #refresh() {
    if (!this.state) return;
    this.spans = new Spans(this.words, this.state.entities.values());
    this.view.spans = this.spans;
    this.view.style = this.#style();
    if (this.focusId !== null && !this.focus()) this.focusId = null;
    this.view.paintAll();
    this.#mark(false);
  }

  #style() {
    return {
      look: (/** @type {string} */ label) => ({ index: this.schema?.position(label) ?? -1, dim: this.only !== null && this.only !== label }),
      tag: (/** @type {Entity} */ entity) => (entity.state === "suggested" ? `${entity.label}?` : entity.label),
    };
  }

  /** Shows one label in full and dims the others; null shows all. @param {string | null} label */
  showOnly(label) {
    this.only = label;
    this.view.paintAll();
    this.changed();
  }

  // Where we are

  /** @returns {Entity | null} */
  focus() {
    const entity = this.focusId === null ? null : (this.state?.entities.get(this.focusId) ?? null);
    return entity?.state === "rejected" ? null : entity;
  }

  /** The selected span in code points. */
  selection() {
    if (this.characters) return this.characters;
    if (this.words.count === 0) return { start: 0, end: 0 };
    const [low, high] = [Math.min(this.cursor, this.anchor), Math.max(this.cursor, this.anchor)];
    return { start: this.words.starts[low], end: this.words.ends[high] };
  }

  /** The entities that the selection lies in, the focused one or the innermost one first. @returns {Entity[]} */
  here() {
    const focus = this.focus();
    const { start, end } = this.selection();
    const on = covering(this.spans.on(this.words.at(start)), start, end);
    return focus ? [focus, ...on.filter((entity) => entity !== focus)] : on;
  }

  open_() {
    return openSuggestions(this.state?.entities.values() ?? [], (label) => this.only === null || this.only === label);
  }

  #mark(scroll = true) {
    this.view.mark({ cursor: this.cursor, selection: this.selection(), focus: this.focus(), scroll });
    this.changed();
  }

  /** @param {Entity} entity @param {boolean} [scroll] */
  #focusOn(entity, scroll = true) {
    [this.anchor, this.cursor] = this.words.of(entity.start, entity.end);
    this.characters = this.#exact(entity.start, entity.end);
    this.focusId = entity.id;
    this.column = null;
    this.#mark(scroll);
  }

  /** A span as a selection of characters, unless whole words say the same. @param {number} start @param {number} end */
  #exact(start, end) {
    const [first, last] = this.words.of(start, end);
    return this.words.starts[first] === start && this.words.ends[last] === end ? null : { start, end };
  }

  /** @param {string} id */
  choose(id) {
    const entity = this.state?.entities.get(id);
    if (entity) this.#focusOn(entity);
  }

  /** @param {number} start @param {number} end @param {number} cursor word */
  select(start, end, cursor) {
    const [first, last] = this.words.of(start, end);
    this.anchor = cursor === first ? last : first;
    this.cursor = cursor;
    this.characters = this.#exact(start, end);
    this.focusId = null;
    this.column = null;
    this.#mark(false);
  }

  /** Selects a span and brings it into view. @param {number} start @param {number} end */
  goTo(start, end) {
    [this.anchor, this.cursor] = this.words.of(start, end);
    this.characters = null;
    this.focusId = null;
    this.#mark();
  }

  /** @param {number} word @param {boolean} extend @param {number | null} [column] */
  #moveTo(word, extend, column = null) {
    this.cursor = Math.max(0, Math.min(this.words.count - 1, word));
    if (!extend) this.anchor = this.cursor;
    this.characters = null;
    this.focusId = null;
    this.column = column;
    this.#mark();
  }

  // Changes

  /**
   * Applies an edit, paints it and sends it. Entities get their surface, which the server compares.
   * @param {Edit} edit
   * @param {{undoes?: string | null, together?: string | null}} [options] together: the same for edits that are one step of the person
   * @returns {boolean} whether there was anything to do
   */
  commit(edit, { undoes = null, together = null } = {}) {
    const { state } = this;
    if (!state || isEmpty(edit)) return false;
    this.confirming = null;
    const put = edit.put?.map((entity) => ({ ...entity, surface: this.text.slice(entity.start, entity.end) }));
    const full = put ? { ...edit, put } : edit;
    const before = apply(state, full);
    const pairs = Object.entries(before.entities).map(([id, was]) => /** @type {[Entity | null, Entity | undefined]} */ ([was, state.entities.get(id)]));
    for (const [first, last] of this.spans.replaceAll(pairs, state.entities.values())) this.view.paint(first, last);
    const operation = newId();
    this.history.add({ operation, undoes, together, before, after: afterOf(state, before) });
    this.send({ operation, document: state.id, edit: full, before, undoes });
    if (this.focusId !== null && !this.focus()) this.focusId = null;
    return true;
  }

  /** Puts entities as one step, in as many saves as the server's bound asks for. @param {Entity[]} put @returns {boolean} whether there were any */
  #commitAll(put) {
    const together = put.length > MOST_AT_ONCE ? newId() : null;
    for (let k = 0; k < put.length; k += MOST_AT_ONCE) this.commit({ put: put.slice(k, k + MOST_AT_ONCE) }, { together });
    return put.length > 0;
  }

  /** Labels the focused entity, or the selection. @param {string | null | undefined} label */
  label(label) {
    if (!this.state || !label || this.words.count === 0) return;
    const focus = this.focus();
    const span = focus ?? this.selection();
    const [start, end] = this.words.trim(span.start, span.end);
    if (start >= end) return;
    const alike = this.spans.on(this.words.at(start)).filter((entity) => entity.start === start && entity.end === end);
    if (alike.some((entity) => entity.state === "accepted" && entity.label === label)) {
      // Already said; a suggestion of another label in the same place is answered by that.
      if (focus?.state === "suggested") return this.#decide(focus, "rejected");
      return;
    }
    const old = focus ?? alike.find((entity) => entity.label === label) ?? alike[0];
    const entity = /** @type {Entity} */ ({ ...old, id: old?.id ?? newId(), start, end, label, state: "accepted" });
    const wasSuggestion = old?.state === "suggested";
    const others = wasSuggestion ? alike.filter((other) => other !== old && other.state === "suggested") : [];
    this.commit({ put: [entity, ...others.map((other) => ({ ...other, state: /** @type {const} */ ("rejected") }))] });
    if (wasSuggestion) this.#onFrom(entity);
    else this.#focusOn(entity, false);
  }

  /** @param {Entity} entity @param {"accepted" | "rejected"} decision */
  #decide(entity, decision) {
    const twin = decision === "accepted" && this.spans.on(this.words.at(entity.start)).some(
      (other) => other.id !== entity.id && other.state === "accepted" && other.start === entity.start && other.end === entity.end && other.label === entity.label,
    );
    this.commit({ put: [{ ...entity, state: twin ? "rejected" : decision }] });
    this.#onFrom(entity);
  }

  /** From a decided entity on to the next open suggestion; the cursor stays where there is none. @param {Entity} entity */
  #onFrom(entity) {
    const next = nextSuggestion(this.open_(), entity, null, 1);
    if (next) return this.#focusOn(next);
    const [, last] = this.words.of(entity.start, entity.end);
    this.anchor = this.cursor = last;
    this.characters = null;
    this.focusId = null;
    this.#mark();
  }

  /** Accepts the suggestion here, else goes to the next one. @returns {"acted" | "finished"} finished: there is none left */
  accept() {
    const [here] = this.here();
    if (here?.state === "suggested") {
      this.#decide(here, "accepted");
      return "acted";
    }
    const next = nextSuggestion(this.open_(), this.selection(), null, 1);
    if (!next) return "finished";
    this.#focusOn(next);
    return "acted";
  }

  /** Rejects a suggestion, deletes an entity. */
  remove() {
    const [here] = this.here();
    if (!here) return;
    if (here.state === "suggested") return this.#decide(here, "rejected");
    this.commit({ delete: [here.id] });
    this.anchor = this.words.of(here.start, here.end)[0];
    this.#mark();
  }

  /** Accepts whatever suggestions are still open, as one step. */
  acceptAll() {
    const taken = new Set([...(this.state?.entities.values() ?? [])].filter((entity) => entity.state === "accepted").map(place));
    const put = this.open_().map((entity) => {
      const twin = taken.has(place(entity));
      taken.add(place(entity));
      return /** @type {Entity} */ ({ ...entity, state: twin ? "rejected" : "accepted" });
    });
    if (!this.#commitAll(put)) return;
    this.focusId = null;
    this.anchor = this.cursor;
    this.characters = null;
    this.#mark(false);
    this.notify("accepted_all", { count: put.length });
  }

  /** @param {1 | -1} direction */
  suggestion(direction) {
    const next = nextSuggestion(this.open_(), this.selection(), this.focusId, direction);
    if (next) this.#focusOn(next);
    else this.notify("no_suggestion");
  }

  /** From an entity to the one around it (1) or inside it (−1). @param {1 | -1} direction */
  enclosing(direction) {
    const [here] = this.here();
    if (!here) return;
    if (!this.focus()) return this.#focusOn(here);
    const on = covering(this.spans.on(this.cursor), here.start, here.end).filter((entity) => entity !== here);
    const inside = this.spans.on(this.words.at(here.start)).concat(this.spans.on(this.cursor))
      .filter((entity) => entity !== here && entity.start >= here.start && entity.end <= here.end && place(entity) !== place(here));
    const target = direction < 0 ? on[0] : inside.sort((one, other) => other.end - other.start - (one.end - one.start))[0];
    if (target) this.#focusOn(target);
  }

  /** Moves a border of the entity here by a word or a character. @param {Command} command */
  resize({ border, direction, unit }) {
    const [entity] = this.here();
    if (!entity) return;
    let { start, end } = entity;
    if (border === "end") end = this.#border(end, direction, unit, "end");
    else start = this.#border(start, direction, unit, "start");
    [start, end] = this.words.trim(start, end);
    if (start >= end || (start === entity.start && end === entity.end)) return;
    const resized = /** @type {Entity} */ ({ ...entity, start, end, state: "accepted" });
    if ([...this.state?.entities.values() ?? []].some((other) => other.id !== entity.id && other.state === "accepted" && place(other) === place(resized))) {
      return this.notify("already_there");
    }
    this.commit({ put: [resized] });
    this.#focusOn(resized);
  }

  /**
   * @param {number} point @param {1 | -1} direction @param {"word" | "character"} unit @param {"start" | "end"} border
   */
  #border(point, direction, unit, border) {
    const { starts, ends, count } = this.words;
    if (unit === "character") return this.#grapheme(point, direction);
    if (border === "end") {
      const k = this.words.at(point - 1);
      if (direction > 0) return ends[k] > point ? ends[k] : ends[Math.min(count - 1, k + 1)];
      return k > 0 ? ends[k - 1] : point;
    }
    const k = this.words.at(point);
    if (direction < 0) return starts[k] < point ? starts[k] : starts[Math.max(0, k - 1)];
    return k + 1 < count ? starts[k + 1] : point;
  }

  /** The next border of a grapheme cluster. @param {number} point @param {1 | -1} direction */
  #grapheme(point, direction) {
    const from = Math.max(0, point - 64);
    const slice = this.text.slice(from, Math.min(this.text.length, point + 64));
    const around = new Text(slice);
    const borders = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(slice)].map((part) => from + around.toCodePoint(part.index));
    borders.push(from + around.length);
    return (direction > 0 ? borders.find((border) => border > point) : borders.findLast((border) => border < point)) ?? point;
  }

  // Undo and redo

  /** @param {"undo" | "redo"} direction */
  async undo(direction) {
    if (!this.state) return;
    const { id } = this.state;
    let stacks = this.history.stacks();
    while (this.history.older && (!stacks.complete || stacks[direction].length === 0)) {
      const answered = await this.#loadOlder(id);
      if (this.state?.id !== id) return;
      // What was done meanwhile counts.
      stacks = this.history.stacks();
      if (!answered) break;
    }
    const step = stacks[direction].at(-1);
    if (!step) return this.notify(direction === "undo" ? "nothing_to_undo" : "nothing_to_redo");
    if (this.history.isEverywhere(step)) {
      if (step.here || this.confirming === step.operation) return this.undoEverywhere(step);
      this.confirming = step.operation;
      return this.notify("confirm_everywhere");
    }
    const steps = lastTogether(stacks[direction]);
    const found = steps.map((one) => reversible(one, /** @type {import("./model.js").DocumentState} */ (this.state)));
    const gone = found.map(({ before }) => this.#gone(inverse(before))).find((label) => label !== undefined);
    if (gone !== undefined) {
      // Said once: the steps before it can still be taken back.
      for (const { operation } of steps) this.history.barred.add(operation);
      return this.notify("label_gone", { label: gone });
    }
    if (found.some(({ kept }) => kept.length)) this.notify("changed_since");
    /** @type {Edit | null} */
    let last = null;
    for (const one of steps) {
      // Looked at again: which status comes back depends on what the others have taken back.
      const { edit, detached } = detach(inverse(reversible(one, this.state).before), this.state);
      if (detached) this.notify("comment_detached");
      if (this.commit(edit, { undoes: one.operation, together: one.together })) last = edit;
      else this.history.drop(one.operation);
    }
    if (!last) return;
    const [shown] = last.put ?? [];
    if (shown) {
      if (shown.state === "rejected") this.goTo(shown.start, shown.end);
      else this.#focusOn(shown);
    } else this.#mark(false);
  }

  /** The first label or class of an edit that the schema no longer has. @param {Edit} edit @returns {string | undefined} */
  #gone(edit) {
    const { schema } = this;
    const label = edit.put?.find((entity) => (schema?.position(entity.label) ?? -1) < 0)?.label;
    const known = (/** @type {string} */ layer) => schema?.documentLayers.find((other) => other.name === layer)?.types ?? [];
    return label ?? Object.entries(edit.labels ?? {}).flatMap(([layer, names]) => names.filter((name) => !known(layer).some((type) => type.name === name)))[0];
  }

  /** What labeled many documents is done, and may be taken back as a step of this one. @param {string} operation */
  labeledEverywhere(operation) {
    /** @type {import("./history.js").Step} */
    const step = { operation, undoes: null, kind: "label-all", before: { entities: {} }, after: { entities: {} }, here: true };
    this.history.add(step);
    return step;
  }

  /** Takes back a step on many documents, or the taking back of it. @param {import("./history.js").Step} step */
  async undoEverywhere(step) {
    const id = this.state?.id;
    if (id === undefined) return;
    this.confirming = null;
    const chain = this.history.chain(step);
    const operation = newId();
    try {
      await this.outbox.flushed(id);
      await this.undoOperation(operation, step.operation);
      await this.reload();
    } catch (error) {
      // What the server never takes back does not stand before what it does.
      if (/** @type {any} */ (error).status === 422) this.history.drop(step.operation);
      return this.notify("not_done", { reason: reasonOf(error) });
    }
    if (this.state?.id === id) {
      for (const known of chain) this.history.add(known);
      this.history.add({ ...this.labeledEverywhere(chain[0].operation), operation, undoes: step.operation, kind: "undo" });
    }
    this.notify(chain.length % 2 ? "undone_everywhere" : "redone_everywhere");
  }

  /** @param {string} id @returns {Promise<boolean>} whether the server answered */
  async #loadOlder(id) {
    try {
      await this.outbox.flushed(id);
      const { events } = await this.loadHistory(id, this.oldest);
      if (this.state?.id !== id) return false;
      const steps = events
        .filter((/** @type {any} */ event) => ["edit", "undo", "label-all"].includes(event.kind))
        .sort((/** @type {any} */ one, /** @type {any} */ other) => one.number - other.number)
        .map((/** @type {any} */ event) => ({ ...event, before: { entities: {}, ...event.before }, after: { entities: {}, ...event.after } }));
      this.oldest = events.at(-1)?.number ?? null;
      this.history.addOlder(steps, events.length > 0);
      return true;
    } catch {
      this.notify("no_history");
      return false;
    }
  }

  // Document

  /** Labels all occurrences of a surface in this document, as one step. @param {{surface: string, label: string, matchCase: boolean}} wanted */
  labelAll(wanted) {
    const { spans } = occurrences(this.words, this.state?.entities.values() ?? [], wanted);
    const put = spans.map(({ start, end }) => {
      const alike = this.spans.on(this.words.at(start)).filter((entity) => entity.start === start && entity.end === end && entity.state === "suggested");
      const open = alike.find((entity) => entity.label === wanted.label) ?? alike[0];
      return /** @type {Entity} */ ({ ...open, id: open?.id ?? newId(), start, end, label: wanted.label, state: "accepted" });
    });
    this.#commitAll(put);
    this.#mark(false);
    return put.length;
  }

  /** @param {string} layer @param {string} name */
  toggleDocumentLabel(layer, name) {
    const known = this.state?.labels[layer] ?? [];
    const multiple = this.schema?.documentLayers.find((other) => other.name === layer)?.multiple;
    const rest = known.filter((other) => other !== name);
    const classes = known.includes(name) ? rest : multiple ? [...rest, name] : [name];
    this.commit({ labels: { [layer]: classes } });
    this.changed();
  }

  toggleFlag() {
    this.commit({ flagged: !this.state?.flagged });
    this.changed();
  }

  /** Runs a command of the text. @param {Command} command @returns {boolean} whether it was one */
  run(command) {
    const { direction, extend } = command;
    switch (command.name) {
      case "move": {
        // Without Shift, an arrow leaves a selection at its edge.
        const from = extend ? this.cursor : direction > 0 ? Math.max(this.cursor, this.anchor) : Math.min(this.cursor, this.anchor);
        this.#moveTo(from + direction, extend);
        return true;
      }
      case "moveLine": {
        if (this.words.count === 0) return true;
        const { word, column } = this.view.lineStep(this.cursor, direction, this.column);
        this.#moveTo(word, extend, column);
        return true;
      }
      case "lineEnd":
        if (this.words.count) this.#moveTo(this.view.lineEnd(this.cursor, direction), extend);
        return true;
      case "textEnd":
        this.#moveTo(direction < 0 ? 0 : this.words.count - 1, extend);
        return true;
      case "jump":
        this.#moveTo(this.words.jump(this.cursor, direction, command.unit), extend);
        return true;
      case "screen":
        this.#screen(direction, extend);
        return true;
      case "suggestion":
        this.suggestion(direction);
        return true;
      case "remove":
        this.remove();
        return true;
      case "acceptAll":
        this.acceptAll();
        return true;
      case "enclosing":
        this.enclosing(direction);
        return true;
      case "resize":
        this.resize(command);
        return true;
      case "label":
        this.label(command.label ?? this.schema?.digits[command.index]);
        return true;
      default:
        return false;
    }
  }

  /** @param {1 | -1} direction @param {boolean} extend */
  #screen(direction, extend) {
    if (this.words.count === 0) return;
    const { scroller } = this.view;
    const box = this.view.element(this.cursor).getBoundingClientRect();
    scroller.scrollTop += direction * (scroller.clientHeight - 80);
    const pane = scroller.getBoundingClientRect();
    const y = Math.min(pane.bottom - 60, Math.max(pane.top + 60, box.top + box.height / 2));
    const hit = this.view.hit((box.left + box.right) / 2, y);
    const word = hit && hit.word !== this.cursor ? hit.word : direction < 0 ? 0 : this.words.count - 1;
    this.#moveTo(word, extend);
  }
}

/** @param {{start: number, end: number, label: string}} entity */
function place({ start, end, label }) {
  return `${start} ${end} ${label}`;
}
