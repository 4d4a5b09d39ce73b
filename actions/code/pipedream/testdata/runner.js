// Runs cases as the worker's own runner does: the bundle's function with its arguments.
// Takes the folder of bundles; prints a line for each case that came out otherwise.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const vm = require("node:vm");
const { isDeepStrictEqual } = require("node:util");
const cases = require("./cases.js");

let calls = [];
const server = http.createServer(async (q, a) => {
  let body = "";
  for await (const chunk of q) body += chunk;
  const say = (status, v, type = "application/json") => {
    a.writeHead(status, { "content-type": type, "x-from": "harbor" });
    a.end(typeof v === "string" ? v : JSON.stringify(v));
  };
  const { pathname, searchParams } = new URL(q.url, "http://x");
  if (pathname === "/echo") return say(200, { url: q.url, method: q.method, a: q.headers["x-a"] ?? null, u: q.headers["x-u"] ?? null, body, type: q.headers["content-type"] ?? null });
  if (pathname === "/text") return say(200, "hello", "text/plain");
  if (pathname.startsWith("/status/")) return say(Number(pathname.slice(8)), { code: 3001 });
  calls.push([q.method, q.url, body || q.headers.authorization || "", body ? q.headers["content-type"] : ""].filter((s) => s).join(" "));
  const page = searchParams.get("page");
  say(200, { items: [{ name: `Ann ${page}` }, { name: `Bob ${page}` }] });
});

const load = (dir, i) => {
  const module = { exports: {} };
  vm.compileFunction(fs.readFileSync(path.join(dir, `${i}.js`), "utf8"), ["exports", "require", "module"])(module.exports, require, module);
  return module.exports?.default ?? module.exports;
};

// worker is who has nothing in store: the tests of actions/code have it real.
const worker = async (q) => {
  if (q.op === "send") throw new Error("refused " + q.action);
  return q.op === "load" ? { value: {} } : { fresh: q.ids?.map(() => true) };
};

async function run(c, f) {
  calls = [];
  let got, error;
  try {
    got = JSON.parse(JSON.stringify(await f({ inputs: {}, event: {}, steps: {}, ...(typeof c.args === "function" ? c.args() : c.args), [Symbol.for("zflow.ask")]: worker })));
  } catch (e) {
    error = e;
  }
  if (c.fails !== undefined) {
    const right = error && error.message.includes(c.fails) | (error.name ?? "").includes(c.fails) && (!c.error || error.name === c.error);
    return right ? "" : `gave ${JSON.stringify(got)}, ${error}`;
  }
  for (const name of Object.keys(got ?? {})) if (c.want?.[name] === "set") got[name] = "set";
  if (error || !isDeepStrictEqual(got, c.want)) return `gave ${JSON.stringify(got)}, ${error?.stack}`;
  if (c.called && !isDeepStrictEqual(calls, c.called)) return `called ${JSON.stringify(calls)}`;
  return c.after && !c.after() ? "left something behind" : "";
}

// The example of a PUT in AWS's documentation of Signature Version 4.
function vector() {
  const { encode, signed } = require("../s3.js");
  const h = signed({ method: "PUT", url: new URL("https://examplebucket.s3.amazonaws.com/" + encode("test$file.text")), region: "us-east-1", body: "Welcome to Amazon S3.",
    headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" }, at: new Date("2013-05-24T00:00:00Z"),
    access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" });
  return h.authorization.endsWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd") ? "" : h.authorization;
}
if (vector()) console.log("the signature of S3: " + vector());

server.listen(0, "127.0.0.1", async () => {
  globalThis.HARBOR = `http://127.0.0.1:${server.address().port}`;
  let n = 0;
  for (const [i, c] of cases.entries()) {
    const fault = await run(c, load(process.argv[2], i));
    if (fault) console.log(`${c.name}: ${fault}`);
    n++;
  }
  console.log(`${n} cases`);
  process.exit(0);
});
