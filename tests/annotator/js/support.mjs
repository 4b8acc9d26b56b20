/** What the tests share: the modules under test, a seeded random source, and a model of the server. */
import { apply, stateOf } from "../../../src/viner/annotator/static/model.js";

/** A small random source with a seed, so that a failure can be repeated. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (count) => Math.floor(next() * count), pick: (list) => list[Math.floor(next() * list.length)] };
}

/** Words of a text as the server would send them: runs of letters and digits, everything else alone. */
export function wordsOf(raw) {
  const points = Array.from(raw);
  const flat = [];
  let start = -1;
  points.forEach((point, k) => {
    const letter = /[\p{L}\p{N}\p{M}]/u.test(point);
    if (letter && start < 0) start = k;
    if (!letter && start >= 0) {
      flat.push(start, k);
      start = -1;
    }
    if (!letter && !/\s/u.test(point)) flat.push(k, k + 1);
  });
  if (start >= 0) flat.push(start, points.length);
  return flat;
}

export function entity(id, start, end, label = "A", state = "accepted") {
  return { id, start, end, label, state };
}

export function stored(fields = {}) {
  return { id: "d", version: 1, schema: 1, entities: [], labels: {}, status: "todo", flagged: false, comments: [], text: "", words: [], ...fields };
}

/** The promises of the store as far as the outbox relies on them: known ids with known content, versions, one answer for each operation. */
export class Server {
  constructor(...documents) {
    this.documents = new Map(documents.map((document) => [document.id, document]));
    this.answers = new Map();
    this.log = [];
    /** Labels that a later schema calls otherwise, or not at all. */
    this.renamed = {};
    /** Called before each save; may throw, or change a document as another tab would. */
    this.before = () => {};
    /** Called after a save was done and before its answer arrives. */
    this.after = () => {};
  }

  document = async (id) => {
    const found = this.documents.get(id);
    if (!found) throw failure(404, "unknown_document");
    return structuredClone(found);
  };

  schema = async () => ({ layers: [], version: [...this.documents.values()][0].schema, renamed: this.renamed });

  save = async (operation) => {
    await Promise.resolve();
    this.before(operation);
    const known = this.answers.get(operation.operation);
    if (known && known.body !== JSON.stringify(operation)) throw Object.assign(failure(422, "refused"), { where: "operation" });
    if (known) return { ...known.answer, replayed: true };
    const document = this.documents.get(operation.document);
    if (!document) throw failure(404, "unknown_document");
    if (operation.schema !== document.schema) throw failure(409, "stale_schema", { document: structuredClone(document), schema: { layers: [], version: document.schema }, renamed: this.renamed });
    if (operation.version !== document.version) throw failure(409, "stale_version", { document: structuredClone(document) });
    if (operation.put.some((put) => put.label === "REFUSED")) throw failure(422, "refused");
    this.change(document.id, operation);
    this.log.push(operation.operation);
    const answer = { version: document.version, schema: document.schema, status: document.status, replayed: false };
    this.answers.set(operation.operation, { answer, body: JSON.stringify(operation) });
    this.after(operation);
    return answer;
  };

  change(id, edit) {
    const document = this.documents.get(id);
    const state = stateOf(document);
    apply(state, edit);
    Object.assign(document, { ...state, entities: [...state.entities.values()], version: document.version + 1 });
  }

  entities(id = "d") {
    return this.documents.get(id).entities;
  }
}

export function failure(status, code, more = {}) {
  return Object.assign(new Error(code || "no connection"), { status, code, body: status ? { error: { code, message: code }, ...more } : null });
}

/** Storage that can be read after a crash. */
export class Memory {
  constructor() {
    this.entries = new Map();
  }
  put(...entries) {
    for (const entry of entries) this.entries.set(entry.operation, structuredClone(entry));
  }
  remove(operation) {
    this.entries.delete(operation);
  }
  async all() {
    return [...this.entries.values()];
  }
}
