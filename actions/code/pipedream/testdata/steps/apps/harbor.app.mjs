import { axios } from "@pipedream/platform";

export default {
  type: "app",
  app: "zoom",
  propDefinitions: {
    meetingId: {
      type: "integer",
      label: "Meeting",
      async options({ page }) {
        return this.meetings(page);
      },
    },
    limit: { type: "integer", label: "Limit", optional: true, default: 30 },
  },
  methods: {
    base() {
      return globalThis.HARBOR;
    },
    call({ $ = this, path, ...rest }) {
      return axios($, {
        url: this.base() + path,
        headers: { authorization: `Bearer ${this.$auth.oauth_access_token}`, nothing: undefined },
        ...rest,
      });
    },
    meetings(page) {
      return this.call({ path: "/meetings", params: { page } });
    },
    async *all(path) {
      for (let page = 1; page <= 2; page++) yield* (await this.call({ path, params: { page, tags: ["a", "b"] } })).items;
    },
  },
};
