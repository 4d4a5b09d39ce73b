// What code in Pipedream's shape imports from "@pipedream/platform", written anew on
// fetch.

export const DEFAULT_POLLING_SOURCE_TIMER_INTERVAL = 900;

export class ConfigurationError extends Error {
  constructor(message) {
    super(message);
    this.name = "ConfigurationError";
  }
}

const isPlain = (v) => v !== null && typeof v === "object" && (Object.getPrototypeOf(v) === Object.prototype || Object.getPrototypeOf(v) === null);

const defined = (o) => (isPlain(o) ? Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) : o);

// address is the URL with its query and the params, of which the latter win.
function address(config) {
  let { url = "" } = config;
  if (config.baseURL && !/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) url = config.baseURL.replace(/\/+$/, "") + (url ? "/" + String(url).replace(/^\/+/, "") : "");
  const to = new URL(url);
  const params = config.params instanceof URLSearchParams ? Object.fromEntries(config.params) : defined(config.params) ?? {};
  for (const name of Object.keys(params)) {
    to.searchParams.delete(name);
    to.searchParams.delete(name + "[]");
  }
  for (const [name, v] of Object.entries(params)) add(to.searchParams, name, v);
  return to;
}

function add(query, name, v) {
  if (v === null || v === undefined) return;
  if (Array.isArray(v)) {
    for (const one of v) add(query, name.endsWith("[]") ? name : name + "[]", one);
  } else if (v instanceof Date) {
    query.append(name, v.toISOString());
  } else if (typeof v === "object") {
    for (const [inner, one] of Object.entries(v)) add(query, `${name}[${inner}]`, one);
  } else {
    query.append(name, String(v));
  }
}

// content is the body, with the type that it has if nothing else is said.
function content(data, headers) {
  if (data === undefined || data === null) return undefined;
  const type = headers.get("content-type");
  if (typeof data === "string" || data instanceof Uint8Array || data instanceof ArrayBuffer || data instanceof Blob) {
    if (typeof data === "string" && !type) headers.set("content-type", "application/x-www-form-urlencoded");
    return data;
  }
  if (data instanceof URLSearchParams || data instanceof FormData) return data;
  if (typeof data.pipe === "function" || typeof data.getReader === "function") return data;
  if (type?.startsWith("application/x-www-form-urlencoded")) {
    const form = new URLSearchParams();
    for (const [name, v] of Object.entries(data)) add(form, name, v);
    return form;
  }
  if (!type) headers.set("content-type", "application/json");
  return JSON.stringify(data);
}

function request(config) {
  const headers = new Headers();
  for (const [name, v] of Object.entries(defined(config.headers) ?? {})) if (v !== null) headers.set(name, Array.isArray(v) ? v.join(", ") : String(v));
  if (!headers.has("accept")) headers.set("accept", "application/json, text/plain, */*");
  if (config.auth) headers.set("authorization", "Basic " + Buffer.from(`${config.auth.username ?? ""}:${config.auth.password ?? ""}`).toString("base64"));
  const method = String(config.method ?? "get").toUpperCase();
  const data = defined(config.data);
  const body = method === "GET" || method === "HEAD" ? undefined : content(data, headers);
  return {
    method, headers, body,
    ...(typeof body?.pipe === "function" || typeof body?.getReader === "function" ? { duplex: "half" } : {}),
    redirect: config.maxRedirects === 0 ? "manual" : "follow",
    signal: signals(config),
  };
}

function signals(config) {
  const all = [];
  if (config.signal) all.push(config.signal);
  if (config.timeout > 0) all.push(AbortSignal.timeout(config.timeout));
  return all.length > 1 ? AbortSignal.any(all) : all[0];
}

async function read(answer, type) {
  switch (type) {
    case "arraybuffer":
      return Buffer.from(await answer.arrayBuffer());
    case "blob":
      return answer.blob();
    case "stream":
      return (await import("node:stream")).Readable.fromWeb(answer.body);
  }
  const text = await answer.text();
  if (type === "text") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// failure is an error that holds the answer, and nothing of the request: that may hold
// credentials.
function failure(name, message, more) {
  const e = new Error(message);
  e.name = name;
  return Object.assign(e, more);
}

const seconds = (ms) => `${ms / 1000} s`;

async function send(config) {
  const url = address(config);
  let answer;
  try {
    answer = await fetch(url, request(config));
  } catch (e) {
    if (e instanceof TypeError === false && e?.name === "TimeoutError") throw failure("AxiosError", `no answer within ${seconds(config.timeout)}`, { code: "ECONNABORTED" });
    const cause = e?.cause ?? e;
    throw failure("AxiosError", `the request to ${url.host} failed: ${cause?.message || cause?.code || e.message}`, { code: cause?.code });
  }
  const response = {
    status: answer.status, statusText: answer.statusText, headers: Object.fromEntries(answer.headers),
    data: await read(answer, config.responseType), config: { url: url.href, method: config.method ?? "get" },
  };
  const fine = config.validateStatus === null ? true : config.validateStatus ? config.validateStatus(answer.status) : answer.ok;
  if (fine) return response;
  delete response.config;
  const message = `Request failed with status code ${answer.status}`;
  throw failure(`AxiosError - ${message}`, typeof response.data === "string" && response.data !== "" ? response.data : JSON.stringify(response.data), { response, status: answer.status });
}

function show(step, name, v) {
  if (typeof step?.export === "function") step.export(name, v);
}

// axios sends a request and returns the body of its answer, or with returnFullResponse
// the answer.
export async function axios(step, config, signConfig) {
  if (config === null || typeof config !== "object") throw new ConfigurationError("axios() needs what to send: axios($, { url: … })");
  if (signConfig) throw new ConfigurationError("requests that OAuth 1 signs are not there");
  if (config.body !== undefined) throw new ConfigurationError("axios() takes the body of a request as data, not as body");
  if (config.debug) show(step, "debug_config", { url: config.url, method: config.method ?? "get", params: config.params, data: config.data });
  try {
    const response = await send(config);
    if (config.debug) show(step, "debug_response", response.data);
    return config.returnFullResponse ? response : response.data;
  } catch (e) {
    if (e.response && step?.context) show(step, "debug", e.response);
    throw e;
  }
}

export default axios;

// transform-free helpers that the package has beside.

export function jsonStringifySafe(v) {
  const above = new Set();
  const walk = (x) => {
    if (typeof x === "bigint") return x.toString();
    if (x === null || typeof x !== "object" || typeof x.toJSON === "function") return x;
    if (above.has(x)) return undefined;
    above.add(x);
    const copy = Array.isArray(x) ? x.map(walk) : Object.fromEntries(Object.entries(x).map(([k, y]) => [k, walk(y)]));
    above.delete(x);
    return copy;
  };
  return JSON.stringify(walk(v));
}

export function cloneSafe(v) {
  const text = jsonStringifySafe(v);
  return text === undefined ? undefined : JSON.parse(text);
}

// getFileStream reads a file at an address.
export async function getFileStream(from) {
  return (await getFileStreamAndMetadata(from)).stream;
}

export async function getFileStreamAndMetadata(from) {
  if (!/^https?:\/\//i.test(from)) throw new ConfigurationError(`files are read from addresses here, not from ${String(from).slice(0, 60)}: use the step file.read, or give the address`);
  const { data, headers } = await send({ url: from, responseType: "stream" });
  const name = decodeURIComponent(new URL(from).pathname.split("/").pop() ?? "");
  const size = Number(headers["content-length"]);
  return { stream: data, metadata: { name, contentType: headers["content-type"], size: Number.isFinite(size) && size > 0 ? size : undefined, lastModified: headers["last-modified"] ? new Date(headers["last-modified"]) : undefined } };
}

const absent = (what, how) => () => {
  throw new ConfigurationError(`${what} is not there: ${how}`);
};

export const sqlProp = { methods: {} };
export const sqlProxy = { methods: {} };
export const transformConfigForOauth = absent("transformConfigForOauth()", "requests that OAuth 1 signs are not there");
