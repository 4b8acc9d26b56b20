/**
 * What becomes of an edit when the document has changed under it.
 *
 * An edit whose entities nobody else touched is applied to the newer document as it is, so both edits are kept. Where both
 * touched the same entity, or labeled the same span, and do not agree, a person decides: that is a conflict, and nothing is
 * applied until then.
 *
 * @typedef {import("./model.js").Edit} Edit
 * @typedef {import("./model.js").Before} Before
 * @typedef {import("./model.js").Entity} Entity
 * @typedef {import("./model.js").DocumentState} DocumentState
 *
 * @typedef {object} Clash one thing that both sides changed
 * @property {"entity" | "labels" | "status" | "comment" | "label"} kind "label": the schema has lost the label of the edit
 * @property {string} id of the entity or comment, or name of the layer
 * @property {any} mine
 * @property {any} theirs an entity of another id where each side has labeled the same span
 *
 * @typedef {Record<string, string | null>} LabelMap old label → today's label, null = there is none
 * @typedef {Record<string, LabelMap>} ClassMaps layer of document labels → the same for its classes
 */
import { decided, sameEntity } from "./model.js";

/**
 * @param {Edit} edit made on a document as `before` describes it
 * @param {Before} before
 * @param {DocumentState} current
 * @param {LabelMap} [labelMap] of the schema changes since; a label that is missing here is still called the same
 * @param {ClassMaps} [classMaps] of the same changes
 * @returns {{edit: Edit, clashes: Clash[]}} `edit` holds what can be applied to `current` at once
 */
export function rebase(edit, before, current, labelMap = {}, classMaps = {}) {
  /** @type {Clash[]} */
  const clashes = [];
  /** @type {Edit} */
  const result = {};
  const today = (/** @type {string} */ label) => (label in labelMap ? labelMap[label] : label);
  const translated = (/** @type {Entity | null | undefined} */ entity) =>
    entity && { ...entity, label: today(entity.label) ?? entity.label };

  const put = [];
  const gone = [];
  for (const wanted of edit.put ?? []) {
    const theirs = current.entities.get(wanted.id) ?? null;
    if (today(wanted.label) === null) {
      // Nobody can reject a label that there is not.
      if (wanted.state !== "rejected") clashes.push({ kind: "label", id: wanted.id, mine: wanted, theirs });
      continue;
    }
    const mine = /** @type {Entity} */ (translated(wanted));
    if (sameEntity(mine, theirs)) continue;
    const was = translated(before.entities[wanted.id]);
    // A suggestion is nobody's word: where a model withdrew it or moved it, the person's decision stands.
    const machine = was?.state === "suggested" && (theirs === null || theirs.state === "suggested");
    if (machine || sameEntity(was, theirs)) {
      const other = theirs === null ? rival(mine, current) : null;
      if (other && !edit.delete?.includes(other.id)) clashes.push({ kind: "entity", id: wanted.id, mine, theirs: other });
      else if (!twin(mine, current)) {
        put.push(mine);
        if (theirs === null) gone.push(...renewed(mine, current).filter((id) => !before.entities[id]));
      }
    } else clashes.push({ kind: "entity", id: wanted.id, mine, theirs });
  }
  if (put.length) result.put = put;

  for (const id of edit.delete ?? []) {
    const theirs = current.entities.get(id) ?? null;
    if (theirs === null) continue;
    if (sameEntity(translated(before.entities[id]), theirs)) gone.push(id);
    else clashes.push({ kind: "entity", id, mine: null, theirs });
  }
  if (gone.length) result.delete = gone;

  for (const [layer, classes] of Object.entries(edit.labels ?? {})) {
    const theirs = current.labels[layer] ?? [];
    const mine = followClasses(classes, classMaps[layer]);
    if (sameSet(mine, theirs)) continue;
    if (sameSet(followClasses(before.labels?.[layer] ?? [], classMaps[layer]), theirs)) result.labels = { ...result.labels, [layer]: mine };
    else clashes.push({ kind: "labels", id: layer, mine, theirs });
  }

  if (edit.status !== undefined && edit.status !== current.status) {
    // "started" is what any edit makes of a document, so it is nobody's decision.
    const undecided = current.status === "todo" || current.status === "started";
    const changed = new Map([...current.entities, ...gone.map((id) => [id, null]), ...put.map((entity) => [entity.id, entity])]);
    const undone = edit.status === "todo" && decided(changed.values(), { ...current.labels, ...result.labels });
    if (undone && undecided) {
      if (current.status === "todo") result.status = "started";
    } else if (undecided || before.status === current.status) result.status = edit.status;
    else clashes.push({ kind: "status", id: "status", mine: edit.status, theirs: current.status });
  }
  if (edit.flagged !== undefined && edit.flagged !== current.flagged) result.flagged = edit.flagged;

  if (edit.comments) {
    const comments = { put: /** @type {any[]} */ ([]), delete: /** @type {string[]} */ ([]) };
    for (const comment of edit.comments.put ?? []) {
      const theirs = current.comments.find((other) => other.id === comment.id);
      const was = before.comments?.[comment.id];
      if (theirs?.text === comment.text) continue;
      if ((theirs?.text ?? null) === (was?.text ?? null)) comments.put.push(comment);
      else clashes.push({ kind: "comment", id: comment.id, mine: comment, theirs: theirs ?? null });
    }
    for (const id of edit.comments.delete ?? []) if (current.comments.some((comment) => comment.id === id)) comments.delete.push(id);
    if (comments.put.length || comments.delete.length) result.comments = comments;
  }
  return { edit: result, clashes };
}

/**
 * Lets remarks about entities that are gone be about the document: a remark is never lost with what it was about.
 * @param {Edit} edit as it will be applied
 * @param {DocumentState} current
 * @returns {{edit: Edit, detached: number}} how many remarks that were
 */
export function detach(edit, current) {
  let detached = 0;
  const there = (/** @type {string} */ id) => (edit.put?.some((entity) => entity.id === id) || current.entities.has(id)) && !edit.delete?.includes(id);
  const put = edit.comments?.put?.map((comment) => {
    if (!comment.entity || there(comment.entity)) return comment;
    detached++;
    return { ...comment, entity: null };
  });
  return detached ? { edit: { ...edit, comments: { ...edit.comments, put } }, detached } : { edit, detached };
}

/**
 * What a person's choice of "mine" adds to the edit; "theirs" adds nothing.
 * @param {Clash[]} clashes
 * @returns {Edit}
 */
export function insist(clashes) {
  /** @type {Edit} */
  const edit = {};
  for (const { kind, id, mine, theirs } of clashes) {
    if (kind === "entity" && mine) {
      (edit.put ??= []).push(mine);
      if (theirs && theirs.id !== id) (edit.delete ??= []).push(theirs.id);
    } else if (kind === "entity") (edit.delete ??= []).push(id);
    else if (kind === "labels") edit.labels = { ...edit.labels, [id]: mine };
    else if (kind === "status") edit.status = mine;
    else if (kind === "comment") ((edit.comments ??= {}).put ??= []).push(mine);
  }
  return edit;
}

/**
 * Two edits as one; the second one wins where both name the same thing.
 * @param {Edit} one
 * @param {Edit} other
 * @returns {Edit}
 */
export function merge(one, other) {
  const touched = new Set([...(other.delete ?? []), ...(other.put ?? []).map((entity) => entity.id)]);
  const put = [...(one.put ?? []).filter((entity) => !touched.has(entity.id)), ...(other.put ?? [])];
  const gone = [...(one.delete ?? []).filter((id) => !touched.has(id)), ...(other.delete ?? [])];
  /** @type {Edit} */
  const edit = { ...one, ...other };
  delete edit.put;
  delete edit.delete;
  if (put.length) edit.put = put;
  if (gone.length) edit.delete = gone;
  if (one.labels || other.labels) edit.labels = { ...one.labels, ...other.labels };
  if (one.comments || other.comments) {
    edit.comments = {
      put: [...(one.comments?.put ?? []), ...(other.comments?.put ?? [])],
      delete: [...(one.comments?.delete ?? []), ...(other.comments?.delete ?? [])],
    };
  }
  return edit;
}

/**
 * Whether another accepted entity already says what this one says: both sides added the same.
 * @param {Entity} mine
 * @param {DocumentState} current
 */
function twin(mine, current) {
  if (mine.state !== "accepted") return false;
  for (const other of current.entities.values()) if (other.id !== mine.id && sameEntity(mine, other)) return true;
  return false;
}

/**
 * Ids of suggestions that say what a person has decided on under another id: a model has withdrawn it, and suggested it anew.
 * @param {Entity} mine
 * @param {DocumentState} current
 */
function renewed(mine, current) {
  if (mine.state === "suggested") return [];
  const same = [...current.entities.values()].filter((other) => other.id !== mine.id && sameEntity({ ...mine, state: "suggested" }, other));
  return same.map(({ id }) => id);
}

/**
 * The accepted entity that says otherwise of the span of a new one: each side has labeled it without seeing the other.
 * @param {Entity} mine
 * @param {DocumentState} current
 * @returns {Entity | null}
 */
function rival(mine, current) {
  if (mine.state !== "accepted") return null;
  const alike = [...current.entities.values()].filter((other) => other.state === "accepted" && other.start === mine.start && other.end === mine.end);
  return alike.some((other) => other.label === mine.label) ? null : (alike[0] ?? null);
}

/**
 * Classes as they are called today, without those that were deleted: they are deleted from every document.
 * @param {string[]} classes
 * @param {LabelMap} [map]
 */
function followClasses(classes, map = {}) {
  const found = classes.map((name) => (name in map ? map[name] : name)).filter((name) => name !== null);
  return [...new Set(/** @type {string[]} */ (found))];
}

/** @param {string[]} one @param {string[]} other */
function sameSet(one, other) {
  return one.length === other.length && one.every((name) => other.includes(name));
}
