/**
 * The first module of the page: asks for the session and the document while the other modules are still on their way.
 *
 * @typedef {object} Started
 * @property {string} tab
 * @property {import("./storage.js").Storage} storage
 * @property {import("./outbox.js").Entry[]} left what earlier pages could not save; no open tab is about to
 * @property {Promise<any>} session
 * @property {Promise<any> | null} first the answer with the first document; null while something is left to save before
 */
import { api } from "./api.js";
import { openStorage } from "./storage.js";
import { claimTab, openTabs } from "./tab.js";

/** Where this tab keeps the id of the document that is open. */
export const CURRENT = "viner-document";

/** @returns {Promise<Started>} */
async function start() {
  const session = api.session();
  session.catch(() => {});
  const [tab, storage] = await Promise.all([claimTab(), openStorage()]);
  const entries = await storage.all();
  const open = entries.some((entry) => entry.tab !== tab) ? await openTabs() : new Set();
  const left = entries.filter((entry) => entry.tab === tab || !open.has(entry.tab));
  const first = left.length ? null : firstDocument(tab);
  first?.catch(() => {});
  return { tab, storage, left, session, first };
}

/**
 * The document that the address names, else the one that was open before a reload, else the next one.
 * @param {string} tab
 * @returns {Promise<{document: any, lease_seconds: number | null, progress?: any, held_by?: string}>}
 */
export async function firstDocument(tab) {
  const id = new URLSearchParams(location.search).get("document") ?? sessionStorage.getItem(CURRENT);
  if (id !== null) {
    try {
      return await api.open(id, tab);
    } catch (error) {
      if (/** @type {any} */ (error).status !== 404) throw error;
    }
  }
  return api.next({ tab, resume: true });
}

export const started = start();
