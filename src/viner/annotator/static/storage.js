/** Where changes wait until the server has them: IndexedDB, which outlives a reload and a crash of the browser. */

const DATABASE = "viner";
const STORE = "outbox";

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Opens the storage. Where the browser refuses one (private windows, a full disk) changes are kept in memory and `lasting` is
 * false, so that the page can warn before it is closed.
 * @returns {Promise<Storage>}
 */
export async function openStorage() {
  try {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "operation" });
    return new Storage(await result(request));
  } catch {
    return new Storage(null);
  }
}

export class Storage {
  /** @param {IDBDatabase | null} database */
  constructor(database) {
    this.database = database;
    this.lasting = database !== null;
    /** Called when something could not be written down any more. */
    this.onFailure = () => {};
  }

  /** @param {"readonly" | "readwrite"} mode */
  #transaction(mode) {
    return this.database?.transaction(STORE, mode);
  }

  #failed() {
    this.lasting = false;
    this.onFailure();
  }

  /** Writes entries in one transaction, started before this returns. @param {...import("./outbox.js").Entry} entries */
  put(...entries) {
    try {
      const transaction = this.#transaction("readwrite");
      if (!transaction) return;
      // A full disk lets the requests succeed and aborts the transaction after them.
      transaction.onabort = () => this.#failed();
      const store = transaction.objectStore(STORE);
      for (const entry of entries) store.put(entry);
      // Else the commit waits for the page, and a page that goes away in this moment takes the entries with it.
      transaction.commit?.();
    } catch {
      this.#failed();
    }
  }

  /** @param {string} operation */
  remove(operation) {
    try {
      this.#transaction("readwrite")?.objectStore(STORE).delete(operation);
    } catch {
      // What stays is sent again some day, and the server knows it by its id.
    }
  }

  /** @returns {Promise<import("./outbox.js").Entry[]>} */
  async all() {
    try {
      const store = this.#transaction("readonly")?.objectStore(STORE);
      return store ? await result(store.getAll()) : [];
    } catch {
      this.#failed();
      return [];
    }
  }
}
