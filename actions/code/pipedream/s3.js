"use strict";
// Requests to S3, and to what speaks as S3 does, signed by AWS Signature Version 4.

const { createHash, createHmac } = require("node:crypto");

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

// encode is a path with all escaped that S3 wants escaped.
const encode = (path) => encodeURIComponent(path).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase()).replaceAll("%2F", "/");

// signed returns the headers of a request without a query, with its signature.
function signed({ method, url, headers = {}, body, region, access_key_id: id, secret_access_key: secret, session_token: token, at }) {
  const stamp = at.toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const all = { ...headers, host: url.host, "x-amz-content-sha256": sha256(body), "x-amz-date": stamp, ...(token ? { "x-amz-security-token": token } : {}) };
  const names = Object.keys(all).sort();
  const request = [method, url.pathname, "", ...names.map((name) => `${name}:${String(all[name]).trim()}`), "", names.join(";"), all["x-amz-content-sha256"]].join("\n");
  const text = ["AWS4-HMAC-SHA256", stamp, scope, sha256(request)].join("\n");
  const key = scope.split("/").reduce(hmac, "AWS4" + secret);
  all.authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope},SignedHeaders=${names.join(";")},Signature=${hmac(key, text).toString("hex")}`;
  delete all.host; // fetch sets it
  return all;
}

// put writes an object.
async function put(to, bucket, name, body) {
  const base = to.endpoint ? `${String(to.endpoint).replace(/\/$/, "")}/${bucket}` : `https://${bucket}.s3.${to.region}.amazonaws.com`;
  const url = new URL(`${base}/${encode(name)}`);
  const headers = signed({ method: "PUT", url, headers: { "content-type": "application/json" }, body, ...to, at: new Date() });
  const answer = await fetch(url, { method: "PUT", headers, body });
  const said = await answer.text();
  if (!answer.ok) {
    const why = /<Message>([^<]*)<\/Message>/.exec(said)?.[1] ?? said.slice(0, 200);
    throw Object.assign(new Error(`$.send.s3() to ${bucket}: ${answer.status} ${why}`), { status: answer.status, retryable: answer.status >= 500 });
  }
}

module.exports = { encode, signed, put };
