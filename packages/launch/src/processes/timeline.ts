import { hostname } from 'node:os';
import { systemClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createTimelineFile, joinTimelineFile, type TimelineFile } from '@tutti/tracking';

/** What the plain loop is called there. */
export const PLAIN_LOOP = 'plain loop';

type Emit = (event: RunEvent) => void;

const ofThisProcess = (path: string, emit: Emit) => ({
  ...{ path, emit, pid: process.pid, host: hostname() },
  ...{ clock: systemClock, originMs: performance.timeOrigin },
});

/** Begins the timeline of a run, if one is asked for. @throws TuttiError STORAGE */
export async function beginTimeline(
  { timeline: path }: { readonly timeline?: string | undefined },
  emit: Emit,
): Promise<TimelineFile | undefined> {
  return path === undefined ? undefined : createTimelineFile(ofThisProcess(path, emit));
}

/** Goes on with it in a process that the run has started. @throws TuttiError STORAGE */
export function joinTimeline(
  { timeline: path }: { readonly timeline?: string | undefined },
  emit: Emit,
): TimelineFile | undefined {
  return path === undefined ? undefined : joinTimelineFile(ofThisProcess(path, emit));
}
