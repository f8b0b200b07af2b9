import type { Kernels } from '@tutti/kernels';
import {
  type Contribution,
  evaluatesAt,
  type ShardReport,
  type Verification,
} from '@tutti/protocol';
import {
  endsEpoch,
  meansOf,
  type Progress,
  type ProgressState,
  type Recorder,
  type Step,
  totalOf,
} from '@tutti/run';
import { TuttiError, type Wait } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import type { Checkpoints } from '../checkpoints/checkpoints.js';
import { type CollectedState, createCollectedState } from '../state/collected-state.js';

import type { JobParts } from '../state/job-state.js';
import { createLedger } from '../state/ledger.js';
import type { Awaiting } from '../status/status.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import { createRunVerifier } from '../verify/run-verifier.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';

/** The steps of a job: gradients come in, sums go to the servers, the trained weights come back. */
export interface Training extends Awaiting {
  /**
   * Trains from a version to the end, or until a server is found to have lost its weights, or until
   * the run is interrupted and the servers hold one version.
   * @param begun what the run had counted at that version, where it is known
   * @param rewind whether workers may be further, and must go back
   */
  train(
    progress: Progress,
    version: number,
    begun: ProgressState | undefined,
    rewind: boolean,
  ): Promise<{ readonly version: number; readonly interrupted: boolean }>;
  /**
   * The stored parameters at the version that the servers hold, with the optimizer's state if that
   * is to be saved; undefined if a server lost them meanwhile.
   */
  collect(version: number): Promise<CollectedState | undefined>;
  /** Some of the trained weights may have been asked of a server that is gone: asks again. */
  collectAgain(): void;
  reported(member: Member, step: number, reports: readonly ShardReport[]): void;
  /** @throws TuttiError BAD_FRAME for a range that is no node of the tree */
  contributed(member: Member, contribution: Contribution, payload: Uint8Array): void;
  /** A worker has computed again what another contributed. */
  verified(member: Member, answer: Verification): void;
  evaluated(member: Member, version: number, reports: readonly ShardReport[]): void;
  /** A server has applied a sum. */
  applied(server: number, step: number, chunk: number): void;
  /** A server is gone for good: what was awaited of it is not. */
  forget(server: number): void;
  /** A server sent the state of a chunk at the last version. */
  captured(version: number, chunk: number, payload: Uint8Array): void;
  release(): void;
}

export function createTraining(
  init: JobParts & {
    readonly membership: Membership;
    readonly checkpoints: Checkpoints;
    readonly supervisor: Supervisor;
    readonly recorder: Recorder;
    readonly kernels: Kernels;
    /** The share of steps that are checked. */
    readonly verify: number;
    /** The run is to end between two steps. */
    readonly interrupt: AbortSignal | undefined;
  },
): Training {
  const { state, servers, sums, membership, checkpoints, monitor, deadlines, kernels } = init;
  const { supervisor } = init;
  let final: CollectedState | undefined;
  /** The version that may be left: it is evaluated, and a checkpoint of it ordered if one is due. */
  let released = -1;

  const checks = createRunVerifier({ share: init.verify, redo, ...init });

  /** Nobody knows any more what came from whom: all of the step is computed again. */
  function redo() {
    const ledger = state.ledger!;
    ledger.redo(released < ledger.version());
    checks.clear();
    supervisor.begin(true);
  }

  /**
   * Whether the run ends here: it was interrupted, and no server has begun with the step. What was
   * computed of it is not waited for: it may take long, and workers may have been told to go too.
   */
  function halted(): boolean {
    const { ledger } = state;
    if (init.interrupt?.aborted !== true || ledger === undefined) return false;
    return ledger.step(ledger.version())?.begun() !== true;
  }

  /** Has the servers apply what is ready. */
  function pump() {
    const { ledger } = state;
    if (ledger === undefined || ledger.version() !== released || halted()) return;
    const step = ledger.step(ledger.version());
    if (step === undefined || !checks.steps.cleared(step.step, step.missing)) return;
    step.give((ready) => sums.send(step.step, ready), sums.admits);
  }

  function awaited(step: Step): Wait {
    const missing = step.missing();
    const remedy = 'See what it says; end it if it hangs, or raise --step-deadline-ms.';
    const deadlineMs = deadlines.stepMs;
    const check = checks.steps.awaited(step.step);
    if (missing.length === 0 && check !== undefined) return { remedy, deadlineMs, ...check };
    return missing.length > 0
      ? {
          who: `worker ${membership.ownersOf(missing)}`,
          what: `send the gradients of shards ${missing.join(', ')} of step ${step.step}${supervisor.firstTimes()}`,
          remedy,
          deadlineMs,
        }
      : { who: servers.names, what: `apply step ${step.step}`, remedy, deadlineMs };
  }

  /** Waits for a condition, and whenever there are too few workers, for them. */
  async function untilWhole(condition: () => boolean, wait: () => Wait) {
    const met = () => condition() || state.rollback || halted();
    while (!met()) {
      await monitor.until(() => met() || !membership.enough(), wait);
      if (met()) return;
      await monitor.until(
        () => met() || membership.enough(),
        () => membership.shortage(),
      );
    }
  }

  function release() {
    supervisor.stop();
    state.ledger?.release();
    state.ledger = undefined;
    final = undefined;
    released = -1;
  }

  function askFor({ version }: CollectedState) {
    servers.sendToFirst({ type: 'capture', version, slots: checkpoints.wanted });
  }

  return {
    async train(progress, version, begun, rewind) {
      const plan = state.plan!;
      const book = createLedger({ plan, layout: state.layout!, kernels, version });
      state.ledger = book;
      checks.clear();
      membership.assign(rewind);
      progress.startAt(version, begun);
      checkpoints.startAt(version);
      supervisor.start(checks.owing);
      for (;;) {
        if (evaluatesAt(plan, book.version())) checks.evaluations.begin(book.version());
        const evaluated = () =>
          book.evaluated() && checks.evaluations.cleared(book.version(), book.unevaluated);
        const end = (interrupted: boolean) => ({ version: book.version(), interrupted });
        await untilWhole(evaluated, () => {
          const shards = book.unevaluated();
          const check = checks.evaluations.awaited(book.version());
          const remedy = 'See what the worker says, or end it.';
          const deadlineMs = deadlines.stepMs;
          if (shards.length === 0 && check !== undefined) return { remedy, deadlineMs, ...check };
          return {
            who: `worker ${membership.ownersOf(shards)}`,
            what: `evaluate shards ${shards.join(', ')} at version ${book.version()}${supervisor.firstTimes()}`,
            remedy,
            deadlineMs,
          };
        });
        if (state.rollback) return end(false);
        if (!evaluated()) {
          checkpoints.halt(progress.state());
          return end(true);
        }
        checks.evaluations.done(book.version());
        const reports = book.evaluation(book.version());
        if (reports !== undefined) supervisor.begin();
        const evaluation = reports && totalOf(reports.values());
        checkpoints.between(book.version(), progress.state(), evaluation && meansOf(evaluation));
        if (endsEpoch(plan, book.version())) {
          progress.epochDone(book.version(), evaluation);
          progress.stepStarted();
        }
        // A check can begin the step anew.
        const step = () => book.step(book.version())!;
        if (book.version() === plan.steps) return end(false);
        released = book.version();
        checks.steps.begin(book.version());
        await untilWhole(
          () => {
            // Not only on messages: who was to check a step may be gone.
            pump();
            return step().done();
          },
          () => awaited(step()),
        );
        if (state.rollback) return end(false);
        if (!step().done()) return end(true);
        progress.stepDone(book.version(), step().totals());
        checks.steps.done(book.version());
        init.recorder.done(book.version(), step().totals());
        book.advance();
        supervisor.next();
      }
    },

    async collect(version) {
      if (state.rollback) return undefined;
      const slots = checkpoints.wanted ? createOptimizer(state.plan!.optimizer).slots : 0;
      const capture = createCollectedState(state.layout!, slots, version);
      final = capture;
      askFor(capture);
      await monitor.until(
        () => capture.missing.size === 0 || state.rollback,
        () => ({
          who: servers.names,
          what: `send ${capture.missing.size} chunks of the trained weights`,
          remedy: 'See what the servers say.',
          deadlineMs: deadlines.serverMs,
        }),
      );
      return state.rollback ? undefined : capture;
    },
    collectAgain() {
      if (final !== undefined) askFor(final);
    },

    reported(member, step, reports) {
      const under = state.ledger?.step(step);
      for (const report of reports) {
        under?.report(member.worker, report);
        if (under !== undefined) checks.steps.reported(member, step, report);
      }
      supervisor.reported(member, step, reports);
      pump();
    },
    contributed(member, contribution, payload) {
      // Its memory may have been used for something else while it was on its way.
      if (contribution.era !== membership.era()) return;
      const offer = state.ledger?.step(contribution.step)?.contribute(contribution, payload);
      if (offer === 'no-node') throw noNode(member, contribution);
      if (offer === 'held' || offer === 'complete')
        checks.steps.contributed(member, contribution, payload);
      pump();
    },
    verified(member, answer) {
      checks.answered(member, answer);
      pump();
    },
    evaluated(member, version, reports) {
      const evaluation = state.ledger?.evaluation(version);
      for (const report of reports) {
        if (evaluation === undefined || evaluation.has(report.shard)) continue;
        evaluation.set(report.shard, report);
        checks.evaluations.reported(member, version, report);
      }
      supervisor.evaluated(member, version, reports);
      pump();
    },
    applied(server, step, chunk) {
      if (sums.applied(server, step, chunk)) state.ledger?.step(step)?.applied(chunk);
    },
    forget(server) {
      const { ledger } = state;
      for (const chunk of sums.forget(server)) ledger?.step(ledger.version())?.applied(chunk);
    },
    captured(version, chunk, payload) {
      if (final?.version === version) final.take(chunk, payload);
    },
    release,

    awaitsWorker(member) {
      const { shards } = member;
      const { ledger } = state;
      if (ledger === undefined) return undefined;
      const mine = (missing: readonly number[]) =>
        missing.filter((shard) => shards.includes(shard)).join(', ');
      const unevaluated = mine(ledger.unevaluated());
      if (unevaluated !== '')
        return `evaluate shards ${unevaluated} at version ${ledger.version()}${supervisor.firstTimes(member)}`;
      const missing = mine(ledger.step(ledger.version())?.missing() ?? []);
      return missing === ''
        ? undefined
        : `send the gradients of shards ${missing} of step ${ledger.version()}${supervisor.firstTimes(member)}`;
    },
    awaitsServer(server) {
      const chunks = sums.outstanding(server);
      if (chunks > 0) return `apply ${chunks} chunks of step ${state.ledger?.version()}`;
      const { firstChunk, chunks: held } = servers.rangeOf(server);
      const wanted = [...(final?.missing ?? [])].filter(
        (chunk) => chunk >= firstChunk && chunk < firstChunk + held,
      ).length;
      if (wanted === 0 || servers.views()[server]?.role !== 'primary') return undefined;
      return `send ${wanted} chunks of the trained weights`;
    },
  };
}

function noNode({ worker }: Member, { lo, hi, chunk, step }: Contribution) {
  return new TuttiError(
    'BAD_FRAME',
    `Worker ${worker} sent [${lo}, ${hi}) of chunk ${chunk} of step ${step}, which is no node of the tree`,
    { remedy: 'Check that all processes run the same version of Tutti.', details: { worker } },
  );
}
