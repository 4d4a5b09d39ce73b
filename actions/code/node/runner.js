"use strict";
// Runs the code of steps, one call at a time: frames come in on descriptor 3 and go
// out on 4, each a length of four bytes, a letter, and a body. What the code prints
// becomes log lines; what it leaves behind is told, so that this process is not used again.
const fs = require("node:fs");
const vm = require("node:vm");
const net = require("node:net");
const util = require("node:util");
const { isBuiltin } = require("node:module");
const { Writable } = require("node:stream");

const turn = setImmediate; // the code may replace the global one
const resources = process.getActiveResourcesInfo.bind(process);
const end = process.reallyExit.bind(process);
const parse = JSON.parse;
const stringify = JSON.stringify;

// ---- frames

function send(letter, text) {
  const body = Buffer.from(text, "utf8");
  const frame = Buffer.allocUnsafe(5 + body.length);
  frame.writeUInt32LE(body.length + 1, 0);
  frame[4] = letter.charCodeAt(0);
  body.copy(frame, 5);
  for (let at = 0; at < frame.length; ) at += fs.writeSync(4, frame, at);
}

const input = new net.Socket({ fd: 3, readable: true, writable: false });
let pending = [];
let have = 0;
input.on("data", (chunk) => {
  pending.push(chunk);
  have += chunk.length;
  while (have >= 4) {
    if (pending.length > 1 && pending[0].length < 4) pending = [Buffer.concat(pending)];
    const need = 4 + pending[0].readUInt32LE(0);
    if (have < need) return;
    const all = pending.length > 1 ? Buffer.concat(pending) : pending[0];
    pending = all.length > need ? [all.subarray(need)] : [];
    have -= need;
    take(String.fromCharCode(all[4]), all.subarray(5, need));
  }
});
input.on("end", () => end(0)); // the worker is gone

// ---- what the code prints

let current = null; // the call: { bytes, output, result }
let level = "info";

function say(grade, text) {
  if (!current) return; // said after the end of its call
  for (const line of String(text).split("\n")) {
    current.bytes += Buffer.byteLength(line) + 1;
    if (current.bytes > current.output) die({ message: `the code printed more than ${size(current.output)}`, code: "output" });
    send("L", grade + " " + line);
  }
}

function size(bytes) {
  return bytes >= 1 << 20 ? `${Math.round(bytes / (1 << 20))} MiB` : `${Math.round(bytes / 1024)} KiB`;
}

function printed() {
  let rest = "";
  return new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines) say(level, line);
      done();
    },
  });
}

const out = printed();
const printing = new console.Console({ stdout: out, stderr: out, colorMode: false, inspectOptions: { breakLength: Infinity } });
for (const name of Object.keys(console)) {
  if (typeof printing[name] !== "function" || name === "Console") continue;
  const print = printing[name].bind(printing);
  const grade = { warn: "warn", error: "error", trace: "error", assert: "error", debug: "debug" }[name] || "info";
  console[name] = (...args) => {
    const before = level;
    level = grade;
    try {
      print(...args);
    } finally {
      level = before;
    }
  };
}
Object.defineProperty(process, "stdout", { value: printed(), enumerable: true });
Object.defineProperty(process, "stderr", { value: printed(), enumerable: true });

function logger() {
  const call = current; // a line that comes after the end of its call is dropped
  const say1 = (grade) => (...args) => {
    if (current === call) say(grade, util.formatWithOptions({ breakLength: Infinity }, ...args));
  };
  return { debug: say1("debug"), info: say1("info"), warn: say1("warn"), error: say1("error") };
}

// ---- what it must not have: signals to other processes

for (const name of ["kill", "_kill", "_debugProcess", "_debugEnd", "dlopen", "binding", "_linkedBinding"]) {
  Object.defineProperty(process, name, {
    value() {
      throw new Error(`process.${name} is not there for the code of steps`);
    },
  });
}

// ---- errors

// denied says what to do instead of what Node.js was told to deny.
const denied = {
  FileSystemRead: "code reads no files: use file.read before it, or import what belongs to the workflow",
  FileSystemWrite: "code writes no files, in /tmp neither: return the content, and use file.write behind it",
  ChildProcess: "code starts no programs: use exec.run",
  WorkerThreads: "code starts no threads",
  Inspector: "code has no inspector",
  Net: "code has no network on this worker (worker.code.network)",
};

function describe(e, what) {
  const d = {};
  try {
    if (e !== null && typeof e === "object" && (e instanceof Error || typeof e.message === "string")) {
      d.name = text(e.name);
      d.message = text(e.message) || d.name || "an error without a message";
      d.stack = text(e.stack);
      d.code = typeof e.code === "number" ? String(e.code) : text(e.code);
      const status = e.status ?? e.statusCode ?? e.response?.status;
      if (Number.isInteger(status)) d.status = status;
      d.retryable = e.retryable === true;
      if (d.code === "ERR_ACCESS_DENIED" && denied[e.permission]) d.message += ": " + denied[e.permission];
      if (e.cause !== undefined && e.cause !== null) d.message += ": " + (text(e.cause.message) || util.inspect(e.cause, { depth: 0 }));
    } else {
      d.message = "the code threw " + util.inspect(e, { depth: 2, breakLength: Infinity }) + ", which is no Error";
    }
  } catch {
    d.message = "the code threw what cannot be read";
  }
  if (what) d.message = what + ": " + d.message;
  return d;
}

function text(v) {
  return typeof v === "string" ? v : "";
}

function die(d) { // nothing of this process is to be trusted any more
  if (current) {
    current = null;
    send("E", "1" + stringify(d));
  }
  end(70);
}

process.on("unhandledRejection", (e) => die(describe(e, "a promise was rejected and nobody handled it")));
process.on("uncaughtException", (e) => die(describe(e, "an error was thrown that nobody caught")));
process.on("beforeExit", () => {
  if (current) finish("E", stringify({ message: "the code waits for a promise that nothing can settle any more", code: "never" }));
});

// ---- results

class Unfit extends Error {}

// fit tells whether a value holds a BigInt, and throws where JSON would lose something. The
// path begins with what the value is: result, or value.
function fit(v, path, above) {
  const what = /^[a-z]+/.exec(path)[0];
  switch (typeof v) {
    case "bigint":
      return true;
    case "number":
      if (!Number.isFinite(v)) throw new Unfit(`the ${what} has ${v} at ${path}, which JSON cannot hold`);
      return false;
    case "object":
      if (v === null) return false;
      break;
    default:
      return false;
  }
  if (above.includes(v)) throw new Unfit(`the ${what} is circular: ${path} is ${above.indexOf(v) === 0 ? `the ${what} itself` : "one of the values around it"}`);
  if (v instanceof Map || v instanceof Set) throw new Unfit(`the ${what} has a ${v.constructor.name} at ${path}: return ${v instanceof Map ? "Object.fromEntries(map)" : "[...set]"}`);
  above.push(v);
  let big = false;
  if (typeof v.toJSON === "function") {
    big = fit(v.toJSON(""), path, above);
  } else if (Array.isArray(v)) {
    for (let i = 0; i < v.length; i++) big = fit(v[i], `${path}[${i}]`, above) || big;
  } else {
    for (const name of Object.keys(v)) big = fit(v[name], `${path}.${name}`, above) || big;
  }
  above.pop();
  return big;
}

// write is stringify for values with a BigInt, which keeps each digit: as a number
// where it has room in 64 bits, else as text.
function write(v) {
  if (typeof v === "bigint") return v === BigInt.asIntN(64, v) ? v.toString() : stringify(v.toString());
  if (v === null || typeof v !== "object") return stringify(v);
  if (typeof v.toJSON === "function") return write(v.toJSON(""));
  if (Array.isArray(v)) return "[" + v.map((e) => write(e) ?? "null").join(",") + "]";
  const members = [];
  for (const name of Object.keys(v)) {
    const member = write(v[name]);
    if (member !== undefined) members.push(stringify(name) + ":" + member);
  }
  return "{" + members.join(",") + "}";
}

function jsonOf(v, what) {
  return (fit(v, what, []) ? write(v) : stringify(v)) ?? "null";
}

function encode(v) {
  const json = jsonOf(v, "result");
  if (Buffer.byteLength(json) > current.result) throw new Unfit(`the result has ${size(Buffer.byteLength(json))}: at most ${size(current.result)}`);
  return json;
}

// ---- what the code asks of its worker

let queue = Promise.resolve(); // one question at a time: what is answered may be large
let waiting = null; // for the answer

// asker is what the code of one call asks with: a question is an object, and a value
// that goes with it. What the worker refuses is an error.
function asker() {
  const own = current;
  const over = () => new Error("it was asked after the end of the call");
  return (question, value) => {
    if (current !== own) return Promise.reject(over());
    const text = stringify(question).slice(0, -1) + (value === undefined ? "}" : `,"value":${jsonOf(value, "value")}}`);
    if (Buffer.byteLength(text) > own.result) return Promise.reject(new Unfit(`the value has ${size(Buffer.byteLength(text))}: at most ${size(own.result)}`));
    const answer = queue.then(() => new Promise((resolve, reject) => {
      if (current !== own) return reject(over());
      waiting = { resolve, reject };
      input.ref(); // or it would look as if nothing could settle this
      send("S", text);
    }));
    queue = answer.catch(() => {});
    return answer;
  };
}

function answered(a) {
  if (waiting === null) return; // the call is over
  const { resolve, reject } = waiting;
  waiting = null;
  input.unref();
  if (a.error === undefined) resolve(a);
  else reject(Object.assign(new Error(a.error), { code: a.code, retryable: a.retryable }));
}

// ---- calls

const modules = new Map();

function builtin(name) {
  if (!isBuiltin(name)) throw new Error(`there is no module ${name} in the bundle: import it by its name, not by a computed one`);
  return require(name);
}

function load(id) {
  const m = modules.get(id);
  if (m.source !== undefined) {
    const run = vm.compileFunction(m.source, ["exports", "require", "module"], { filename: "zflow-code/" + id });
    const module = { exports: {} };
    run.call(module.exports, module.exports, builtin, module);
    const f = module.exports?.default ?? module.exports;
    if (typeof f !== "function") throw new Unfit("the code's default export is no function: write export default async ({ event }) => { … }");
    m.run = f;
    m.source = undefined;
  }
  return m.run;
}

function take(letter, body) {
  if (letter === "B") {
    const n = body.readUInt16LE(0);
    modules.set(body.toString("latin1", 2, 2 + n), { source: body.toString("utf8", 2 + n) });
    return;
  }
  if (letter === "A") return answered(parse(body.toString("utf8")));
  const n = body.readUInt32LE(0);
  const head = parse(body.toString("utf8", 4, 4 + n));
  current = { bytes: 0, output: head.output, result: head.result };
  call(head.bundle, arguments_(head.args, body.subarray(4 + n)));
}

// arguments_ are parsed when the code looks at them.
function arguments_(names, body) {
  const args = { log: logger() };
  Object.defineProperty(args, Symbol.for("zflow.ask"), { value: asker() });
  let at = 0;
  for (const [name, length] of names) {
    const from = at;
    at += length;
    Object.defineProperty(args, name, {
      enumerable: true,
      configurable: true,
      get() {
        const value = parse(body.toString("utf8", from, from + length));
        Object.defineProperty(args, name, { value, enumerable: true, writable: true });
        return value;
      },
    });
  }
  return args;
}

async function call(id, args) {
  const own = current;
  input.unref(); // so that what cannot settle is found out
  let letter = "O";
  let text;
  try {
    const value = await load(id)(args);
    await new Promise(turn); // rejections that nobody handled come up now
    text = encode(value);
  } catch (e) {
    letter = "E";
    text = stringify(e instanceof Unfit ? { message: e.message, code: "result" } : describe(e));
  }
  if (current === own) finish(letter, text);
}

function finish(letter, text) {
  const left = resources().length > 0;
  current = null;
  waiting = null;
  queue = Promise.resolve();
  input.ref();
  send(letter, (left ? "1" : "0") + text);
}

send("R", process.version);
