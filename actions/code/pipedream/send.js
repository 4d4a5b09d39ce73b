"use strict";
// What code in Pipedream's shape sends by $.send: put aside while it runs, and handed to
// the worker once it has succeeded. The worker does it as a step of its own would.

const { Unfit, ask } = require("zflow:pipedream/stores");
const { put: write } = require("zflow:pipedream/s3");

const mayEmit = (args, what) => {
  if (args.inputs?.$emit !== true) throw new Unfit(`${what} is not let out here: write with: { $emit: true }`);
};

// sender is $.send, but for http.
function sender(args, sends) {
  const put = (action, input) => void sends.push({ action, input });
  return {
    email({ subject, text, html } = {}) {
      if (!args.inputs?.$email?.length) throw new Unfit("$.send.email() goes to nobody here: say to whom with: { $email: you@example.org }");
      put("email.send", { subject: String(subject ?? ""), ...(html === undefined ? {} : { html: String(html) }), ...(text === undefined && html !== undefined ? {} : { text: String(text ?? "") }) });
    },
    emit({ channel, raw_event: raw, event } = {}) {
      mayEmit(args, "$.send.emit()");
      put("emit", { type: channel ?? args.run?.workflow ?? "code", data: raw ?? event ?? {} });
    },
    sse({ channel, payload } = {}) {
      if (typeof channel !== "string" || channel === "") throw new Unfit("$.send.sse() needs a channel");
      mayEmit(args, "$.send.sse()");
      put("emit", { type: "sse." + channel, data: payload ?? {} });
    },
    s3({ bucket, prefix = "", delimiter, payload } = {}) {
      const to = args.inputs?.$s3;
      if (!to?.region || !to.access_key_id || !to.secret_access_key) throw new Unfit("$.send.s3() has no rights here: give them with: { $s3: { region: …, access_key_id: …, secret_access_key: … } }, from secrets");
      if (typeof bucket !== "string" || bucket === "") throw new Unfit("$.send.s3() needs a bucket");
      sends.push({ to, bucket, name: objectName(args, prefix, sends.length), body: JSON.stringify(payload ?? null) + (delimiter ?? "\n") });
    },
  };
}

// objectName is the same however often the step is attempted, so that what is written
// again takes the place of what was there.
function objectName(args, prefix, n) {
  const at = new Date(args.trigger?.received_at ?? 0).toISOString();
  return `${prefix === "" || prefix.endsWith("/") ? prefix : prefix + "/"}${at.slice(0, 13).replace(/[-T]/g, "/")}/${args.step?.key ?? args.run?.id ?? "run"}-${n}.json`;
}

// sendAll hands them over, one after the other.
async function sendAll(args, sends) {
  for (const { action, input, to, bucket, name, body } of sends) {
    if (to) await write(to, bucket, name, body);
    else await ask(args, { op: "send", action }, input);
  }
}

module.exports = { sender, sendAll };
