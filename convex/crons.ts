import { cronJobs } from "convex/server";
import { internal } from "./_generated/api";

const crons = cronJobs();

crons.interval("end expired send leases", { seconds: 30 }, internal.outbox.sweep, {});
crons.interval("tell WhatsApp of waiting blocks", { minutes: 10 }, internal.consent.sweepPushes, {});
crons.interval("start lost read receipts", { minutes: 1 }, internal.readMarks.sweep, {});
crons.interval("start lost media downloads", { minutes: 1 }, internal.media.sweep, {});
crons.interval("read lists of templates that are due", { minutes: 5 }, internal.templates.sweep, {});
crons.interval("give out new links to files", { minutes: 30 }, internal.media.turnLinks, {});
crons.interval("remove uploads that are over", { hours: 1 }, internal.uploads.sweep, {});
crons.interval("remove files that nobody holds", { hours: 1 }, internal.media.sweepFiles, {});
crons.interval("start lost jobs again", { minutes: 1 }, internal.jobs.sweep, {});
crons.interval("read again what an older reader could not", { hours: 1 }, internal.ingest.reapply, {});
crons.interval("remove what is past its time", { hours: 1 }, internal.retention.run, {});
crons.interval("remove ended sign-ins", { hours: 1 }, internal.authStore.prune, {});
crons.interval(
  "look whether accounts work, and when their tokens end",
  { hours: 6 },
  internal.accountHealth.sweep,
  {},
);

crons.interval("remove ended MCP sessions", { hours: 1 }, internal.mcpSessions.prune, {});

export default crons;
