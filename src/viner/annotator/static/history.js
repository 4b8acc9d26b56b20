/**
 * Undo and redo without limit. The steps are the server's events of this person in this document, so they outlive a reload;
 * steps of this page are added as they happen.
 *
 * @typedef {object} Step
 * @property {string} operation
 * @property {string | null} [undoes] the operation that this one took back
 * @property {import("./model.js").Before} before
 * @property {import("./model.js").Before} after
 * @property {number} [number] of the event
 * @property {string} [kind] "label-all" changed many documents at once
 * @property {string | null} [together] the same for steps that a person made as one, and takes back as one
 * @property {boolean} [here] done by this page in this moment, not read from the server
 */
import { decided, sameEntity } from "./model.js";

export class History {
  constructor() {
    /** Oldest first. @type {Step[]} */
    this.steps = [];
    /** Whether the server may know older ones. */
    this.older = true;
    /** Operations that nobody can take back as the labels are today. @type {Set<string>} */
    this.barred = new Set();
  }

  /** @param {Step} step */
  add(step) {
    if (!this.steps.some((known) => known.operation === step.operation)) this.steps.push(step);
  }

  /**
   * Puts older steps before the known ones.
   * @param {Step[]} steps oldest first
   * @param {boolean} more whether there are still older ones
   */
  addOlder(steps, more) {
    const known = new Set(this.steps.map((step) => step.operation));
    this.steps = [...steps.filter((step) => !known.has(step.operation)), ...this.steps];
    this.older = more;
  }

  /** Forgets a step that the server refused, or that a person gave up in a conflict. @param {string} operation */
  drop(operation) {
    this.steps = this.steps.filter((step) => step.operation !== operation);
  }

  /**
   * Follows labels and classes that were renamed or merged, so that steps from before can still be taken back.
   * @param {import("./rebase.js").LabelMap} [renamed] old label → today's label; null = none follows, and the step stays as it was
   * @param {import("./rebase.js").ClassMaps} [classes] by layer: old class → today's class, the same way
   * @param {Step[]} [steps] those that are meant: others came when the names of today were known
   */
  rename(renamed = {}, classes = {}, steps = this.steps) {
    this.barred.clear();
    const meant = new Set(steps.map((step) => step.operation));
    /** @param {import("./model.js").Before} side */
    const follow = (side) => ({
      ...side,
      entities: Object.fromEntries(Object.entries(side.entities ?? {}).map(([id, entity]) => [id, entity && { ...entity, label: renamed[entity.label] ?? entity.label }])),
      ...(side.labels ? { labels: Object.fromEntries(Object.entries(side.labels).map(([layer, names]) => [layer, names && [...new Set(names.map((name) => classes[layer]?.[name] ?? name))]])) } : {}),
    });
    this.steps = this.steps.map((step) => (meant.has(step.operation) ? { ...step, before: follow(step.before), after: follow(step.after) } : step));
  }

  /** A step, and what it took back, and what that took back; oldest first. @param {Step} step @returns {Step[]} */
  chain(step) {
    const undone = this.steps.find((other) => other.operation === step.undoes);
    return undone ? [...this.chain(undone), step] : [step];
  }

  /** Whether a step is about many documents, so that only the server can take it back. @param {Step} step */
  isEverywhere(step) {
    return this.chain(step)[0].kind === "label-all";
  }

  /**
   * What can be undone and redone now; the last element is the next one. An undo moves a step to the other side, and a new step
   * empties that side. `complete` is false while a step refers to one that is older than all known.
   * @returns {{undo: Step[], redo: Step[], complete: boolean}}
   */
  stacks() {
    /** @type {Step[]} */
    let undo = [];
    /** @type {Step[]} */
    let redo = [];
    let complete = true;
    for (const step of this.steps) {
      if (!step.undoes) {
        undo.push(step);
        redo = [];
      } else if (redo.some((other) => other.operation === step.undoes)) {
        redo = redo.filter((other) => other.operation !== step.undoes);
        undo.push(step);
      } else {
        const known = undo.some((other) => other.operation === step.undoes);
        complete &&= known;
        // It took back something that is no step of this document, such as a change of the schema.
        if (!known && !this.older) continue;
        undo = undo.filter((other) => other.operation !== step.undoes);
        redo.push(step);
      }
    }
    const free = (/** @type {Step} */ step) => !this.barred.has(step.operation);
    return { undo: undo.filter(free), redo: redo.filter(free), complete: complete || !this.older };
  }
}

/**
 * The last step of a stack, then those before it that were made together with it.
 * @param {Step[]} stack
 * @returns {Step[]}
 */
export function lastTogether(stack) {
  const last = stack.at(-1);
  if (!last?.together) return stack.slice(-1);
  const apart = stack.findLastIndex((step) => step.together !== last.together);
  return stack.slice(apart + 1).reverse();
}

/**
 * The part of a step that can be taken back: what is still as the step left it. What somebody changed later stays.
 * @param {Step} step
 * @param {import("./model.js").DocumentState} state
 * @returns {{before: import("./model.js").Before, kept: string[]}} `kept` = what was changed later
 */
export function reversible(step, state) {
  /** @type {import("./model.js").Before} */
  const before = { entities: {} };
  const kept = [];
  for (const [id, was] of Object.entries(step.before.entities ?? {})) {
    if (sameEntity(step.after.entities?.[id], state.entities.get(id))) before.entities[id] = was;
    else kept.push(id);
  }
  const { after } = step;
  for (const [layer, classes] of Object.entries(step.before.labels ?? {})) {
    const now = state.labels[layer] ?? [];
    const left = after.labels?.[layer] ?? [];
    if (now.length === left.length && now.every((name) => left.includes(name))) before.labels = { ...before.labels, [layer]: classes };
    else kept.push(layer);
  }
  if (step.before.status !== undefined && state.status === after.status) {
    const remains = decided(new Map([...state.entities, ...Object.entries(before.entities)]).values(), { ...state.labels, ...before.labels });
    before.status = step.before.status === "todo" && remains ? "started" : step.before.status;
    if (before.status === state.status) delete before.status;
  }
  if (step.before.flagged !== undefined && state.flagged === after.flagged) before.flagged = step.before.flagged;
  for (const [id, was] of Object.entries(step.before.comments ?? {})) {
    if (state.comments.find((comment) => comment.id === id)?.text === after.comments?.[id]?.text) before.comments = { ...before.comments, [id]: was };
    else kept.push(id);
  }
  return { before, kept };
}
