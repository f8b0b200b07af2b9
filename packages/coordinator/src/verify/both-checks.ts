import type { Verification } from '@tutti/protocol';
import type { JobParts } from '../state/job-state.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import { type Checks, createChecks } from './checks.js';

/** The checks of a run: those of its steps, and those of its evaluations. */
export interface BothChecks {
  readonly steps: Checks;
  readonly evaluations: Checks;
  answered(member: Member, answer: Verification): void;
  /** The workers that were asked to check something of a version or its step, and have not answered. */
  owing(version: number): string[];
  /** Everything received of what is under way is void. */
  clear(): void;
}

export function createBothChecks(
  init: JobParts & {
    readonly membership: Membership;
    /** The share of steps, and of evaluations, that are checked. */
    readonly share: number;
    /** Begins the step under way again, and the evaluation before it if that is not done. */
    readonly redo: () => void;
  },
): BothChecks {
  let orders = 0;
  const newOrder = () => ++orders;
  const steps = createChecks({ work: 'gradient', newOrder, ...init });
  const evaluations = createChecks({ work: 'evaluation', newOrder, ...init });
  const both = [steps, evaluations];
  return {
    steps,
    evaluations,
    answered(member, answer) {
      for (const checks of both) checks.answered(member, answer);
    },
    owing: (version) => both.flatMap((checks) => checks.owing(version)),
    clear() {
      for (const checks of both) checks.clear();
    },
  };
}
