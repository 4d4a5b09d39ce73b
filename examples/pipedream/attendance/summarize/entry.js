import { ConfigurationError } from "@pipedream/platform";

export default defineComponent({
  props: { greeting: { type: "string" }, most: { type: "integer", default: 20 } },
  methods: {
    minutes(people) {
      return people.map((p) => `${p.name} ${Math.round(p.duration / 60)} min`).slice(0, this.most);
    },
  },
  async run({ steps, $ }) {
    const all = steps.getPeople.$return_value;
    if (!Array.isArray(all)) throw new ConfigurationError("there is no list of people");
    const people = Object.values(Object.groupBy ? Object.groupBy(all, (p) => p.name) : all.reduce((by, p) => ({ ...by, [p.name]: [...(by[p.name] ?? []), p] }), {}));
    $.export("people", people.length);
    if (people.length === 0) return $.flow.exit("nobody was there");
    const once = people.map((p) => ({ name: p[0].name, duration: p.reduce((sum, q) => sum + q.duration, 0) }));
    return { text: `${this.greeting}: ${this.minutes(once).join(", ")}` };
  },
});
