import type { Step } from "./types";

interface Inputs {
  perHour: Record<string, number>; // by the kind of meeting
  currency: string;
}

interface Meeting {
  topic?: string;
  start_time: string;
  end_time: string;
}

/** What an hour of a meeting costs is in its topic: "[sales] Weekly". */
export default async function cost({ event, inputs, log }: Step<Meeting, Inputs>) {
  const { topic = "", start_time, end_time } = event.payload.object;
  const minutes = Math.round((Date.parse(end_time) - Date.parse(start_time)) / 60_000);
  if (!(minutes >= 0)) throw new Error(`the meeting ended (${end_time}) before it began (${start_time})`);
  const kind = /^\[(\w+)\]/.exec(topic)?.[1] ?? "other";
  const rate = inputs.perHour[kind] ?? inputs.perHour.other;
  log.info(`${kind}: ${minutes} minutes at ${rate} ${inputs.currency} an hour`);
  return { kind, minutes, cost: ((rate * minutes) / 60).toFixed(2) + " " + inputs.currency };
}
