/**
 * Keeps the document on the page leased while somebody is at work on it, whatever the clock of this computer says: the server
 * tells how many seconds are left.
 */

const SHORTEST = 15_000;
/** Seconds after which it is tried anew where there was no answer, twice. */
const UNANSWERED = 60;

export class Lease {
  /**
   * @param {object} parts
   * @param {(id: string) => Promise<{lease_seconds: number}>} parts.renew
   * @param {(who: string) => void} [parts.lost] told once when somebody else has it
   * @param {() => number} [parts.now] milliseconds from anywhere; never set back
   * @param {(work: () => void, milliseconds: number) => number} [parts.later]
   */
  constructor({ renew, lost, now, later }) {
    this.renew = renew;
    this.lost = lost ?? (() => {});
    this.told = false;
    this.now = now ?? (() => performance.now());
    this.later = later ?? ((work, milliseconds) => window.setTimeout(work, milliseconds));
    this.timer = 0;
    /** @type {string | null} */
    this.id = null;
    this.due = Infinity;
    /** Whether a hand moved since the last renewal. */
    this.active = false;
  }

  /**
   * A document is leased for some seconds from now on. When half of them are over it is renewed, if somebody was at work since; else
   * as soon as they are, and until then others may have it.
   * @param {string} id @param {number} seconds
   */
  keep(id, seconds) {
    const told = this.id === id && this.told;
    this.drop();
    [this.id, this.told] = [id, told];
    const wait = Math.max(SHORTEST, seconds * 500);
    this.due = this.now() + wait;
    this.timer = this.later(() => void this.check(), wait);
  }

  /** The document is no longer on the page. */
  drop() {
    clearTimeout(this.timer);
    this.id = null;
    this.told = this.active = false;
    this.due = Infinity;
  }

  /** Somebody is at work. */
  touched() {
    this.active = true;
    void this.check();
  }

  /** Renews it if it is time: timers stand still while a computer sleeps. */
  async check() {
    const { id } = this;
    // A timer may be a moment early.
    if (id === null || !this.active || this.now() < this.due - 50) return;
    this.due = Infinity;
    /** @type {any} */
    let error = null;
    const lease = await this.renew(id).catch((problem) => ((error = problem), null));
    if (this.id !== id) return;
    if (error?.code === "leased" && !this.told) this.lost(error.body?.held_by ?? "");
    this.told = error?.code === "leased" || (this.told && error !== null);
    this.keep(id, lease?.lease_seconds ?? UNANSWERED);
    this.active = error !== null; // what was not renewed is tried again
  }
}
