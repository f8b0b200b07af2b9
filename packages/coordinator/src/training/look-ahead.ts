import type { JobPlan } from '@tutti/protocol';
import { endsEpoch, type Steering } from '@tutti/run';
import type { Clock } from '@tutti/runtime';
import type { Aggregation } from '../aggregation/aggregation.js';
import type { CatchUp } from '../alignment/catch-up.js';
import type { Checkpoints } from '../checkpoints/checkpoints.js';
import type { Ledger } from '../state/ledger.js';
import { LOOK_AHEAD_MS, MOST_STEPS_AHEAD } from '../tunables.js';

/** What the servers may do by themselves from the version under way on. */
export type LookAhead = (ledger: Pick<Ledger, 'version' | 'allowed'>) => void;

/**
 * Lets the servers apply sums without an order: a short step would wait for the coordinator for much of its
 * time. They go no further than to the next version at which something is decided, and no longer than a
 * moment, since what somebody wishes in between waits for them.
 */
export function createLookAhead(init: {
  readonly plan: JobPlan;
  readonly clock: Clock;
  readonly aggregation: Pick<Aggregation, 'allow'>;
  readonly checkpoints: Pick<Checkpoints, 'next'>;
  readonly steering: Pick<Steering, 'rate'>;
  /** Servers are given what others have while none goes on. */
  readonly catchUp: Pick<CatchUp, 'due'>;
  /** The run is to end between two steps. */
  readonly interrupt: AbortSignal | undefined;
}): LookAhead {
  const { plan, clock, aggregation, checkpoints, steering, catchUp, interrupt } = init;
  /** When the latest versions were come to. */
  let times: number[] = [];
  let before = -1;

  function mostSteps(): number {
    const took = (times.at(-1)! - times[0]!) / (times.length - 1);
    return Math.min(MOST_STEPS_AHEAD, Math.floor(LOOK_AHEAD_MS / took));
  }

  return (ledger) => {
    const version = ledger.version();
    if (version !== before + 1) times = [];
    before = version;
    times.push(clock.now());
    if (times.length > MOST_STEPS_AHEAD) times.shift();
    if (times.length < 2 || interrupt?.aborted || catchUp.due()) return;
    const most = mostSteps();
    // Not at every step.
    if (2 * (ledger.allowed() - version) > most) return;
    const end = Math.min(version + most, checkpoints.next(version));
    let until = version;
    while (until < end) {
      until++;
      // Evaluated versions and the last are among these.
      if (endsEpoch(plan, until)) break;
    }
    aggregation.allow(until, steering.rate());
  };
}
