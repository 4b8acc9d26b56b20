/**
 * Changes on this computer that are not for the person and project of this page. They are neither sent in somebody else's name nor
 * thrown away: they wait for their person and their project, and can be saved as a file.
 *
 * @typedef {import("./outbox.js").Entry} Entry
 * @typedef {{who: string, project: string, projectName: string, entries: Entry[]}} Parked
 */

/**
 * @param {Entry[]} entries
 * @param {{who: string, project_id: string}} session
 * @returns {{mine: Entry[], parked: Parked[]}} `parked`: one for each person and project
 */
export function sort(entries, session) {
  const mine = [];
  /** @type {Map<string, Parked>} */
  const groups = new Map();
  for (const entry of entries) {
    const { who, project, projectName = "" } = entry;
    if (who === session.who && project === session.project_id) {
      mine.push(entry);
      continue;
    }
    const key = JSON.stringify([who, project]);
    const group = groups.get(key) ?? { who, project, projectName, entries: [] };
    groups.set(key, group);
    group.entries.push(entry);
  }
  return { mine, parked: [...groups.values()] };
}

/** Saves changes as a file. @param {Entry[]} entries */
export function download(entries) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(entries, null, 1)], { type: "application/json" }));
  link.download = "viner-changes.json";
  link.click();
  URL.revokeObjectURL(link.href);
}
