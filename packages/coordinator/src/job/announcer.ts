import type { Clock, Stampable } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { JobIdentity } from '../state/job.js';
import { createObservations, type Observations } from '../status/observations.js';
import { createToldEvents, type ToldEvents } from '../status/told-events.js';

/** Tells events to whoever follows the run, and remembers of them what others may ask for later. */
export interface Announcer {
  readonly emit: (event: RunEvent) => void;
  readonly observations: Observations;
  readonly told: ToldEvents;
}

/** @param announceEvent tells whoever follows the run now */
export function createAnnouncer(
  clock: Clock,
  identity: Pick<JobIdentity, 'job'>,
  announceEvent: (event: Stampable<RunEvent>) => void,
): Announcer {
  const observations = createObservations(clock);
  const told = createToldEvents(clock);
  return {
    observations,
    told,
    emit(event) {
      observations.observe(event);
      const job = identity.job()?.id;
      told.tell(event, job ?? null);
      announceEvent(job === undefined ? event : { ...event, job });
    },
  };
}
