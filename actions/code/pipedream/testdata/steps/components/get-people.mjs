import harbor from "../apps/harbor.app.mjs";

const common = { props: { harbor } };

export default {
  ...common,
  key: "harbor-get-people",
  name: "Get people",
  version: "0.0.1",
  type: "action",
  props: {
    ...common.props,
    meetingId: { propDefinition: [harbor, "meetingId"], description: "Which" },
    limit: { propDefinition: [harbor, "limit", (c) => ({ meeting: c.meetingId })] },
    note: { type: "string", optional: true },
    info: { type: "alert", alertType: "info", content: "x" },
  },
  methods: {
    named(people) {
      return people.slice(0, this.limit).map((p) => p.name);
    },
  },
  async run({ $ }) {
    const people = [];
    for await (const p of this.harbor.all(`/meetings/${this.meetingId}/people`)) people.push(p);
    $.export("$summary", `${people.length} people`);
    return { names: this.named(people), type: typeof this.meetingId, limit: this.limit, note: this.note ?? "none" };
  },
};
