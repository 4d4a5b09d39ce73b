"use strict";
// What code in Pipedream's shape keeps: data stores, and what a step keeps for itself.

class Unfit extends Error {
  constructor(message) {
    super(message);
    this.name = "PipedreamError";
  }
}

const own = (o, name) => o !== null && o !== undefined && Object.prototype.hasOwnProperty.call(o, name);

// missing stands for a prop that cannot be had: to have it is no error, to use it is.
function missing(name, why) {
  return new Proxy({}, {
    get(_, key) {
      if (typeof key !== "string" || key === "then" || key === "toJSON") return undefined;
      throw new Unfit(why);
    },
  });
}

// ask asks the worker, as its runner lets it.
function ask(args, question, value) {
  const f = args[Symbol.for("zflow.ask")];
  if (f === undefined) throw new Unfit("there is no worker to ask here");
  return f(question, value);
}

function keyOf(key) {
  if (typeof key === "string" || typeof key === "number" || typeof key === "bigint") return String(key);
  throw new Unfit(`a key is text, this is ${key === null ? "null" : typeof key}`);
}

// storeOf is a data store. What is asked of it and not awaited is waited for at the end.
function storeOf(args, name, waiting) {
  if (!own(args.inputs?.$stores, name)) return missing(name, `this.${name} is a data store: say which with: { $stores: { ${name}: NAME } } (true: the workflow's own)`);
  const call = (op, more, v) => {
    const answer = ask(args, { op, store: name, ...more }, v).catch((e) => {
      throw Object.assign(new Error(`this.${name}.${op === "ttl" ? "setTtl" : op}() failed: ${e.message}`), { code: e.code });
    });
    waiting.push(answer.catch(() => {}));
    return answer;
  };
  async function* pages() {
    for (let after = ""; after !== undefined; ) {
      const page = await call("list", { after });
      yield* page.items ?? [];
      after = page.last;
    }
  }
  // all are all of them, to be awaited as a list, or gone through one by one.
  const all = (pick) => {
    let list;
    const make = () => (list ??= (async () => {
      const found = [];
      for await (const entry of pages()) found.push(pick(entry));
      return found;
    })());
    return {
      then: (f, g) => make().then(f, g), catch: (g) => make().catch(g), finally: (f) => make().finally(f),
      async *[Symbol.asyncIterator]() {
        for await (const entry of pages()) yield pick(entry);
      },
    };
  };
  const store = {
    async get(key) {
      return (await call("get", { key: keyOf(key) })).value;
    },
    async set(key, v, options) {
      const ttl = options?.ttl;
      if (ttl !== undefined && ttl !== null && typeof ttl !== "number") throw new Unfit(`the ttl of this.${name}.set() is a number of seconds`);
      await call("set", { key: keyOf(key), ttl }, v === undefined ? null : v);
    },
    async setTtl(key, ttl) {
      if (ttl !== null && typeof ttl !== "number") throw new Unfit(`the ttl of this.${name}.setTtl() is a number of seconds, or null`);
      if (!(await call("ttl", { key: keyOf(key), ttl })).found) throw new Unfit(`this.${name} has no key ${keyOf(key)}, whose ttl could be set`);
    },
    async has(key) {
      return (await call("get", { key: keyOf(key) })).found;
    },
    async delete(key) {
      await call("delete", { key: keyOf(key) });
    },
    keys: () => all(([key]) => key),
    values: () => all(([, v]) => v),
    entries: () => all((entry) => entry),
    async size() {
      return (await store.keys()).length;
    },
    async clear() {
      for (const key of await store.keys()) await store.delete(key);
    },
    [Symbol.asyncIterator]: () => store.entries()[Symbol.asyncIterator](),
  };
  return store;
}

const mostKept = 60 * 1024; // which the worker holds to

// Kept is what the step keeps for itself: read before the code runs, saved behind it.
class Kept {
  constructor(values) {
    this.values = new Map(Object.entries(values ?? {}));
    this.sets = {};
  }

  get(key) {
    const text = this.values.get(keyOf(key));
    return text === undefined ? undefined : structuredClone(text);
  }

  set(key, v) {
    let text;
    try {
      text = JSON.stringify(v);
    } catch (e) {
      throw new Unfit(`what this.db keeps is JSON: ${e.message}`);
    }
    key = keyOf(key);
    if (text === undefined || text === "null") {
      this.values.delete(key);
      this.sets[key] = null;
      return;
    }
    this.values.set(key, JSON.parse(text));
    const size = Buffer.byteLength(JSON.stringify(Object.fromEntries(this.values)));
    if (size > mostKept) throw new Unfit(`this.db holds ${mostKept / 1024} KiB at most, not ${Math.ceil(size / 1024)}: use a data store`);
    this.sets[key] = this.values.get(key);
  }

  // save keeps what was set, and tells which ids are new.
  async save(args, dedupe, ids) {
    if (Object.keys(this.sets).length === 0 && ids.length === 0) return [];
    return (await ask(args, { op: "save", dedupe, ids }, this.sets)).fresh ?? [];
  }
}

async function keptBy(component, args) {
  const wanted = Object.values(component.props ?? {}).some((p) => (p?.type ?? p) === "$.service.db");
  return new Kept(wanted ? (await ask(args, { op: "load" })).value : {});
}

module.exports = { Unfit, ask, own, missing, storeOf, keptBy };
