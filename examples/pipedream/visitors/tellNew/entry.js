export default defineComponent({
  props: {
    visitors: { type: "data_store" },
  },
  async run({ steps, $ }) {
    const { user_name: name } = steps.trigger.event.payload.object.participant;
    if (await this.visitors.has(name)) return $.flow.exit(`${name} was here before`);
    await this.visitors.set(name, { at: new Date() }, { ttl: 365 * 24 * 3600 });
    return { name, count: (await this.visitors.keys()).length };
  },
});
