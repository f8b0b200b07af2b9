import type { JobPlan, Verification } from '@tutti/protocol';
import type { RunEvent } from '@tutti/telemetry';
import type { Owed } from '../stragglers/owed.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import { createVerifier, type Verifier } from './verifier.js';

/** The checks of a run: those of its steps, and those of its evaluations. */
export interface RunVerifier {
  readonly steps: Verifier;
  readonly evaluations: Verifier;
  answered(member: Member, answer: Verification): void;
  /** The workers that were asked to check something of a version or its step, and have not answered. */
  owing(version: number): readonly Owed[];
  /** Everything received of what is under way is void. */
  clear(): void;
}

export function createRunVerifier(init: {
  readonly plan: JobPlan;
  readonly emit: (event: RunEvent) => void;
  readonly membership: Membership;
  /** The share of steps, and of evaluations, that are checked. */
  readonly share: number;
  /** Begins the step under way again, and the evaluation before it if that is not done. */
  readonly redo: () => void;
}): RunVerifier {
  let orders = 0;
  const newOrder = () => ++orders;
  const steps = createVerifier({ work: 'gradient', newOrder, ...init });
  const evaluations = createVerifier({ work: 'evaluation', newOrder, ...init });
  const both = [steps, evaluations];
  return {
    steps,
    evaluations,
    answered(member, answer) {
      for (const verifier of both) verifier.answered(member, answer);
    },
    owing: (version) => both.flatMap((verifier) => verifier.owing(version)),
    clear() {
      for (const verifier of both) verifier.clear();
    },
  };
}
