"use strict";
// Runs code in Pipedream's shape (an object with props and run, or what defineComponent
// makes of it) as the code of a step: run(load) returns the function that zflow calls.
// load returns the module of the code; it is called when the first call is there, so
// that what the code reads of process.env at its beginning is there too.

const { Unfit, own, missing, storeOf, keptBy } = require("zflow:pipedream/stores");
const { sender, sendAll } = require("zflow:pipedream/send");

globalThis.defineComponent ??= (component) => component;
globalThis.defineAction ??= (component) => component;
globalThis.defineSource ??= (component) => component;
globalThis.defineApp ??= (component) => component;

// ---- names of steps: the rule by which zflow import makes ids

const lower = (c) => c !== undefined && /[a-z0-9]/.test(c);
const upper = (c) => c !== undefined && /[A-Z]/.test(c);

function id(name) {
  const runes = [...name];
  let s = "";
  runes.forEach((c, i) => {
    if (upper(c)) {
      if (i > 0 && (lower(runes[i - 1]) || (lower(runes[i + 1]) && upper(runes[i - 1])))) s += "_";
      s += c.toLowerCase();
    } else {
      s += /[a-z0-9]/.test(c) ? c : "_";
    }
  });
  return /^[a-z]/.test(s) ? s : "step_" + s.replace(/^_+/, "");
}

// ---- what the code reads

// eventOf is the event as Pipedream's trigger of its kind has it.
function eventOf(args) {
  const { event, trigger } = args;
  switch (trigger?.source) {
    case "http":
      return requestOf(trigger, event);
    case "schedule":
      return tickOf(event ?? {});
  }
  return event;
}

function requestOf(trigger, body) {
  const request = { method: trigger.method, path: trigger.path, query: trigger.query ?? {}, headers: trigger.headers ?? {}, body };
  return Object.defineProperty(request, "bodyRaw", {
    get() {
      if (typeof body === "string") return body;
      throw new Unfit("event.bodyRaw is not there: let the trigger check signatures (auth:), before the run");
    },
  });
}

const units = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

function tickOf({ timestamp, time, local, timezone, date, schedule = "" }) {
  const every = /^(?:every\s+)?((?:\d+[smhdw])+)$/.exec(schedule)?.[1];
  const when = every ? { interval_seconds: [...every.matchAll(/(\d+)(.)/g)].reduce((sum, [, n, unit]) => sum + n * units[unit], 0) } : { cron: schedule };
  return {
    timestamp, ...when, timezone_configured: { timezone, date, iso8601: { timestamp: local } },
    timezone_utc: { timezone: "UTC", date: time?.slice(0, 10), iso8601: { timestamp: time } },
  };
}

function contextOf(args) {
  const { run, trigger } = args;
  return {
    id: run?.id, ts: trigger?.received_at, workflow_id: run?.workflow, workflow_name: run?.workflow, trace_id: trigger?.id,
    deployment_id: run?.version, attempt: run?.attempt, test: false,
  };
}

// stepsOf shows steps as Pipedream does: by the names that they had there, each with
// $return_value and what it exported.
function stepsOf(args) {
  const seen = new Map();
  const all = () => args.steps ?? {};
  const find = (name) => {
    if (typeof name !== "string") return undefined;
    if (name === "trigger") return { event: eventOf(args), context: contextOf(args) };
    const step = own(all(), name) ? all()[name] : own(all(), id(name)) ? all()[id(name)] : undefined;
    if (step === undefined) return undefined;
    const output = step.output;
    return own(output, "$return_value") ? output : { $return_value: output };
  };
  const get = (name) => {
    if (!seen.has(name)) seen.set(name, find(name));
    return seen.get(name);
  };
  return new Proxy({}, {
    get: (_, name) => get(name),
    has: (_, name) => get(name) !== undefined,
    ownKeys: () => ["trigger", ...Object.keys(all()).filter((name) => name !== "trigger")],
    getOwnPropertyDescriptor: (_, name) => (get(name) === undefined ? undefined : { value: get(name), enumerable: true, configurable: true }),
  });
}

// ---- props

const interfaces = /^\$\.(interface|service)\./;

// definition is a prop with what its propDefinition says.
function definition(prop, name) {
  if (typeof prop === "string") return { type: prop };
  if (prop === null || typeof prop !== "object") throw new Unfit(`the prop ${name} is no object`);
  if (!prop.propDefinition) return prop;
  const [app, from] = prop.propDefinition;
  const base = app?.propDefinitions?.[from];
  if (base === undefined) throw new Unfit(`the prop ${name} is defined by ${from}, which its app does not have`);
  return { ...definition(base, name), ...prop };
}

const isApp = (d) => d.type === "app";

// auth are an app's credentials: those of the step's connection, or of its input.
function auth(args, name, app) {
  const given = args.inputs?.[name];
  if (given !== null && typeof given === "object") return given;
  if (/^zoom/.test(app ?? name) && args.connection) return { oauth_access_token: args.connection.access_token, oauth_uid: args.connection.name };
  if (args.connection && !args.connection.api_url) { // it is to another service than Zoom
    const { token } = args.connection;
    return { oauth_access_token: token, access_token: token, api_key: token, api_token: token, token };
  }
  const how = /^zoom/.test(app ?? name) ? "name one with connection:" : `name one with connection:, or give them with: { ${name}: { … } }, from secrets`;
  return new Proxy({}, {
    get(_, key) {
      if (typeof key !== "string" || key === "then" || key === "toJSON") return undefined;
      throw new Unfit(`this.${name}.$auth.${key} is not there: the step has no credentials of ${app ?? name} (${how})`);
    },
  });
}

function appOf(args, name, d) {
  const app = { $auth: auth(args, name, d.app) };
  for (const [method, f] of Object.entries(d.methods ?? {})) app[method] = f.bind(app);
  return app;
}

const instead = {
  dir: (name) => `the folder ${name} is not there: use the steps file.read and file.write`,
  sql: (name) => `the prop ${name} (sql) is not there`,
};

// ---- values

const truths = { true: true, false: false };

// value is a prop's, as its type wants it.
function value(v, d) {
  if (d.type === "integer" && typeof v === "string" && /^-?\d{1,15}$/.test(v)) return Number(v);
  if (d.type === "boolean" && own(truths, v)) return truths[v];
  if (d.type === "object" && typeof v === "string") {
    try {
      return JSON.parse(v);
    } catch {
      return v;
    }
  }
  if (typeof d.type === "string" && d.type.endsWith("[]") && v !== undefined && v !== null && !Array.isArray(v)) return [v];
  return v;
}

// thisOf is what run() and methods see as this.
function thisOf(component, args, around) {
  const self = {};
  const inputs = args.inputs ?? {};
  for (const [name, v] of Object.entries(inputs)) if (!name.startsWith("$")) self[name] = v;
  const absent = [];
  for (const [name, prop] of Object.entries(component.props ?? {})) {
    const d = definition(prop, name);
    if (isApp(d)) {
      self[name] = appOf(args, name, d);
    } else if (d.type === "data_store") {
      self[name] = storeOf(args, name, around.waiting);
    } else if (d.type === "$.service.db") {
      self[name] = { get: (key) => around.kept.get(key), set: (key, v) => around.kept.set(key, v) };
    } else if (d.type === "$.interface.http") {
      self[name] = answering(name, around.respond);
    } else if (d.type === "http_request") {
      self[name] = requesting(name, inputs[name] ?? d.default);
    } else if (instead[d.type]) {
      self[name] = missing(name, instead[d.type](name));
    } else if (own(inputs, name) && inputs[name] !== null) {
      self[name] = value(inputs[name], d);
    } else if (d.default !== undefined) {
      self[name] = d.default;
    } else if (!d.optional && !interfaces.test(d.type ?? "") && d.type !== "alert") {
      absent.push(name);
    }
  }
  if (absent.length > 0) throw new Unfit(`the step gives no value for ${absent.join(", ")}: write it under with:`);
  for (const [name, f] of Object.entries(component.methods ?? {})) self[name] = f.bind(self);
  return self;
}

// answering is what starts a source by requests: what it answers is what $.respond is.
function answering(name, respond) {
  return {
    get endpoint() {
      throw new Unfit(`this.${name}.endpoint is not there: the address is that of the workflow's trigger (zflow workflows show)`);
    },
    respond,
  };
}

// requesting is a request that was put together as a prop, to be sent with execute().
function requesting(name, config) {
  const named = (list) => (Array.isArray(list) ? Object.fromEntries(list.filter((e) => e?.name && !e.disabled).map((e) => [e.name, e.value])) : list ?? undefined);
  return {
    ...config,
    execute() {
      if (!config?.url) throw new Unfit(`this.${name}.execute() needs a url: give it with: { ${name}: { url: …, method: … } }`);
      const { url, method, params, headers, body, data, auth } = config;
      const basic = auth?.type === "basic" ? { username: auth.username, password: auth.password } : undefined;
      const bearer = auth?.type === "bearer" ? { authorization: `Bearer ${auth.token}` } : {};
      const content = body?.contentType === undefined ? body : body.fields ? named(body.fields) : body.raw;
      const type = body?.contentType ? { "content-type": body.contentType } : {};
      return require("@pipedream/platform").axios(undefined, { url, method, params: named(params), headers: { ...type, ...bearer, ...named(headers) }, data: data ?? content, auth: basic });
    },
  };
}

const isSource = (component) => component.type === "source" || Object.values(component.props ?? {}).some((p) => /^\$\.interface\./.test(typeof p === "string" ? p : p?.type ?? ""));

// ---- $

class Exit {
  constructor(reason) {
    this.reason = reason;
  }
}

// later are things that a step of zflow's does behind this one. That it is there, the
// workflow says in the step's input: else nothing would come of them.
const later = {
  $exit: "if: steps.ID.output.$exit != null, with stop: completed",
  $delay: "if: steps.ID.output.$delay != null, with sleep: ${{ steps.ID.output.$delay / 1000 }}",
  $respond: "if: steps.ID.output.$respond != null, with respond: { status: ${{ steps.ID.output.$respond.status }}, … }",
};

const mustFor = (args) => (mark, what) => {
  if (args.inputs?.[mark] !== true) throw new Unfit(`${what} does nothing by itself here: write with: { ${mark}: true }, and behind this step one that does it (${later[mark].replaceAll("ID", "this_step")})`);
};

function responder(args, out) {
  return (answer) => {
    mustFor(args)("$respond", "$.respond()");
    const { status = 200, headers = {}, body = null } = answer ?? {};
    if (typeof body?.pipe === "function" || typeof body?.getReader === "function") throw new Unfit("$.respond() with a stream is not there: give text or a value");
    if (own(out, "$respond")) throw new Unfit("$.respond() was called twice");
    out.$respond = { status, headers, body: Buffer.isBuffer(body) ? body.toString("utf8") : body };
    return Promise.resolve();
  };
}

function dollar(args, out, { waiting, sends }) {
  const must = mustFor(args);
  const never = (what, how) => () => {
    throw new Unfit(`${what} is not there: ${how}`);
  };
  return {
    export(name, v) {
      if (typeof name !== "string" || name === "") throw new Unfit("$.export() needs a name");
      out[name] = v;
    },
    context: { ...contextOf(args), run: { runs: 1 } },
    flow: {
      exit(reason) {
        must("$exit", "$.flow.exit()");
        throw new Exit(reason === undefined ? "ended by its code" : String(reason));
      },
      delay(ms) {
        must("$delay", "$.flow.delay()");
        if (!Number.isFinite(ms) || ms < 0) throw new Unfit("$.flow.delay() needs a number of milliseconds");
        out.$delay = ms;
        return missing("delay", "$.flow.delay() gives no addresses to resume or cancel by: use wait_for or approval");
      },
      suspend: never("$.flow.suspend()", "write a step wait_for or approval behind this one"),
      rerun: never("$.flow.rerun()", "throw an error while it is not ready, and give the step a retry"),
      refreshTimeout: never("$.flow.refreshTimeout()", "give the step a timeout"),
      trigger: never("$.flow.trigger()", "write a step call behind this one"),
    },
    respond: responder(args, out),
    send: {
      http(config) {
        waiting.push(require("@pipedream/platform").axios(undefined, config));
      },
      ...sender(args, sends),
    },
    get files() {
      return missing("files", "$.files is not there: use the steps file.read and file.write");
    },
  };
}

// ---- calls

function withEnvironment(env, f) {
  for (const [name, v] of Object.entries(env ?? {})) process.env[name] = String(v);
  return f().finally(() => {
    for (const name of Object.keys(env ?? {})) delete process.env[name];
  });
}

// through waits for what was begun and not awaited, and for what that began.
async function through(waiting) {
  for (let n = -1; n !== waiting.length; ) {
    n = waiting.length;
    await Promise.all(waiting);
  }
}

async function action(component, args) {
  const out = {};
  const around = { waiting: [], sends: [], kept: await keptBy(component, args), respond: responder(args, out) };
  const self = thisOf(component, args, around);
  let result;
  try {
    result = await component.run.call(self, { steps: stepsOf(args), $: dollar(args, out, around) });
  } catch (e) {
    if (!(e instanceof Exit)) throw e;
    out.$exit = e.reason;
  }
  await through(around.waiting);
  await sendAll(args, around.sends);
  await around.kept.save(args, "", []);
  return { ...out, $return_value: result === undefined ? null : result };
}

// source runs a source on the run's event; what it emits is its result, without what its
// dedupe leaves out, from the oldest to the newest.
async function source(component, args) {
  const out = {};
  let emits = [];
  const around = { waiting: [], kept: await keptBy(component, args), respond: responder(args, out) };
  const self = thisOf(component, args, around);
  self.$emit = (event, meta) => {
    const { id = null, name = null, summary = null, ts = null } = meta ?? {};
    emits.push({ event, id, name, summary, ts });
  };
  await component.run.call(self, eventOf(args));
  await through(around.waiting);
  if (emits.every((e) => Number.isFinite(e.ts))) emits.sort((a, b) => a.ts - b.ts);
  const told = component.dedupe ? emits.filter((e) => e.id !== null) : [];
  const fresh = await around.kept.save(args, component.dedupe ?? "", told.map((e) => String(e.id)));
  const old = new Set(told.filter((_, i) => fresh[i] === false));
  emits = emits.filter((e) => !old.has(e));
  return { ...out, $return_value: emits };
}

module.exports = (load) => {
  let component;
  return (args) =>
    withEnvironment(args.inputs?.$env, async () => {
      if (component === undefined) {
        const module = load();
        component = module?.default ?? module;
      }
      if (typeof component === "function") return component(args);
      if (component === null || typeof component !== "object" || typeof component.run !== "function") {
        throw new Unfit(component?.type === "app" ? "the file is an app, which does nothing by itself: use an action of it" : "the code has no run(): write export default defineComponent({ async run({ steps, $ }) { … } })");
      }
      return isSource(component) ? source(component, args) : action(component, args);
    });
};
module.exports.id = id;
