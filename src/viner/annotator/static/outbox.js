/**
 * The way of every change to the server: written down first, sent in order, forgotten only when the server has answered.
 *
 * An entry is kept in storage until its answer is here, so a lost connection, a reload or a crash loses nothing. The server knows
 * each operation by its id, so sending one twice does no harm. When a document has changed meanwhile, the waiting edits are rebased
 * onto it; where both sides changed the same thing, a person is asked.
 *
 * @typedef {import("./model.js").Edit} Edit
 * @typedef {import("./model.js").Before} Before
 * @typedef {import("./rebase.js").Clash} Clash
 *
 * @typedef {object} Entry
 * @property {string} operation id
 * @property {string} document
 * @property {number} version of the document that the edit was made on, as far as it was known then
 * @property {number} schema
 * @property {Edit} edit entities carry their surface
 * @property {Before} before
 * @property {string | null} undoes
 * @property {string} who
 * @property {string} project id of the project
 * @property {string} [projectName] what people call it
 * @property {string} tab
 * @property {number} order
 * @property {boolean} [sent] by this page
 * @property {number} [key] time stamp of the key that made it, for the measurements
 *
 * @typedef {"saved" | "saving" | "offline" | "busy" | "signedOut" | "otherPerson" | "choice" | "stuck"} SaveState
 *
 * @typedef {object} Listener what the page wants to hear
 * @property {(state: SaveState, waiting: number, error: any) => void} onState
 * @property {(entry: Entry, saved: any) => void} onSaved
 * @property {(document: any, state: import("./model.js").DocumentState, dropped: Entry[], schema: any, detached: number) => void} onRebased
 *   the server's document, and what it looks like with the waiting edits; `detached` remarks have lost what they were about
 * @property {(document: any, clashes: Clash[]) => Promise<("mine" | "theirs")[]>} onClash one choice for each clash
 * @property {(entry: Entry, error: any, reopened: boolean) => void} onRefused the server will never take this entry; `reopened`: a
 *   waiting "done" of the document was given up with it
 * @property {(entry: Entry, error: any) => void} onStuck the server fails on this entry again and again; others go on
 * @property {(document: string) => void} onReopened a waiting "done" was given up, since a label went and a change with it
 * @property {(document: string, entries: Entry[]) => void} onGone the document was erased
 */
import { apply, isEmpty, stateOf } from "./model.js";
import { detach, insist, merge, rebase } from "./rebase.js";

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 10_000;
/** So often the server may fail on an entry before others go first, and so long they do. */
const MOST_FAILURES = 5;
const STUCK_PAUSE = 30_000;

export class Outbox {
  /**
   * @param {object} parts
   * @param {{put: (...entries: Entry[]) => void, remove: (operation: string) => void}} parts.storage
   * @param {{save: (operation: object) => Promise<any>, document: (id: string) => Promise<any>, schema: (since: number) => Promise<any>}} parts.api
   * @param {Listener} parts.listener
   * @param {(milliseconds: number) => Promise<void>} [parts.pause]
   */
  constructor({ storage, api, listener, pause }) {
    this.storage = storage;
    this.api = api;
    this.listener = listener;
    /** @type {Entry[]} */
    this.queue = [];
    /** Version and schema of each document after what the server has acknowledged. @type {Map<string, {version: number, schema: number}>} */
    this.known = new Map();
    /** @type {Set<string>} documents that wait for a person's choice */
    this.blocked = new Set();
    /** @type {Map<string, any>} documents with an entry that the server fails on, and how it does */
    this.stuck = new Map();
    /** How often the server failed on an entry. @type {Map<string, number>} */
    this.failures = new Map();
    this.running = false;
    /** The highest order of all entries: a clock that is set back must not change their order. */
    this.order = 0;
    /** @type {() => void} */
    this.wake = () => {};
    this.pause = pause ?? ((milliseconds) => this.#sleep(milliseconds));
    /** @type {{document: string | null, resolve: () => void}[]} */
    this.waiters = [];
    this.state = /** @type {SaveState} */ ("saved");
  }

  /** A document as the server has it now is on the page. @param {{id: string, version: number, schema: number}} document */
  opened({ id, version, schema }) {
    this.known.set(id, { version, schema });
  }

  /**
   * Takes an edit: it is written down before this returns, and sent at once.
   * @param {Omit<Entry, "version" | "schema" | "order">} entry
   */
  add(entry) {
    const known = this.known.get(entry.document) ?? { version: 0, schema: 0 };
    const ahead = this.queue.filter((other) => other.document === entry.document).length;
    this.order = Math.max(this.order + 1, Date.now() * 1000);
    const full = { ...entry, version: known.version + ahead, schema: known.schema, order: this.order };
    this.queue.push(full);
    this.storage.put(full);
    if (this.state === "stuck") this.wake();
    void this.#run();
  }

  /** Takes over what an earlier page left behind. @param {Entry[]} entries */
  adopt(entries) {
    this.queue.push(...[...entries].sort((one, other) => one.order - other.order));
    this.order = Math.max(this.order, ...entries.map((entry) => entry.order));
    void this.#run();
  }

  /** How many changes the server does not have yet. @param {string} [document] */
  waiting(document) {
    return document === undefined ? this.queue.length : this.queue.filter((entry) => entry.document === document).length;
  }

  /** How many changes are on their way; those that the server fails on are not. @param {string | null} document */
  #moving(document) {
    return this.queue.filter((entry) => (document === null || entry.document === document) && !this.stuck.has(entry.document)).length;
  }

  /** Tries again now, without waiting for the end of a pause. */
  retry() {
    this.wake();
  }

  /** Resolves when the server has all changes (of a document), but for those that it fails on. @param {string | null} [document] @returns {Promise<void>} */
  flushed(document = null) {
    if (this.#moving(document) === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push({ document, resolve }));
  }

  /** @param {number} milliseconds @returns {Promise<void>} */
  #sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => (clearTimeout(timer), resolve());
    });
  }

  /** @param {SaveState} state @param {any} [error] */
  #tell(state, error = null) {
    this.state = state;
    this.listener.onState(state, this.queue.length, error);
    this.waiters = this.waiters.filter(({ document, resolve }) => {
      const done = this.#moving(document) === 0;
      if (done) resolve();
      return !done;
    });
  }

  async #run() {
    if (this.running) {
      // While the connection is away, the count on the page goes on.
      this.#tell(this.state === "saved" ? "saving" : this.state);
      return;
    }
    this.running = true;
    let failures = 0;
    try {
      for (;;) {
        const entry = this.queue.find(({ document }) => !this.blocked.has(document) && !this.stuck.has(document));
        if (!entry) {
          if (this.stuck.size === 0) break;
          this.#tell("stuck", [...this.stuck.values()][0]);
          await this.pause(STUCK_PAUSE);
          // Unless the pause was ended by a change of another document, it is their turn again.
          if (!this.queue.some(({ document }) => !this.blocked.has(document) && !this.stuck.has(document))) this.stuck.clear();
          continue;
        }
        if (failures === 0) this.#tell("saving");
        try {
          await this.#send(entry);
          failures = 0;
          this.failures.delete(entry.operation);
        } catch (error) {
          if (this.#isStuck(entry, error)) {
            failures = 0;
            continue;
          }
          const { status = 0, code } = /** @type {any} */ (error);
          this.#tell(code === "other_person" ? "otherPerson" : status === 401 ? "signedOut" : status === 0 ? "offline" : "busy", error);
          await this.pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures++));
        }
      }
    } finally {
      this.running = false;
    }
    this.#tell(this.queue.length ? "choice" : "saved");
  }

  /** Whether the server has failed on an entry so often that others go first. @param {Entry} entry @param {any} error */
  #isStuck(entry, error) {
    // No answer, and 503, are about the server as a whole.
    if (!(error.status >= 500 && error.status !== 503) && error.status !== 404) return false;
    const failures = (this.failures.get(entry.operation) ?? 0) + 1;
    this.failures.set(entry.operation, failures);
    if (failures < MOST_FAILURES) return false;
    this.stuck.set(entry.document, error);
    if (failures === MOST_FAILURES) this.listener.onStuck(entry, error);
    return true;
  }

  /** @param {Entry} entry @throws {import("./api.js").ApiError} when it is worth trying again */
  async #send(entry) {
    const known = this.known.get(entry.document) ?? entry;
    // What was sent once is sent the same again: it may have arrived, and the server knows it by its content, too.
    if (!entry.sent) [entry.version, entry.schema, entry.sent] = [known.version, known.schema, true];
    try {
      const saved = await this.api.save(wire(entry));
      this.known.set(entry.document, { version: saved.version, schema: saved.schema ?? known.schema });
      this.#forget(entry);
      this.listener.onSaved(entry, saved);
    } catch (error) {
      const { status, code, where, body } = /** @type {any} */ (error);
      if (status === 409 && body?.document) {
        void this.#rebase(body.document, body.schema ?? null, [body.renamed ?? {}, body.renamed_classes ?? {}]);
      } else if (status === 404 && code === "unknown_document") {
        const entries = this.queue.filter((other) => other.document === entry.document);
        for (const other of entries) this.#forget(other);
        this.listener.onGone(entry.document, entries);
      } else if (status >= 400 && status < 500 && ![401, 403, 404, 408, 429].includes(status) && code !== "other_person") {
        const { document, schema, maps } = await this.#today(entry);
        this.#forget(entry);
        // An id that the server knows with another content: another page has adopted this entry, too, and was faster.
        const saved = where === "operation";
        if (!saved) this.listener.onRefused(entry, error, this.#reopen(entry.document));
        void this.#rebase(document, schema, maps, saved ? [] : [entry]);
      } else throw error;
    }
  }

  /**
   * The document of an entry as the server has it, and where the labels that the entry was made under are today.
   * @param {Entry} entry
   * @returns {Promise<{document: any, schema: any, maps: [import("./rebase.js").LabelMap, import("./rebase.js").ClassMaps]}>}
   */
  async #today({ document: id, schema: known }) {
    for (;;) {
      const document = await this.api.document(id);
      if (document.schema === known) return { document, schema: null, maps: [{}, {}] };
      const schema = await this.api.schema(known);
      if (schema.version === document.schema) return { document, schema, maps: [schema.renamed ?? {}, schema.renamed_classes ?? {}] };
    }
  }

  /** @param {Entry} entry */
  #forget(entry) {
    this.queue = this.queue.filter((other) => other !== entry);
    this.storage.remove(entry.operation);
  }

  /** Takes a waiting "done" of a document back, since a part of it was refused. @param {string} document @returns {boolean} whether there was one */
  #reopen(document) {
    const entries = this.queue.filter((entry) => entry.document === document && entry.edit.status === "done");
    for (const entry of entries) {
      const { status, ...edit } = entry.edit;
      entry.edit = edit;
    }
    return entries.length > 0;
  }

  /**
   * Puts all waiting edits of a document onto its newer version; runs through at once unless a person has to choose.
   * @param {any} document as the server has it now
   * @param {any} schema the new schema, if that has changed
   * @param {[import("./rebase.js").LabelMap, import("./rebase.js").ClassMaps]} maps of labels and classes
   * @param {Entry[]} [dropped] entries that are given up already
   */
  async #rebase(document, schema, maps, dropped = []) {
    const current = stateOf(document);
    this.blocked.add(document.id);
    /** @type {Map<string, "mine" | "theirs">} */
    const chosen = new Map();
    /** @type {Set<Entry>} */
    const settled = new Set();
    let ahead = 0;
    let lost = 0;
    const waiting = this.queue.filter((entry) => entry.document === document.id);
    const lapsed = waiting.some((entry) => rebase(entry.edit, entry.before, current, ...maps).clashes.some(({ kind }) => kind === "label"));
    if (lapsed && this.#reopen(document.id)) this.listener.onReopened(document.id);
    for (;;) {
      const entry = this.queue.find((candidate) => candidate.document === document.id && !settled.has(candidate));
      if (!entry) break;
      settled.add(entry);
      let { edit, clashes } = rebase(entry.edit, entry.before, current, ...maps);
      const open = clashes.filter((clash) => !chosen.has(`${clash.kind} ${clash.id}`));
      if (open.length) {
        this.#tell("choice");
        const choices = await this.listener.onClash(document, open);
        open.forEach((clash, k) => chosen.set(`${clash.kind} ${clash.id}`, choices[k]));
      }
      edit = merge(edit, insist(clashes.filter((clash) => chosen.get(`${clash.kind} ${clash.id}`) === "mine")));
      let detached;
      ({ edit, detached } = detach(edit, current));
      lost += detached;
      if (isEmpty(edit)) {
        this.#forget(entry);
        dropped.push(entry);
        continue;
      }
      entry.edit = edit;
      entry.before = apply(current, edit);
      // As it will be sent, so that a copy sent after a crash is the same.
      entry.version = document.version + ahead++;
      entry.schema = document.schema;
      entry.sent = false;
      this.storage.put(entry);
    }
    this.known.set(document.id, { version: document.version, schema: document.schema });
    this.blocked.delete(document.id);
    this.listener.onRebased(document, current, dropped, schema, lost);
    void this.#run();
  }
}

/** An entry as the API wants it. @param {Entry} entry */
export function wire(entry) {
  const { operation, document, version, schema, edit, undoes } = entry;
  return { operation, document, version, schema, ...edit, put: edit.put ?? [], delete: edit.delete ?? [], ...(undoes ? { undoes } : {}) };
}
