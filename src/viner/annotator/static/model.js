/**
 * The document on the page, and what an edit does to it. Spans count in code points.
 *
 * @typedef {"accepted" | "suggested" | "rejected"} State
 * @typedef {{id: string, start: number, end: number, label: string, state: State, score?: number | null, source?: string | null}} Entity
 * @typedef {{id: string, entity?: string | null, who?: string, at?: string | number, text: string}} Comment
 * @typedef {"todo" | "started" | "done" | "skipped"} Status
 *
 * @typedef {object} Edit what one action changes; the fields that are missing stay as they are
 * @property {Entity[]} [put] entities as they shall be
 * @property {string[]} [delete] ids of entities
 * @property {Record<string, string[]>} [labels] classes of the document, by layer
 * @property {Status} [status]
 * @property {boolean} [flagged]
 * @property {{put?: Comment[], delete?: string[]}} [comments]
 *
 * @typedef {object} Before what an edit found: enough to take it back, and to see what somebody else changed meanwhile
 * @property {Record<string, Entity | null>} entities null = there was none
 * @property {Record<string, string[]>} [labels]
 * @property {Status} [status]
 * @property {boolean} [flagged]
 * @property {Record<string, Comment | null>} [comments]
 *
 * @typedef {object} DocumentState
 * @property {string} id
 * @property {number} version
 * @property {number} schema
 * @property {Map<string, Entity>} entities
 * @property {Record<string, string[]>} labels
 * @property {Status} status
 * @property {boolean} flagged
 * @property {Comment[]} comments
 */

/** So many entities the server takes in one save. */
export const MOST_AT_ONCE = 10_000;

/**
 * @param {any} stored a StoredDocument of the API
 * @returns {DocumentState}
 */
export function stateOf(stored) {
  return {
    id: stored.id,
    version: stored.version,
    schema: stored.schema,
    entities: new Map(stored.entities.map((/** @type {Entity} */ entity) => [entity.id, entity])),
    labels: { ...stored.labels },
    status: stored.status,
    flagged: Boolean(stored.flagged),
    comments: [...(stored.comments ?? [])],
  };
}

/**
 * What an edit will find in a state.
 * @param {DocumentState} state
 * @param {Edit} edit
 * @returns {Before}
 */
export function beforeOf(state, edit) {
  /** @type {Before} */
  const before = { entities: {} };
  for (const id of edit.delete ?? []) before.entities[id] = state.entities.get(id) ?? null;
  for (const { id } of edit.put ?? []) before.entities[id] = state.entities.get(id) ?? null;
  if (edit.labels) {
    before.labels = {};
    for (const layer of Object.keys(edit.labels)) before.labels[layer] = state.labels[layer] ?? [];
  }
  if (edit.status !== undefined) before.status = state.status;
  if (edit.flagged !== undefined) before.flagged = state.flagged;
  if (edit.comments) {
    before.comments = {};
    const ids = [...(edit.comments.delete ?? []), ...(edit.comments.put ?? []).map((comment) => comment.id)];
    for (const id of ids) before.comments[id] = state.comments.find((comment) => comment.id === id) ?? null;
  }
  return before;
}

/**
 * Applies an edit. A first decision moves a document from "todo" to "started", as on the server.
 * @param {DocumentState} state changed in place
 * @param {Edit} edit
 * @returns {Before}
 */
export function apply(state, edit) {
  const before = beforeOf(state, edit);
  for (const id of edit.delete ?? []) state.entities.delete(id);
  for (const entity of edit.put ?? []) state.entities.set(entity.id, entity);
  if (edit.labels) state.labels = { ...state.labels, ...edit.labels };
  if (edit.flagged !== undefined) state.flagged = edit.flagged;
  if (edit.status !== undefined) state.status = edit.status;
  else if (state.status === "todo" && (edit.put?.length || edit.delete?.length || edit.labels)) {
    before.status = "todo";
    state.status = "started";
  }
  if (edit.comments) {
    const gone = new Set([...(edit.comments.delete ?? []), ...(edit.comments.put ?? []).map((comment) => comment.id)]);
    const put = (edit.comments.put ?? []).map((comment) => ({ ...before.comments?.[comment.id], ...comment }));
    state.comments = [...state.comments.filter((comment) => !gone.has(comment.id)), ...put];
  }
  return before;
}

/**
 * The edit that brings back what was there before.
 * @param {Before} before
 * @returns {Edit}
 */
export function inverse(before) {
  /** @type {Edit} */
  const edit = {};
  const put = Object.values(before.entities).filter((entity) => entity !== null);
  const gone = Object.keys(before.entities).filter((id) => before.entities[id] === null);
  if (put.length) edit.put = /** @type {Entity[]} */ (put);
  if (gone.length) edit.delete = gone;
  if (before.labels && Object.keys(before.labels).length) {
    edit.labels = Object.fromEntries(Object.entries(before.labels).map(([layer, classes]) => [layer, classes ?? []]));
  }
  if (before.status !== undefined) edit.status = before.status;
  if (before.flagged !== undefined) edit.flagged = before.flagged;
  if (before.comments && Object.keys(before.comments).length) {
    const comments = Object.entries(before.comments);
    edit.comments = {
      put: comments.flatMap(([, comment]) => (comment ? [comment] : [])),
      delete: comments.flatMap(([id, comment]) => (comment ? [] : [id])),
    };
  }
  return edit;
}

/**
 * What stands now where an edit has found `before`.
 * @param {DocumentState} state
 * @param {Before} before
 * @returns {Before}
 */
export function afterOf(state, before) {
  /** @type {Before} */
  const after = { entities: Object.fromEntries(Object.keys(before.entities).map((id) => [id, state.entities.get(id) ?? null])) };
  if (before.labels) after.labels = Object.fromEntries(Object.keys(before.labels).map((layer) => [layer, state.labels[layer] ?? []]));
  if (before.status !== undefined) after.status = state.status;
  if (before.flagged !== undefined) after.flagged = state.flagged;
  if (before.comments) {
    const found = (/** @type {string} */ id) => state.comments.find((comment) => comment.id === id) ?? null;
    after.comments = Object.fromEntries(Object.keys(before.comments).map((id) => [id, found(id)]));
  }
  return after;
}

/**
 * Whether somebody has decided anything about a document: as long as that is so, it is not "todo".
 * @param {Iterable<Entity | null | undefined>} entities
 * @param {Record<string, string[] | null>} labels
 */
export function decided(entities, labels) {
  for (const entity of entities) if (entity && entity.state !== "suggested") return true;
  return Object.values(labels).some((classes) => classes?.length);
}

/** Whether an edit changes nothing. @param {Edit} edit */
export function isEmpty(edit) {
  return (
    !edit.put?.length && !edit.delete?.length && !edit.labels && edit.status === undefined && edit.flagged === undefined &&
    !edit.comments?.put?.length && !edit.comments?.delete?.length
  );
}

/**
 * Whether two entities say the same; who suggested it, and how surely, is no part of that.
 * @param {Entity | null | undefined} one
 * @param {Entity | null | undefined} other
 */
export function sameEntity(one, other) {
  if (!one || !other) return !one && !other;
  return one.start === other.start && one.end === other.end && one.label === other.label && one.state === other.state;
}

/** Order of reading: by start, the longer one first. @param {Entity} one @param {Entity} other */
export function inOrder(one, other) {
  return one.start - other.start || other.end - one.end || (one.id < other.id ? -1 : 1);
}

/** A random id of 128 bits; works on plain http, too, where `crypto.randomUUID` is missing. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
