import type { BestState } from '../progress/steering.js';
import type { Snapshot } from './snapshot.js';

/** The checkpoint of the version that a run ends with, though it came further. */
export function bestSnapshot(
  run: Pick<Snapshot, 'job' | 'plan' | 'versions'>,
  { version, flat, slots, progress, means, evaluated }: BestState,
  ranges: readonly number[],
): Snapshot {
  const evaluation = evaluated ? { evaluation: means } : {};
  return { ...run, step: version, flat, slots, ranges, progress, ...evaluation };
}
