import type { Wait } from '@tutti/runtime';

/** Where workers are to come to, and until when. */
export interface MeetingPoint {
  readonly address: string;
  readonly deadlineMs: number;
}

/** Somebody must come before anything can go on. */
export function awaitAnyone({ address, deadlineMs }: MeetingPoint, what: string): Wait {
  return {
    who: 'a worker',
    what,
    remedy: `Start one: tutti worker <program> --coordinator ${address}`,
    deadlineMs,
  };
}

/**
 * As many as are wanted must be there, and have shown their arithmetic.
 * @param crew.here the names of those that have joined
 * @param crew.probing the names of those among them that still compute their probe
 * @param crew.lastLoss who was lost last, as the end of a sentence; empty if nobody was
 */
export function awaitWorkers(
  { address, deadlineMs }: MeetingPoint,
  wanted: number,
  crew: {
    readonly here: readonly string[];
    readonly probing: readonly string[];
    readonly lastLoss: string;
  },
): Wait {
  const { here, probing, lastLoss } = crew;
  if (here.length >= wanted)
    return {
      who: `worker ${probing.join(', ')}`,
      what: 'compute a probe gradient',
      remedy: 'See what it says; a slow machine may need a longer --join-deadline-ms.',
      deadlineMs,
    };
  const present = here.length > 0 ? ` (here: ${here.join(', ')})` : '';
  return {
    who: `${wanted - here.length} of ${wanted} workers`,
    what: `join at ${address}${present}${lastLoss}`,
    remedy: `Start them: tutti worker <program> --coordinator ${address}`,
    deadlineMs,
  };
}
