import assert from "node:assert/strict";
import test from "node:test";
import { apply, newId, sameEntity, stateOf } from "../../../src/viner/annotator/static/model.js";
import { Outbox } from "../../../src/viner/annotator/static/outbox.js";
import { entity, failure, Memory, random, Server, stored } from "./support.mjs";

/** A tab: a document on a page, and the outbox behind it. */
class Tab {
  constructor(server, storage = new Memory(), choose = () => "mine") {
    this.states = [];
    this.asked = [];
    this.refused = [];
    this.gone = [];
    this.reopened = 0;
    this.detached = 0;
    this.stuck = [];
    this.storage = storage;
    this.outbox = new Outbox({
      storage,
      api: server,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      listener: {
        onState: (state, waiting) => this.states.push(`${state} ${waiting}`),
        onSaved: () => {},
        onRebased: (document, state, dropped, schema, detached) => ((this.state = state), (this.detached += detached)),
        onClash: async (document, clashes) => {
          this.asked.push(...clashes);
          return clashes.map(choose);
        },
        onRefused: (entry, error, reopened) => (this.refused.push([entry.operation, error.status]), (this.reopened += reopened)),
        onReopened: () => this.reopened++,
        onStuck: (entry) => this.stuck.push(entry.operation),
        onGone: (id, entries) => this.gone.push([id, entries.length]),
      },
    });
  }

  async open(server, id = "d") {
    const document = await server.document(id);
    this.state = stateOf(document);
    this.outbox.opened(document);
  }

  edit(edit, document = "d") {
    const before = apply(this.state, edit);
    const operation = newId();
    this.outbox.add({ operation, document, edit, before, undoes: null, who: "local", project: "p", tab: "t" });
    return operation;
  }
}

test("it says saved only after the server has answered, and forgets only then", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  tab.edit({ put: [entity("a", 0, 1)] });
  assert.equal(tab.states.at(-1), "saving 1");
  assert.equal((await tab.storage.all()).length, 1, "written down before anything was sent");
  await tab.outbox.flushed();
  assert.equal(tab.states.at(-1), "saved 0");
  assert.equal((await tab.storage.all()).length, 0);
  assert.deepEqual(server.entities().map((one) => one.id), ["a"]);
});

test("operations arrive in order, and each of a burst is one version", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  const sent = Array.from({ length: 20 }, (_, k) => tab.edit({ put: [entity(`e${k}`, k, k + 1)] }));
  await tab.outbox.flushed();
  assert.deepEqual(server.log, sent);
  assert.equal(server.documents.get("d").version, 21);
});

test("without a connection changes wait and are counted, then all are saved once", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  let tries = 0;
  server.before = () => {
    if (tries++ < 4) throw failure(0);
  };
  tab.edit({ put: [entity("a", 0, 1)] });
  tab.edit({ put: [entity("b", 2, 3)] });
  await tab.outbox.flushed();
  assert.ok(tab.states.includes("offline 2"));
  assert.equal(server.log.length, 2);
});

test("an answer that got lost does no harm: the server knows the operation", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  let lost = 0;
  server.after = () => {
    if (lost++ < 1) throw failure(0);
  };
  tab.edit({ put: [entity("a", 0, 1)] });
  tab.edit({ put: [entity("a", 0, 2)] });
  await tab.outbox.flushed();
  assert.equal(server.log.length, 2);
  assert.deepEqual(tab.asked, []);
  assert.equal(server.entities()[0].end, 2);
});

test("what was sent once is sent the same again, though a newer version has been read since", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  let lost = 0;
  server.after = () => {
    if (lost++ < 1) throw failure(0);
  };
  tab.outbox.pause = async () => tab.outbox.opened(await server.document("d"));
  tab.edit({ put: [entity("a", 0, 1)] });
  await tab.outbox.flushed();
  assert.deepEqual(tab.refused, []);
  assert.equal(server.log.length, 1);
});

test("signed out and overloaded say what they are, and go on by themselves", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  const answers = [401, 503, 429];
  server.before = () => {
    const status = answers.shift();
    if (status) throw failure(status, "later");
  };
  tab.edit({ put: [entity("a", 0, 1)] });
  await tab.outbox.flushed();
  assert.deepEqual(tab.states.filter((state) => !state.startsWith("sav")), ["signedOut 1", "busy 1", "busy 1"]);
});

test("a crash with a full outbox: the next page sends what was left, lost answers included", async () => {
  const server = new Server(stored());
  const crashed = new Tab(server);
  await crashed.open(server);
  let sent = 0;
  server.after = () => {
    if (++sent === 2) server.before = () => new Promise(() => {});
    if (sent >= 2) throw failure(0);
  };
  crashed.outbox.pause = () => new Promise(() => {});
  for (let k = 0; k < 5; k++) crashed.edit({ put: [entity("a", 0, k + 1)] });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.log.length, 2);
  assert.equal((await crashed.storage.all()).length, 4, "the second one's answer never came");

  server.after = () => {};
  server.before = () => {};
  const reopened = new Tab(server, crashed.storage);
  reopened.outbox.adopt(await crashed.storage.all());
  await reopened.outbox.flushed();
  assert.deepEqual(reopened.asked, []);
  assert.equal(server.log.length, 5);
  assert.equal(server.entities()[0].end, 5);
  assert.equal((await crashed.storage.all()).length, 0);
});

test("a stale tab keeps both edits, and shows them", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  server.change("d", { put: [entity("theirs", 5, 6, "B")] });
  tab.edit({ put: [entity("mine", 0, 1)] });
  tab.edit({ put: [entity("mine", 0, 2)] });
  await tab.outbox.flushed();
  assert.deepEqual(server.entities().map((one) => [one.id, one.end]).sort(), [["mine", 2], ["theirs", 6]]);
  assert.deepEqual([...tab.state.entities.keys()].sort(), ["mine", "theirs"]);
});

test("two tabs that change the same entity: a person chooses once, and his choice holds for what follows", async () => {
  for (const choice of ["mine", "theirs"]) {
    const server = new Server(stored({ entities: [entity("a", 0, 1, "A")] }));
    const tab = new Tab(server, new Memory(), () => choice);
    await tab.open(server);
    server.change("d", { put: [entity("a", 0, 1, "THEIRS")] });
    tab.edit({ put: [entity("a", 0, 1, "MINE")] });
    tab.edit({ put: [entity("a", 0, 3, "MINE")] });
    await tab.outbox.flushed();
    assert.equal(tab.asked.length, 1);
    assert.deepEqual(server.entities().map((one) => [one.label, one.end]), [choice === "mine" ? ["MINE", 3] : ["THEIRS", 1]]);
    assert.ok(sameEntity(tab.state.entities.get("a"), server.entities()[0]));
  }
});

test("while a person chooses, changes of other documents go through", async () => {
  const server = new Server(stored({ entities: [entity("a", 0, 1, "A")] }), stored({ id: "other" }));
  const tab = new Tab(server);
  let answer;
  tab.outbox.listener.onClash = () => new Promise((resolve) => (answer = () => resolve(["theirs"])));
  await tab.open(server);
  server.change("d", { put: [entity("a", 0, 1, "THEIRS")] });
  tab.edit({ put: [entity("a", 0, 1, "MINE")] });
  await new Promise((resolve) => setImmediate(resolve));
  await tab.open(server, "other");
  tab.edit({ put: [entity("x", 0, 1)] }, "other");
  await tab.outbox.flushed("other");
  assert.equal(server.entities("other").length, 1);
  assert.equal(tab.outbox.waiting("d"), 1);
  answer();
  await tab.outbox.flushed();
  assert.equal(server.entities()[0].label, "THEIRS");
});

test("what the server will never take is said, and does not hold up the rest", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  const bad = tab.edit({ put: [entity("bad", 0, 1, "REFUSED")] });
  tab.edit({ put: [entity("good", 2, 3)] });
  await tab.outbox.flushed();
  assert.deepEqual(tab.refused, [[bad, 422]]);
  assert.deepEqual(server.entities().map((one) => one.id), ["good"]);
  assert.deepEqual([...tab.state.entities.keys()], ["good"]);
});

test("changes of a document that was erased are given up, aloud", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  server.documents.delete("d");
  tab.edit({ put: [entity("a", 0, 1)] });
  tab.edit({ put: [entity("b", 0, 1)] });
  await tab.outbox.flushed();
  assert.deepEqual(tab.gone, [["d", 2]]);
  assert.equal((await tab.storage.all()).length, 0);
});

test("a page that is not there, as a proxy says it, is no erased document", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  const answers = [failure(404, ""), failure(404, "not_found")];
  server.before = () => {
    const answer = answers.shift();
    if (answer) throw answer;
  };
  tab.edit({ put: [entity("a", 0, 1)] });
  await tab.outbox.flushed();
  assert.deepEqual([tab.gone, server.log.length], [[], 1]);
});

test("a clock that is set back, before or after a reload, does not change the order", async (context) => {
  const server = new Server(stored());
  const crashed = new Tab(server);
  await crashed.open(server);
  crashed.outbox.api = { save: () => new Promise(() => {}) };
  const clock = context.mock.method(Date, "now", () => 2e12);
  crashed.edit({ put: [entity("a", 0, 1)] });
  clock.mock.mockImplementation(() => 1e12);
  crashed.edit({ delete: ["a"] });
  const reopened = new Tab(server, crashed.storage);
  reopened.outbox.pause = () => new Promise(() => {});
  reopened.outbox.api = { save: () => Promise.reject(failure(0)) };
  reopened.outbox.adopt((await crashed.storage.all()).reverse());
  await reopened.open(server);
  reopened.edit({ put: [entity("b", 2, 3)] });
  clock.mock.restore();
  const orders = (await crashed.storage.all()).map((entry) => entry.order);
  assert.deepEqual([...orders].sort((one, other) => one - other), orders);
  assert.equal(new Set(orders).size, 3);
  const last = new Tab(server, crashed.storage);
  last.outbox.adopt((await crashed.storage.all()).reverse());
  await last.outbox.flushed();
  assert.deepEqual(server.entities().map((one) => one.id), ["b"]);
});

test("another person is logged in: nothing is sent in their name, and it goes on when the first one is back", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  let others = 3;
  server.before = () => {
    if (others-- > 0) throw failure(409, "other_person", { who: "Bob" });
  };
  tab.edit({ put: [entity("a", 0, 1)] });
  await tab.outbox.flushed();
  assert.ok(tab.states.includes("otherPerson 1"));
  assert.deepEqual([tab.refused, server.log.length], [[], 1]);
});

test("a remark about an entity that somebody deleted is kept as one about the document", async () => {
  const server = new Server(stored({ entities: [entity("a", 0, 1)] }));
  const tab = new Tab(server);
  await tab.open(server);
  server.change("d", { delete: ["a"] });
  tab.edit({ comments: { put: [{ id: "k", text: "a long remark", entity: "a" }] } });
  await tab.outbox.flushed();
  assert.deepEqual(server.documents.get("d").comments, [{ id: "k", text: "a long remark", entity: null }]);
  assert.equal(tab.detached, 1);
});

test("done is given up with a change before it that is refused: the document is not finished without it", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  tab.edit({ put: [entity("bad", 0, 1, "REFUSED")] });
  tab.edit({ put: [entity("good", 2, 3)] });
  tab.edit({ status: "done", flagged: true });
  await tab.outbox.flushed();
  const { status, flagged } = server.documents.get("d");
  assert.deepEqual([status, flagged, tab.state.status, tab.reopened], ["started", true, "started", 1]);
});

test("done is given up with an entity whose label is gone, and so said; one whose suggestion was rejected needs no label", async () => {
  const server = new Server(stored());
  const tab = new Tab(server, new Memory(), () => "theirs");
  await tab.open(server);
  server.documents.get("d").schema = 2;
  server.renamed = { GONE: null, OLD: "NEW" };
  tab.edit({ put: [entity("lost", 0, 1, "GONE")] });
  tab.edit({ put: [entity("kept", 2, 3, "OLD")] });
  tab.edit({ status: "done" });
  await tab.outbox.flushed();
  assert.deepEqual([server.entities().map((one) => one.label), server.documents.get("d").status, tab.state.status, tab.reopened], [["NEW"], "started", "started", 1]);

  server.documents.get("d").schema = 3;
  tab.edit({ put: [entity("no", 4, 5, "GONE", "rejected")] });
  tab.edit({ status: "done" });
  await tab.outbox.flushed();
  assert.deepEqual([server.documents.get("d").status, tab.reopened, tab.asked.length], ["done", 1, 1]);
});

test("what waits behind a change that is refused is called as its labels are called by then", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  server.before = ({ put }) => {
    if (put[0]?.label !== "REFUSED") return;
    server.documents.get("d").schema = 2;
    server.renamed = { OLD: "NEW" };
    throw failure(422, "refused");
  };
  tab.edit({ put: [entity("bad", 0, 1, "REFUSED")] });
  tab.edit({ put: [entity("good", 2, 3, "OLD")] });
  await tab.outbox.flushed();
  assert.deepEqual(server.entities().map((one) => one.label), ["NEW"]);
});

test("two that label one span without seeing each other choose, and one label stands there after", async () => {
  for (const [side, label] of [["mine", "A"], ["theirs", "B"]]) {
    const server = new Server(stored());
    const tab = new Tab(server, new Memory(), () => side);
    await tab.open(server);
    server.change("d", { put: [entity("theirs", 0, 3, "B")] });
    tab.edit({ put: [entity("mine", 0, 3, "A")] });
    tab.edit({ put: [entity("inner", 1, 2, "A")] });
    await tab.outbox.flushed();
    assert.equal(tab.asked.length, 1);
    assert.deepEqual(server.entities().map((one) => [one.start, one.end, one.label]).sort(), [[0, 3, label], [1, 2, "A"]]);
    assert.equal(tab.state.entities.size, 2);
  }
});

test("two pages that adopted the same entries save them once, and neither complains", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { below } = random(seed);
    const server = new Server(stored({ entities: [entity("o", 20, 21)], version: 5 }));
    const left = ["x", "y", "z"].map((id, k) => ({
      operation: id, document: "d", version: 1 + k, schema: 1, edit: { put: [entity(id, k, k + 1)] }, before: { entities: { [id]: null } }, undoes: null, who: "local", project: "p", tab: "t", order: k,
    }));
    const pages = [new Tab(server), new Tab(server)];
    for (const page of pages) {
      const api = { document: server.document, save: async (operation) => {
        for (let k = below(6); k > 0; k--) await new Promise((resolve) => setImmediate(resolve));
        return server.save(operation);
      } };
      page.outbox.api = api;
      page.outbox.adopt(structuredClone(left));
    }
    server.after = () => {
      if (below(4) === 0) server.change("d", { put: [entity(`other${below(1e6)}`, 10, 11)] });
    };
    await Promise.all(pages.map((page) => page.outbox.flushed()));
    assert.deepEqual(pages.flatMap((page) => page.refused), []);
    assert.deepEqual(server.log.toSorted(), ["x", "y", "z"]);
  }
});

test("an entry that the server fails on lets other documents pass, stays, and is said once", async () => {
  const server = new Server(stored(), stored({ id: "other" }));
  const tab = new Tab(server);
  await tab.open(server);
  await tab.open(server, "other");
  let broken = true;
  server.before = ({ document }) => {
    if (document === "d" && broken) throw failure(500, "internal_error");
  };
  let wake;
  tab.outbox.pause = (milliseconds) => new Promise((resolve) => (milliseconds < 30_000 ? setImmediate(resolve) : (wake = tab.outbox.wake = resolve)));
  tab.edit({ put: [entity("a", 0, 1)] });
  tab.edit({ put: [entity("a", 0, 2)] });
  await tab.outbox.flushed();
  assert.equal(tab.states.at(-1), "stuck 2");
  tab.edit({ put: [entity("b", 0, 1)] }, "other");
  await tab.outbox.flushed("other");
  assert.equal(server.log.length, 1);
  assert.equal(tab.stuck.length, 1);
  assert.equal(tab.storage.entries.size, 2);
  broken = false;
  await new Promise((resolve) => setImmediate(resolve));
  wake();
  await tab.outbox.flushed();
  while (tab.outbox.waiting()) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([server.entities()[0].end, tab.states.at(-1), tab.stuck.length], [2, "saved 0", 1]);
});

test("a new schema is followed", async () => {
  const server = new Server(stored());
  const tab = new Tab(server);
  await tab.open(server);
  server.documents.get("d").schema = 2;
  tab.edit({ put: [entity("a", 0, 1)] });
  await tab.outbox.flushed();
  assert.equal(server.entities().length, 1);
});

test("two tabs on a bad line, at random: every acknowledged edit stays unless somebody changed it after, and all pages end alike", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { next, below, pick } = random(seed);
    const server = new Server(stored({ status: "started" }));
    const tabs = [new Tab(server), new Tab(server, new Memory(), () => "theirs")];
    server.before = () => {
      if (next() < 0.15) throw failure(pick([0, 503]));
    };
    server.after = () => {
      if (next() < 0.15) throw failure(0);
    };
    await Promise.all(tabs.map((tab) => tab.open(server)));
    for (let step = 0; step < 30; step++) {
      const tab = pick(tabs);
      // Each tab has entities of its own beside the shared ones.
      const id = pick([`own-${tabs.indexOf(tab)}-${below(4)}`, `shared-${below(3)}`]);
      const at = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 10_007, 7) * 10;
      if (tab.state.entities.has(id) && next() < 0.2) tab.edit({ delete: [id] });
      else tab.edit({ put: [entity(id, at, at + 1 + below(9), pick(["A", "B"]))] });
      if (next() < 0.5) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(tabs.map((tab) => tab.outbox.flushed()));
    const saved = new Map(server.entities().map((one) => [one.id, one]));
    tabs.forEach((tab, number) => {
      for (let k = 0; k < 4; k++) {
        const id = `own-${number}-${k}`;
        assert.ok(sameEntity(tab.state.entities.get(id), saved.get(id)), `seed ${seed}: ${id} is as its only tab left it`);
      }
      assert.equal(tab.storage.entries.size, 0);
    });
  }
});
