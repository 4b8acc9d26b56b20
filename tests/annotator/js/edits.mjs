/** Random edits of a small document. */
import { entity } from "./support.mjs";

export function randomEdit({ below, pick, next }, state) {
  const ids = ["a", "b", "c", "d", "e"];
  const edit = {};
  if (next() < 0.8) edit.put = [entity(pick(ids), below(5), 5 + below(5), pick(["A", "B"]), pick(["accepted", "suggested", "rejected"]))];
  const id = pick(ids);
  if (next() < 0.3 && state.entities.has(id) && edit.put?.[0].id !== id) edit.delete = [id];
  if (next() < 0.2) edit.labels = { topic: pick([[], ["x"], ["x", "y"]]) };
  if (next() < 0.2) edit.status = pick(["started", "done", "skipped"]);
  if (next() < 0.2) edit.flagged = next() < 0.5;
  if (next() < 0.2) edit.comments = { put: [{ id: pick(["m", "n"]), text: pick(["one", "two"]) }] };
  return edit;
}
