import type { Kernels } from '@tutti/kernels';
import type { Contribution, ShardReport, Verification } from '@tutti/protocol';
import { TuttiError, type Wait } from '@tutti/runtime';
import { createChecks } from './checks.js';
import type { JobParts } from './job-state.js';
import { createLedger } from './ledger.js';
import type { Member } from './members.js';
import type { Membership } from './membership.js';
import { endsEpoch, type Progress } from './progress.js';
import type { Step } from './step.js';
import { totalOf } from './totals.js';

/** The steps of a job: gradients come in, sums go to the servers, the trained weights come back. */
export interface Training {
  /** Trains from a version to the end, or until a server is found to have lost its weights. */
  train(progress: Progress, version: number, rewind: boolean): Promise<void>;
  /** The stored parameters at the last version; undefined if a server lost them meanwhile. */
  collect(): Promise<Float32Array | undefined>;
  /** Some of the trained weights may have been asked of a server that is gone: asks again. */
  collectAgain(): void;
  reported(member: Member, step: number, reports: readonly ShardReport[]): void;
  /** @throws TuttiError BAD_FRAME for a range that is no node of the tree */
  contributed(member: Member, contribution: Contribution, payload: Uint8Array): void;
  /** A worker has computed again what another contributed. */
  verified(member: Member, answer: Verification): void;
  evaluated(version: number, reports: readonly ShardReport[]): void;
  /** A server has applied a sum. */
  applied(server: number, step: number, chunk: number): void;
  /** A server is gone for good: what was awaited of it is not. */
  forget(server: number): void;
  weights(chunk: number, payload: Uint8Array): void;
  release(): void;
}

export function createTraining(
  init: JobParts & {
    readonly membership: Membership;
    readonly kernels: Kernels;
    /** The share of steps that are checked. */
    readonly verify: number;
  },
): Training {
  const { state, servers, deliveries, membership, monitor, deadlines, kernels } = init;
  let final: { readonly flat: Float32Array; readonly missing: Set<number> } | undefined;

  const checks = createChecks({ ...init, share: init.verify, redo });

  /** Nobody knows any more what came from whom: all of the step is computed again. */
  function redo() {
    state.ledger!.redo();
    checks.clear();
  }

  /** Has the servers apply what is ready. A version that is being evaluated stays until it is. */
  function pump() {
    const { ledger } = state;
    if (ledger === undefined || !ledger.evaluated) return;
    const step = ledger.step(ledger.version);
    if (step === undefined || !checks.cleared(step)) return;
    for (const ready of step.ready()) deliveries.send(step.step, ready);
  }

  function awaited(step: Step): Wait {
    const missing = step.missing();
    const remedy = 'See what it says; end it if it hangs, or raise --step-deadline-ms.';
    const deadlineMs = deadlines.stepMs;
    const check = checks.awaited(step);
    if (missing.length === 0 && check !== undefined) return { ...check, remedy, deadlineMs };
    return missing.length > 0
      ? {
          who: `worker ${membership.ownersOf(missing)}`,
          what: `send the gradients of shards ${missing.join(', ')} of step ${step.step}`,
          remedy,
          deadlineMs,
        }
      : { who: servers.names, what: `apply step ${step.step}`, remedy, deadlineMs };
  }

  /** Waits for a condition, and whenever there are too few workers, for them. */
  async function untilWhole(condition: () => boolean, wait: () => Wait) {
    const met = () => condition() || state.rollback;
    while (!met()) {
      await monitor.until(() => met() || !membership.enough, wait);
      if (met()) return;
      await monitor.until(
        () => met() || membership.enough,
        () => membership.shortage(),
      );
    }
  }

  function release() {
    state.ledger?.release();
    state.ledger = undefined;
    final = undefined;
  }

  return {
    async train(progress, version, rewind) {
      const plan = state.plan!;
      const book = createLedger({ plan, layout: state.layout!, kernels, version });
      state.ledger = book;
      checks.clear();
      membership.assign(rewind);
      progress.startAt(version);
      for (;;) {
        await untilWhole(
          () => book.evaluated,
          () => {
            const shards = book.unevaluated();
            return {
              who: `worker ${membership.ownersOf(shards)}`,
              what: `evaluate shards ${shards.join(', ')} at version ${book.version}`,
              remedy: 'See what the worker says, or end it.',
              deadlineMs: deadlines.stepMs,
            };
          },
        );
        if (state.rollback) return;
        if (endsEpoch(plan, book.version)) {
          const reports = book.evaluation(book.version);
          progress.epochDone(book.version, reports && totalOf(reports.values()));
          progress.stepStarted();
        }
        // A check can begin the step anew.
        const step = () => book.step(book.version)!;
        if (book.version === plan.steps) return;
        await untilWhole(
          () => {
            // Not only on messages: who was to check a step may be gone.
            pump();
            return step().done;
          },
          () => awaited(step()),
        );
        if (state.rollback) return;
        progress.stepDone(book.version, step().totals);
        checks.done(book.version);
        book.advance();
      }
    },

    async collect() {
      if (state.rollback) return undefined;
      const layout = state.layout!;
      const flat = new Float32Array(layout.floats);
      const missing = new Set(Array.from({ length: layout.chunks }, (_, chunk) => chunk));
      final = { flat, missing };
      servers.sendToFirst({ type: 'pull', version: state.plan!.steps });
      await monitor.until(
        () => missing.size === 0 || state.rollback,
        () => ({
          who: servers.names,
          what: `send ${missing.size} chunks of the trained weights`,
          remedy: 'See what the servers say.',
          deadlineMs: deadlines.serverMs,
        }),
      );
      return state.rollback ? undefined : flat;
    },
    collectAgain() {
      if (final !== undefined) servers.sendToFirst({ type: 'pull', version: state.plan!.steps });
    },

    reported(member, step, reports) {
      const under = state.ledger?.step(step);
      for (const report of reports) {
        under?.report(member.worker, report);
        if (under !== undefined) checks.reported(member, step, report);
      }
      pump();
    },
    contributed(member, contribution, payload) {
      const offer = state.ledger?.step(contribution.step)?.contribute(contribution, payload);
      if (offer === 'no-node') throw noNode(member, contribution);
      if (offer === 'held' || offer === 'complete')
        checks.contributed(member, contribution, payload);
      pump();
    },
    verified(member, answer) {
      checks.answered(member, answer);
      pump();
    },
    evaluated(version, reports) {
      const evaluation = state.ledger?.evaluation(version);
      for (const report of reports) evaluation?.set(report.shard, report);
      pump();
    },
    applied(server, step, chunk) {
      if (deliveries.applied(server, step, chunk)) state.ledger?.step(step)?.applied(chunk);
    },
    forget(server) {
      const { ledger } = state;
      for (const chunk of deliveries.forget(server)) ledger?.step(ledger.version)?.applied(chunk);
    },
    weights(chunk, payload) {
      if (final?.missing.delete(chunk))
        new Uint8Array(final.flat.buffer).set(payload, 4 * chunk * state.layout!.chunkFloats);
    },
    release,
  };
}

function noNode({ worker }: Member, { lo, hi, chunk, step }: Contribution) {
  return new TuttiError(
    'BAD_FRAME',
    `Worker ${worker} sent [${lo}, ${hi}) of chunk ${chunk} of step ${step}, which is no node of the tree`,
    { remedy: 'Check that all processes run the same version of Tutti.', details: { worker } },
  );
}
