/** The identity of this browser tab: it outlives a reload, and no other open tab has it. */
import { newId } from "./model.js";

const KEY = "viner-tab";

/**
 * @returns {Promise<string>} held (by a lock, where the browser has locks) until the tab is closed
 */
export async function claimTab() {
  const known = sessionStorage.getItem(KEY);
  // A duplicated tab starts with a copy of the id, which the first one still holds.
  const id = known && (await hold(known)) ? known : newId();
  if (id !== known) await hold(id);
  sessionStorage.setItem(KEY, id);
  return id;
}

/** Ids of all open tabs; null where the browser cannot tell. @returns {Promise<Set<string> | null>} */
export async function openTabs() {
  if (!navigator.locks) return null;
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map((lock) => (lock.name ?? "").replace(/^viner-tab-/, "")));
}

/** @param {string} id @returns {Promise<boolean>} whether the lock is ours now */
function hold(id) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(`viner-tab-${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
  });
}
