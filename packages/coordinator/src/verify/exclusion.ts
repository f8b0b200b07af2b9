import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { Ledger } from '../state/ledger.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import type { Misfit } from './misfits.js';
import type { Verifier } from './verifier.js';

/**
 * The step goes on without who has said what cannot be; from its beginning, if it still can.
 * @throws the misfit's error if nobody else is there
 */
export type Exclude = (member: Member, step: number, misfit: Misfit) => void;

export function createExclusion(init: {
  /** What is trained; undefined while nothing is. */
  readonly ledger: () => Ledger | undefined;
  readonly membership: Pick<Membership, 'ready' | 'exclude' | 'assign'>;
  readonly verifier: Pick<Verifier, 'begin'>;
  readonly emit: (event: RunEvent) => void;
  /** Begins the step under way again. */
  readonly redo: () => void;
}): Exclude {
  const { ledger, membership, verifier, emit, redo } = init;
  return (member, step, { shards, error }) => {
    if (membership.ready().length <= 1) throw error;
    const current = ledger();
    const begun = current?.stepBegun() === true;
    if (!begun) redo();
    emit(warningOf(error));
    const { worker, host } = member;
    const { hostname, pid } = host;
    emit({ event: 'worker-excluded', worker, step, shards, hostname, pid });
    membership.exclude(member, error);
    membership.assign(!begun);
    if (!begun && current !== undefined) verifier.begin(current.version());
  };
}
