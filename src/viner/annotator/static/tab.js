/** The identity of this browser tab: it outlives a reload, and no other open tab has it. */
import { newId } from "./model.js";

const KEY = "viner-tab";
/** Where there are no locks (plain http on a network), tabs ask each other; an open one answers within this time. */
const ANSWER_MS = 250;

/** @type {BroadcastChannel | null} */
let channel = null;

/**
 * @returns {Promise<string>} held until the tab is closed: by a lock, or by answering others that ask
 */
export async function claimTab() {
  const known = sessionStorage.getItem(KEY);
  // A duplicated tab starts with a copy of the id, which the first one still holds.
  const id = known && (await hold(known)) ? known : newId();
  if (id !== known) await hold(id, true);
  sessionStorage.setItem(KEY, id);
  return id;
}

/** Ids of all open tabs. @returns {Promise<Set<string>>} */
export async function openTabs() {
  if (!navigator.locks) return ask();
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map((lock) => (lock.name ?? "").replace(/^viner-tab-/, "")));
}

/** @param {string} id @param {boolean} [fresh] nobody else can have it @returns {Promise<boolean>} whether it is ours now */
async function hold(id, fresh = false) {
  if (navigator.locks) {
    return new Promise((resolve) => {
      void navigator.locks.request(`viner-tab-${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => {});
      });
    });
  }
  if (!fresh && (await ask()).has(id)) return false;
  const own = (channel ??= new BroadcastChannel("viner-tabs"));
  own.addEventListener("message", ({ data }) => data.question && own.postMessage({ answer: data.question, tab: id }));
  return true;
}

/** @returns {Promise<Set<string>>} the other tabs that are open */
function ask() {
  const tabs = new Set(/** @type {string[]} */ ([]));
  const own = (channel ??= new BroadcastChannel("viner-tabs"));
  const question = newId();
  return new Promise((resolve) => {
    const listen = (/** @type {MessageEvent} */ { data }) => data.answer === question && tabs.add(data.tab);
    own.addEventListener("message", listen);
    own.postMessage({ question });
    setTimeout(() => {
      own.removeEventListener("message", listen);
      resolve(tabs);
    }, ANSWER_MS);
  });
}
