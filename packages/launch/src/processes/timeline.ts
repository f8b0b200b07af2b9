import { hostname } from 'node:os';
import { systemClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { TimelineFile } from '@tutti/tracking';

/** What the plain loop is called there. */
export const PLAIN_LOOP = 'plain loop';

type Emit = (event: RunEvent) => void;

// Only then: it comes with what writes the files of other tools.
const tracking = () => import('@tutti/tracking');

const ofThisProcess = (path: string, emit: Emit) => ({
  ...{ path, emit, pid: process.pid, host: hostname() },
  ...{ clock: systemClock, originMs: performance.timeOrigin },
});

/** Begins the timeline of a run, if one is asked for. @throws TuttiError STORAGE */
export async function beginTimeline(
  { timeline: path }: { readonly timeline?: string | undefined },
  emit: Emit,
): Promise<TimelineFile | undefined> {
  if (path === undefined) return undefined;
  // Unnamed wait: modules of this machine.
  const { createTimelineFile } = await tracking();
  return createTimelineFile(ofThisProcess(path, emit));
}

/** Goes on with it in a process that the run has started. @throws TuttiError STORAGE */
export async function joinTimeline(
  { timeline: path }: { readonly timeline?: string | undefined },
  emit: Emit,
): Promise<TimelineFile | undefined> {
  if (path === undefined) return undefined;
  // Unnamed wait: modules of this machine.
  const { joinTimelineFile } = await tracking();
  return joinTimelineFile(ofThisProcess(path, emit));
}
