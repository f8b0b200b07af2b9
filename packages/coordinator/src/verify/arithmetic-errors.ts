import type { HostFacts } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import { differencesOf, placeOf } from '../workers/host-differences.js';
import type { Member } from '../workers/roster.js';
import type { WorkKind } from '../workers/timings.js';
import type { Dispute } from './cross-check.js';

/** The shards of a run. */
export const runOf = ({ lo, hi }: { readonly lo: number; readonly hi: number }) =>
  Array.from({ length: hi - lo }, (_, at) => lo + at);

/** Where in a run something was computed, as the end of a sentence. */
export const placeIn = (work: WorkKind, step: number) =>
  work === 'gradient' ? `of step ${step}` : `in the evaluation of version ${step}`;

/**
 * A worker contradicts the others, or itself.
 * @param found.host undefined if the worker is gone
 */
export function wrongBits(found: {
  readonly work: WorkKind;
  readonly step: number;
  readonly dispute: Dispute;
  readonly worker: string;
  readonly host: HostFacts | undefined;
  readonly others: readonly string[];
}) {
  const { work, step, dispute, worker, host, others } = found;
  const again = work === 'gradient' ? 'the step is computed' : 'it is evaluated';
  const where = host === undefined ? 'gone meanwhile' : placeOf(host);
  const against =
    others.length === 0
      ? 'it gave others when it was asked again'
      : `${others.length === 1 ? 'worker' : 'workers'} ${others.join(' and ')} found others`;
  return new TuttiError(
    'ARITHMETIC',
    `Worker ${worker} (${where}) gave wrong bits for shards ${runOf(dispute).join(', ')} ${placeIn(work, step)}: ${against}. It is excluded, and ${again} again without it`,
    {
      remedy: 'Test the memory and the processor of that machine before you use it again.',
      details: { worker, step, shards: runOf(dispute), host },
    },
  );
}

/** Two contradict each other, and nobody can tell which is right. */
export function undecidable(place: string, dispute: Dispute, members: readonly Member[]) {
  const [first, second] = members;
  const differences =
    first === undefined || second === undefined ? [] : differencesOf(first.host, second.host);
  const named = members.map(({ worker, host }) => `${worker} (${placeOf(host)})`);
  return new TuttiError(
    'ARITHMETIC',
    `Workers ${named.join(' and ')} give different bits for shards ${runOf(dispute).join(', ')} ${place}, each the same again when asked twice, and there is no other to tell which are right. ${
      differences.length === 0
        ? 'Nothing that is known of them differs'
        : `They differ in ${differences.join('; ')}`
    }`,
    {
      remedy:
        'Use machines with the same arithmetic (--strict refuses others when they join), or one worker more, to decide.',
      details: { place, shards: runOf(dispute), workers: members.map(({ worker }) => worker) },
    },
  );
}
