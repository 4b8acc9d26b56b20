/** Which entities stand on which words, and in which lane; rejected ones stand nowhere. */
import { lanesOf } from "./lanes.js";
import { inOrder } from "./model.js";

/** @typedef {import("./model.js").Entity} Entity */

/** So many entities that come, go or move are entered one by one; more are worth a look at all. */
const FEW = 30;

export class Spans {
  /** @param {import("./words.js").Words} words @param {Iterable<Entity>} entities */
  constructor(words, entities) {
    this.words = words;
    /** @type {Map<number, Entity[]>} */
    this.byWord = new Map();
    /** @type {Map<string, number>} */
    this.lanes = new Map();
    this.#build(entities);
  }

  /** @param {Iterable<Entity>} entities */
  #build(entities) {
    const shown = [...entities].filter(isShown).sort(inOrder);
    for (const entity of shown) this.#enter(entity);
    /** @type {Entity[]} */
    let cluster = [];
    let end = -1;
    for (const entity of shown) {
      if (entity.start >= end) {
        this.#assign(cluster);
        cluster = [];
      }
      cluster.push(entity);
      end = Math.max(end, entity.end);
    }
    this.#assign(cluster);
  }

  /** Entities on word k. @param {number} k @returns {Entity[]} */
  on(k) {
    return this.byWord.get(k) ?? [];
  }

  /** Entities that run on from word k − 1 to word k, over the gap between them. @param {number} k */
  over(k) {
    const { starts, ends, count } = this.words;
    return k <= 0 || k >= count ? [] : this.on(k).filter((entity) => entity.start < ends[k - 1] && entity.end > starts[k]);
  }

  /**
   * Replaces entities by others.
   * @param {[Entity | null | undefined, Entity | null | undefined][]} pairs old and new
   * @param {Iterable<Entity>} entities all that there are now
   * @returns {[number, number][]} ranges of words that look different now, in order and apart
   */
  replaceAll(pairs, entities) {
    const moved = pairs.filter(([old, entity]) => (isShown(old) || isShown(entity)) && !samePlace(old, entity));
    if (moved.length <= FEW) return united(pairs.flatMap(([old, entity]) => this.replace(old, entity)));
    const { lanes } = this;
    this.byWord = new Map();
    this.lanes = new Map();
    const all = [...entities];
    this.#build(all);
    const changed = pairs.flat().filter(isShown);
    for (const entity of all) if (isShown(entity) && lanes.get(entity.id) !== this.lanes.get(entity.id)) changed.push(entity);
    return united(changed.map((entity) => this.words.of(entity.start, entity.end)));
  }

  /**
   * Replaces one entity by another.
   * @param {Entity | null | undefined} old
   * @param {Entity | null | undefined} entity
   * @returns {[number, number][]} ranges of words that look different now
   */
  replace(old, entity) {
    /** @type {[number, number][]} */
    const ranges = [];
    if (isShown(old) && isShown(entity) && samePlace(old, entity)) {
      const [first, last] = this.words.of(old.start, old.end);
      for (let k = first; k <= last; k++) this.byWord.set(k, this.on(k).map((other) => (other.id === old.id ? entity : other)));
      return [[first, last]];
    }
    if (isShown(old)) {
      const [first, last] = this.words.of(old.start, old.end);
      for (let k = first; k <= last; k++) {
        const rest = this.on(k).filter((other) => other.id !== old.id);
        if (rest.length) this.byWord.set(k, rest);
        else this.byWord.delete(k);
      }
      this.lanes.delete(old.id);
      ranges.push([first, last], this.#settle(first, last));
    }
    if (isShown(entity)) {
      this.#enter(entity);
      const [first, last] = this.words.of(entity.start, entity.end);
      ranges.push(this.#settle(first, last));
    }
    return ranges;
  }

  /** @param {Entity} entity */
  #enter(entity) {
    const [first, last] = this.words.of(entity.start, entity.end);
    for (let k = first; k <= last; k++) {
      const list = this.byWord.get(k);
      if (list) list.push(entity);
      else this.byWord.set(k, [entity]);
    }
  }

  /** @param {Entity[]} cluster */
  #assign(cluster) {
    for (const [id, lane] of lanesOf(cluster)) this.lanes.set(id, lane);
  }

  /**
   * Gives lanes anew to all entities that hang together with those of a range of words.
   * @param {number} first
   * @param {number} last
   * @returns {[number, number]} words that these cover
   */
  #settle(first, last) {
    /** @type {Map<string, Entity>} */
    const cluster = new Map();
    let [from, to] = [first, last];
    let [low, high] = [first, first - 1];
    while (low > from || high < to) {
      const [oldLow, oldHigh] = [low, high];
      low = from;
      high = to;
      for (let k = low; k <= high; k++) {
        if (k >= oldLow && k <= oldHigh) continue;
        for (const entity of this.on(k)) {
          cluster.set(entity.id, entity);
          const [start, end] = this.words.of(entity.start, entity.end);
          from = Math.min(from, start);
          to = Math.max(to, end);
        }
      }
    }
    this.#assign([...cluster.values()]);
    return [from, to];
  }
}

/** @param {Entity | null | undefined} entity @returns {entity is Entity} */
function isShown(entity) {
  return Boolean(entity) && entity?.state !== "rejected";
}

/** @param {Entity | null | undefined} one @param {Entity | null | undefined} other */
function samePlace(one, other) {
  return isShown(one) && isShown(other) && one.id === other.id && one.start === other.start && one.end === other.end;
}

/** Ranges in order, those that touch as one. @param {[number, number][]} ranges @returns {[number, number][]} */
function united(ranges) {
  /** @type {[number, number][]} */
  const result = [];
  for (const [first, last] of ranges.toSorted((one, other) => one[0] - other[0])) {
    const before = result.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result;
}
