import harbor from "../apps/harbor.app.mjs";

export default {
  type: "source",
  key: "harbor-recording",
  dedupe: "unique",
  props: {
    harbor,
    apphook: { type: "$.interface.apphook", appProp: "harbor", eventNames: ["recording.completed"] },
    audio: { type: "boolean", optional: true, default: false },
    db: "$.service.db",
  },
  async run(event) {
    for (const file of event.payload.object.recording_files) {
      if (!this.audio && file.file_type === "M4A") continue;
      this.$emit({ ...file, topic: event.payload.object.topic }, { id: file.id, summary: `${file.file_type}`, ts: 5 });
    }
  },
};
