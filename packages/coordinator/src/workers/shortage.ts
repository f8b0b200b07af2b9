import type { Wait } from '@tutti/runtime';

/** Where workers are to come to, and until when. */
export interface MeetingPoint {
  readonly address: string;
  readonly deadlineMs: number;
  /** Whether somebody starts the workers, so that nobody has to be asked to. */
  readonly starting: boolean;
}

/** Somebody must come before anything can go on. */
export function awaitAnyone(point: MeetingPoint, what: string): Wait {
  return {
    who: 'a worker',
    what,
    remedy: startOne(point),
    deadlineMs: point.deadlineMs,
  };
}

/** How a worker is started whose process hosts a server. */
export function startHost(point: MeetingPoint): string {
  return `${startOne(point)} --servers colocated`;
}

function startOne(point: MeetingPoint): string {
  return remedyOf(point, 'It is being started; start another', 'Start one');
}

function remedyOf({ address, starting }: MeetingPoint, another: string, start: string): string {
  return `${starting ? another : start}: tutti worker <program> --coordinator ${address}`;
}

/**
 * As many as are wanted must be there, and have shown their arithmetic.
 * @param crew.here the names of those that have joined
 * @param crew.probing the names of those among them that still compute their probe
 * @param crew.lastLoss who was lost last, as the end of a sentence; empty if nobody was
 */
export function awaitWorkers(
  point: MeetingPoint,
  wanted: number,
  crew: {
    readonly here: readonly string[];
    readonly probing: readonly string[];
    readonly lastLoss: string;
  },
): Wait {
  const { here, probing, lastLoss } = crew;
  const { address, deadlineMs } = point;
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
    remedy: remedyOf(point, 'They are being started; start others', 'Start them'),
    deadlineMs,
  };
}
