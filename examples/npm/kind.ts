import { match, P } from "ts-pattern";

// Zoom's types of meetings: https://developers.zoom.us/docs/api/meetings/
type Meeting = { type: 1 | 2 | 3 | 4 | 8; topic: string };
type Kind = "at once" | "planned" | "one of a series" | "personal room";

export default ({ event }: { event: { payload: { object: Meeting } } }): Kind =>
  match(event.payload.object)
    .returnType<Kind>()
    .with({ type: 1 }, () => "at once")
    .with({ type: P.union(3, 8) }, () => "one of a series")
    .with({ type: 4 }, () => "personal room")
    .with({ type: 2 }, () => "planned")
    .exhaustive();
