"use strict";
// What code in Pipedream's shape sends by $.send: put aside while it runs, and handed to
// the worker once it has succeeded. The worker does it as a step of its own would.

const { Unfit, ask } = require("zflow:pipedream/stores");

// sender is $.send, but for http.
function sender(args, sends) {
  const put = (action, input) => void sends.push({ action, input });
  return {
    email({ subject, text, html } = {}) {
      const to = args.inputs?.$email;
      if (to === undefined || to === null || to.length === 0) throw new Unfit("$.send.email() goes to nobody here: say to whom with: { $email: you@example.org }");
      put("email.send", { to, subject: String(subject ?? ""), ...(html === undefined ? {} : { html: String(html) }), ...(text === undefined && html !== undefined ? {} : { text: String(text ?? "") }) });
    },
    emit({ channel, raw_event: raw, event } = {}) {
      put("emit", { type: channel ?? args.run?.workflow ?? "code", data: raw ?? event ?? {} });
    },
    sse({ channel, payload } = {}) {
      if (typeof channel !== "string" || channel === "") throw new Unfit("$.send.sse() needs a channel");
      put("emit", { type: "sse." + channel, data: payload ?? {} });
    },
    s3() {
      throw new Unfit("$.send.s3() is not there: it writes with rights that Pipedream has; write a step http.request behind this one");
    },
  };
}

// sendAll hands them over, one after the other.
async function sendAll(args, sends) {
  for (const { action, input } of sends) await ask(args, { op: "send", action }, input);
}

module.exports = { sender, sendAll };
