import type { Member } from '../workers/roster.js';
import type { WorkKind } from '../workers/timings.js';

/** What workers are busy with at a time. */
export interface Stage {
  readonly work: WorkKind;
  /** The version or step. */
  readonly at: number;
}

/** What is to be computed of some stage. */
export interface Pending {
  readonly stage: Stage;
  readonly shards: readonly number[];
}

/** What one worker has to do, and must be heard of. */
export interface Owed extends Pending {
  readonly member: Member;
}
