import type { ConnectFault } from '@tutti/protocol';
import type { Wait } from '@tutti/runtime';
import { MOST_NAMED_CHUNKS } from '../tunables.js';
import type { Enrolment } from './enrolment.js';
import type { WeightPuller } from './weight-puller.js';
import type { WeightBuffer } from './weights.js';

/** What is to be said and done where a peer cannot be reached. */
export function remedyOf(fault: ConnectFault | undefined): string | undefined {
  if (fault === undefined) return undefined;
  const { reason, remedy } = fault;
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}. ${remedy}`;
}

/**
 * Whom a worker waits for that has nothing to do.
 * @param goal the version that it asked for last; -1 before the first
 */
export function awaitedNews(
  init: {
    readonly coordinator: string;
    readonly deadlineMs: number;
    readonly enrolment: Enrolment;
    readonly puller: WeightPuller;
    readonly weights: WeightBuffer;
  },
  goal: number,
): Wait {
  const { deadlineMs, enrolment, puller, weights } = init;
  const who = `the coordinator at ${init.coordinator}`;
  const remedy = 'See what it waits for: tutti status --coordinator, or its log.';
  if (!enrolment.present())
    return {
      who,
      what: 'come back',
      remedy:
        remedyOf(enrolment.fault()) ??
        'See how it ended; started again with the same settings, it finds its job.',
      deadlineMs,
    };
  if (goal < 0) return { who, what: 'assign shards', remedy, deadlineMs };
  const missing = weights.missing();
  const some = missing.length > MOST_NAMED_CHUNKS ? ', …' : '';
  const what = `send chunks ${missing.slice(0, MOST_NAMED_CHUNKS).join(', ')}${some} of version ${goal}`;
  // With all weights here, it has been told nothing to compute.
  return missing.length === 0
    ? { who, what: `say what to do at version ${goal}`, remedy, deadlineMs }
    : {
        who: puller.namesOf(missing),
        what,
        remedy: remedyOf(puller.faultOf(missing)) ?? remedy,
        deadlineMs,
      };
}
