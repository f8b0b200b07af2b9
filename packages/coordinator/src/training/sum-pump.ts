import type { Steering } from '@tutti/run';
import type { Aggregation } from '../aggregation/aggregation.js';
import type { Ledger } from '../state/ledger.js';
import type { Verifier } from '../verify/verifier.js';

/** Has the servers apply the sums of the step under way that are ready, as soon as they may. */
export function createSumPump(init: {
  /** What is trained; undefined while nothing is. */
  readonly ledger: () => Ledger | undefined;
  readonly aggregation: Pick<Aggregation, 'give'>;
  readonly verifier: Pick<Verifier, 'cleared'>;
  readonly steering: Pick<Steering, 'rate'>;
  /** Whether the run ends before the step under way. */
  readonly halted: () => boolean;
}): () => void {
  const { ledger, aggregation, verifier, steering, halted } = init;
  return () => {
    if (ledger()?.stepPermitted() !== true || halted()) return;
    const step = ledger()?.current();
    if (step === undefined) return;
    const whole = () => step.reported() && step.missing().length === 0;
    if (!verifier.cleared(step.step, whole)) return;
    aggregation.give(steering.rate());
  };
}
