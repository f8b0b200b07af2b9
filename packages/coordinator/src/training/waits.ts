import type { Wait } from '@tutti/runtime';
import type { Ledger } from '../state/ledger.js';

/** Servers that are gone, and nobody stands in for: nothing goes on without what they hold. */
export interface AbsentServers {
  readonly names: string;
  /** How another worker is started, whose process hosts one; undefined where servers are processes of their own. */
  readonly startHost: string | undefined;
  /** Why they cannot be reached, if that is known. */
  readonly fault: string | undefined;
}

/** A step, or an evaluation, needs servers that are gone. */
export function awaitAbsent({ names, startHost, fault }: AbsentServers, deadlineMs: number): Wait {
  const wait = { who: names, deadlineMs };
  if (startHost === undefined)
    return {
      ...{ ...wait, what: 'come back' },
      remedy: `${fault ?? 'See how it ended'}. Started again without its weights, it takes the run back to its last checkpoint.`,
    };
  return {
    ...{ ...wait, what: 'answer, or another worker to come whose process hosts one' },
    remedy: `End that worker if it hangs. ${startHost}. The run goes back to its last checkpoint then.`,
  };
}

/** What a check that has not come out waits for. */
type Check = Pick<Wait, 'who' | 'what'> | undefined;

/** What is awaited of the shards of a step, or of an evaluation. */
export interface AwaitedShards {
  readonly missing: readonly number[];
  readonly ownersOf: (shards: readonly number[]) => string;
  /** What is said of workers that take longer; may be empty. */
  readonly note: string;
  readonly check: Check;
  readonly deadlineMs: number;
}

/** A step waits for gradients, then for its check, then for the servers. */
export function awaitStep(step: number, servers: string, awaited: AwaitedShards): Wait {
  const { missing, ownersOf, note, check, deadlineMs } = awaited;
  const remedy = 'See what it says; end it if it hangs, or raise --step-deadline-ms.';
  if (missing.length > 0)
    return {
      who: `worker ${ownersOf(missing)}`,
      what: `send the gradients of shards ${missing.join(', ')} of step ${step}${note}`,
      remedy,
      deadlineMs,
    };
  return { remedy, deadlineMs, ...(check ?? { who: servers, what: `apply step ${step}` }) };
}

/** An evaluation waits for shards, then for its check. */
export function awaitEvaluation(version: number, awaited: AwaitedShards): Wait {
  const { missing, ownersOf, note, check, deadlineMs } = awaited;
  const remedy = 'See what the worker says, or end it.';
  if (missing.length === 0 && check !== undefined) return { remedy, deadlineMs, ...check };
  return {
    who: `worker ${ownersOf(missing)}`,
    what: `evaluate shards ${missing.join(', ')} at version ${version}${note}`,
    remedy,
    deadlineMs,
  };
}

/**
 * What one worker is waited for, for `tutti status`; undefined if nothing.
 * @param note as in `AwaitedShards`
 */
export function awaitedOfWorker(
  ledger: Ledger,
  shards: readonly number[],
  note: string,
): string | undefined {
  const version = ledger.version();
  const unevaluated = shards.filter(ledger.isUnevaluated).join(', ');
  if (unevaluated !== '') return `evaluate shards ${unevaluated} at version ${version}${note}`;
  const step = ledger.step(version);
  const missing = shards.filter((shard) => step?.isMissing(shard)).join(', ');
  return missing === ''
    ? undefined
    : `send the gradients of shards ${missing} of step ${version}${note}`;
}
