import assert from "node:assert/strict";
import test from "node:test";
import { History } from "../../../src/viner/annotator/static/history.js";
import { Lease } from "../../../src/viner/annotator/static/lease.js";
import { sort } from "../../../src/viner/annotator/static/parked.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a lease is renewed when half of it is over, whatever the wall clock says", async (context) => {
  context.mock.method(Date, "now", () => 0);
  let now = 5_000;
  let timer = null;
  const renewed = [];
  const lease = new Lease({ now: () => now, later: (work, wait) => ((timer = { work, wait }), 0), renew: async (id) => (renewed.push(id), { lease_seconds: 1800 }) });
  lease.keep("d", 1800);
  assert.equal(timer.wait, 900_000);
  await lease.check();
  lease.touched();
  assert.deepEqual(renewed, [], "it is not time yet");
  now += 900_000;
  timer.work();
  await settled();
  assert.deepEqual([renewed, timer.wait], [["d"], 900_000]);
  now += 7_200_000;
  lease.touched();
  await settled();
  assert.equal(renewed.length, 2, "a computer that slept renews as soon as somebody is there");
  lease.drop();
  now += 7_200_000;
  lease.touched();
  await settled();
  assert.equal(renewed.length, 2);
});

test("where nobody is at work a lease runs out, and is renewed when they are back", async () => {
  let now = 0;
  let timer = null;
  const renewed = [];
  const lease = new Lease({ now: () => now, later: (work, wait) => ((timer = { work, wait }), 0), renew: async (id) => (renewed.push(id), { lease_seconds: 1800 }) });
  lease.keep("d", 1800);
  lease.touched();
  for (let half = 0; half < 4; half++) {
    now += timer.wait;
    timer.work();
    await settled();
  }
  assert.deepEqual(renewed, ["d"], "once for what was done in the first half, then no more");
  lease.touched();
  await settled();
  assert.deepEqual(renewed, ["d", "d"]);
  lease.touched();
  await settled();
  assert.equal(renewed.length, 2, "the next renewal waits until half of it is over");
});

test("a lease that could not be renewed is tried again soon", async () => {
  let now = 0;
  let timer = null;
  const lease = new Lease({ now: () => now, later: (work, wait) => ((timer = { work, wait }), 0), renew: () => Promise.reject(new Error("offline")) });
  lease.keep("d", 1800);
  lease.touched();
  for (const wait of [900_000, 30_000, 30_000]) {
    assert.equal(timer.wait, wait);
    now += timer.wait;
    timer.work();
    await settled();
  }
});

test("what is for another person or another project is kept apart, also where projects have one name", () => {
  const entry = (who, project) => ({ who, project, projectName: "Notices" });
  const { mine, parked } = sort([entry("an", "p"), entry("Bình", "p"), entry("an", "q"), entry("Bình", "p")], { who: "an", project_id: "p" });
  assert.equal(mine.length, 1);
  assert.deepEqual(parked.map(({ who, project, entries }) => [who, project, entries.length]), [["Bình", "p", 2], ["an", "q", 1]]);
});

test("a step on many documents is one, and so is taking it back; undoing a change of the schema is no step of a document", () => {
  const step = (operation, more) => ({ operation, undoes: null, before: { entities: {} }, after: { entities: {} }, kind: "edit", ...more });
  const history = new History();
  history.addOlder([step("a"), step("l", { kind: "label-all" }), step("s", { kind: "undo", undoes: "schema change" }), step("u", { kind: "undo", undoes: "l" })], false);
  const { undo, redo, complete } = history.stacks();
  assert.deepEqual([undo.map((one) => one.operation), redo.map((one) => one.operation), complete], [["a"], ["u"], true]);
  assert.deepEqual([history.isEverywhere(redo[0]), history.isEverywhere(undo[0])], [true, false]);
});

test("that somebody else has the document now is said once, until the lease is back", async () => {
  let now = 0;
  let timer = null;
  const said = [];
  const leased = Object.assign(new Error("leased"), { code: "leased", body: { held_by: "nam" } });
  const answers = [leased, leased, new Error("offline"), leased, null, leased];
  const renew = async () => {
    const answer = answers.shift();
    if (answer) throw answer;
    return { lease_seconds: 1800 };
  };
  const lease = new Lease({ now: () => now, later: (work, wait) => ((timer = { work, wait }), 0), renew, lost: (who) => said.push(who) });
  lease.keep("d", 1800);
  const counts = [];
  while (answers.length) {
    lease.touched();
    now += timer.wait;
    timer.work();
    await settled();
    counts.push(said.length);
  }
  assert.deepEqual(counts, [1, 1, 1, 1, 1, 2]);
  assert.deepEqual(said, ["nam", "nam"]);
});
