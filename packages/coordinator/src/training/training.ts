import type { Kernels } from '@tutti/kernels';
import {
  type Contribution,
  evaluatesAt,
  type ShardReport,
  type Verification,
} from '@tutti/protocol';
import { createLanding } from '@tutti/reduction';
import {
  endsEpoch,
  meansOf,
  type Progress,
  type ProgressState,
  type Recorder,
  type Steering,
  type Totals,
  totalOf,
} from '@tutti/run';
import type { Monitor, Wait } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { Checkpoints } from '../checkpoints/checkpoints.js';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import type { SumsInFlight } from '../servers/sums-in-flight.js';
import type { Awaiting } from '../state/awaiting.js';
import type { Job } from '../state/job.js';
import { createLedger, type Ledger } from '../state/ledger.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import { createRunVerifier } from '../verify/run-verifier.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import type { FinalWeights } from './final-weights.js';
import { type Misfit, miscounted, noNode, offerOf } from './misfits.js';
import { type AwaitedShards, awaitEvaluation, awaitedOfWorker, awaitStep } from './waits.js';

/** How far a training came. */
export interface Reached {
  readonly version: number;
  readonly interrupted: boolean;
  /** The run is over: neither interrupted, nor has a server lost its weights. */
  readonly over: boolean;
}

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
  ): Promise<Reached>;
  /** That of the step under way; undefined while nothing is trained. */
  ledger(): Ledger | undefined;
  reported(member: Member, step: number, reports: readonly ShardReport[]): void;
  /** Where a contribution to a chunk may be read to; undefined if it has another length. */
  landing(chunk: number, bytes: number): Uint8Array | undefined;
  /** Who sends what is no sum of a node of the tree is excluded. */
  contributed(member: Member, contribution: Contribution, payload: Uint8Array): void;
  /** A worker has computed again what another contributed. */
  verified(member: Member, answer: Verification): void;
  evaluated(member: Member, version: number, reports: readonly ShardReport[]): void;
  /** A server has applied a sum. */
  applied(server: number, step: number, chunk: number): void;
  /** A server is gone for good: what was awaited of it is not. */
  forget(server: number): void;
  release(): void;
}

export function createTraining(init: {
  readonly job: Job;
  readonly servers: Pick<Servers, 'names'>;
  readonly sums: SumsInFlight;
  readonly membership: Membership;
  readonly checkpoints: Checkpoints;
  readonly supervisor: Supervisor;
  readonly recorder: Recorder;
  readonly steering: Steering;
  readonly finalWeights: Pick<FinalWeights, 'collect' | 'release'>;
  readonly kernels: Kernels;
  readonly monitor: Monitor;
  readonly deadlines: Deadlines;
  readonly emit: (event: RunEvent) => void;
  /** The share of steps that are checked. */
  readonly verify: number;
  /** The run is to end between two steps. */
  readonly interrupt: AbortSignal | undefined;
  /** Whether a server has lost its weights. */
  readonly lost: () => boolean;
}): Training {
  const { job, sums, membership, checkpoints, supervisor, monitor, deadlines, kernels } = init;
  const { steering, finalWeights } = init;
  const { emit, lost } = init;
  const { plan, layout } = job;
  const { stepMs: deadlineMs } = deadlines;
  const { ownersOf } = membership;
  const landing = createLanding(kernels);
  let current: Ledger | undefined;
  /** The version that may be left: it is evaluated, and a checkpoint of it ordered if one is due. */
  let released = -1;

  const verifier = createRunVerifier({ plan, membership, emit, share: init.verify, redo });

  /** Nobody knows any more what came from whom: all of the step is computed again. */
  function redo() {
    current?.redo(released < current.version());
    verifier.clear();
    supervisor.begin(true);
  }

  /**
   * Whether the run ends here: it was interrupted, and no server has begun with the step. What was
   * computed of it is not waited for: it may take long, and workers may have been told to go too.
   */
  function halted(): boolean {
    if (init.interrupt?.aborted !== true || current === undefined) return false;
    return current.step(current.version())?.begun() !== true;
  }

  /** Has the servers apply what is ready. */
  function pump() {
    if (current === undefined || current.version() !== released || halted()) return;
    const step = current.step(released);
    if (step === undefined || !verifier.steps.cleared(step.step, step.missing)) return;
    step.give((ready) => sums.send(step.step, ready, steering.rate()), sums.admits);
  }

  /** Waits for a condition, and whenever there are too few workers, for them. */
  async function untilWhole(condition: () => boolean, wait: () => Wait) {
    const met = () => condition() || lost() || halted();
    while (!met()) {
      await monitor.until(() => met() || !membership.enough(), wait);
      if (met()) return;
      await monitor.until(
        () => met() || membership.enough(),
        () => membership.shortage(),
      );
    }
  }

  const awaited = (missing: readonly number[], check: AwaitedShards['check']): AwaitedShards => ({
    ...{ missing, ownersOf, check, deadlineMs },
    note: supervisor.firstTimes(),
  });

  /** Whether the version under way is evaluated, or needs not be; else the run ends here. */
  async function evaluated(ledger: Ledger): Promise<boolean> {
    const version = ledger.version();
    if (evaluatesAt(plan, version)) verifier.evaluations.begin(version);
    const done = () =>
      ledger.evaluated() && verifier.evaluations.cleared(version, ledger.unevaluated);
    await untilWhole(done, () =>
      awaitEvaluation(
        version,
        awaited(ledger.unevaluated(), verifier.evaluations.awaited(version)),
      ),
    );
    return !lost() && done();
  }

  /** The totals of the step under way, once it is applied; undefined if the run ends before. */
  async function applied(ledger: Ledger): Promise<Totals | undefined> {
    const step = ledger.version();
    released = step;
    verifier.steps.begin(step);
    // A check can begin the step anew.
    const missing = () => ledger.step(step)?.missing() ?? [];
    await untilWhole(
      () => {
        // Not only on messages: who was to check a step may be gone.
        pump();
        return ledger.step(step)?.done() === true;
      },
      () => awaitStep(step, init.servers.names, awaited(missing(), verifier.steps.awaited(step))),
    );
    const end = ledger.step(step);
    return lost() || end?.done() !== true ? undefined : end.totals();
  }

  /**
   * An epoch has ended: decides how it goes on.
   * @returns whether the run ends here; undefined if a server has lost the weights that are to be kept
   */
  async function steered(
    version: number,
    { progress, before, evaluated }: Observed,
  ): Promise<boolean | undefined> {
    const means = progress.final();
    const verdict = steering.observe(version, means);
    if (!verdict.keep) return verdict.stop;
    const collected = await finalWeights.collect(version);
    finalWeights.release();
    if (collected === undefined) return undefined;
    const { flat, slots } = collected;
    steering.keep({ version, flat, slots, progress: before, means, evaluated });
    return verdict.stop;
  }

  /** The step goes on without who has said what cannot be; from its beginning, if it still can. */
  function exclude(member: Member, step: number, { shards, error }: Misfit) {
    if (membership.ready().length <= 1) throw error;
    // Of the step under way: nothing of it can be taken back then.
    const begun = current?.step(current.version())?.begun() === true;
    if (!begun) redo();
    emit(warningOf(error));
    const { worker, host } = member;
    const { hostname, pid } = host;
    emit({ event: 'worker-excluded', worker, step, shards, hostname, pid });
    membership.exclude(member, error);
    membership.assign(!begun);
    if (!begun && current !== undefined) verifier.steps.begin(current.version());
  }

  function release() {
    supervisor.stop();
    // Those are of the steps whose memory is given back here.
    sums.clear();
    current?.release();
    current = undefined;
    released = -1;
    landing.release();
  }

  return {
    async train(progress, from, begun, rewind) {
      const ledger = createLedger({ plan, layout, kernels, version: from });
      current = ledger;
      verifier.clear();
      membership.assign(rewind);
      progress.startAt(from, begun);
      checkpoints.startAt(from);
      const state = () => ({ ...progress.state(), ...steering.state() });
      supervisor.start(ledger, verifier.owing);
      for (;;) {
        const version = ledger.version();
        const end = () => ({ version, interrupted: !lost(), over: false });
        if (!(await evaluated(ledger))) {
          if (!lost()) checkpoints.halt(state(), steering.best());
          return end();
        }
        verifier.evaluations.done(version);
        const reports = ledger.evaluation(version);
        if (reports !== undefined) supervisor.begin();
        const evaluation = reports && totalOf(reports.values());
        const means = evaluation && meansOf(evaluation, plan.metricForms);
        const before = state();
        checkpoints.between(version, before, means, steering.best());
        let stop: boolean | undefined = version === plan.steps;
        if (endsEpoch(plan, version)) {
          progress.epochDone(version, evaluation);
          const observed = { progress, before, evaluated: means !== undefined };
          const told = await steered(version, observed);
          if (told === undefined) return end();
          stop ||= told;
          progress.stepStarted();
        }
        if (stop) return { version, interrupted: false, over: true };
        const totals = await applied(ledger);
        if (totals === undefined) return end();
        progress.stepDone(version, totals);
        verifier.steps.done(version);
        init.recorder.done(version, totals, steering.rate());
        ledger.advance();
        supervisor.next();
      }
    },
    ledger: () => current,

    landing: (chunk, bytes) =>
      current !== undefined && chunk < layout.chunks && bytes === 4 * layout.chunkLength(chunk)
        ? landing.place(layout.chunkLength(chunk))
        : undefined,
    reported(member, at, reports) {
      const step = current?.step(at);
      const fault = step && miscounted(plan, at, member, reports);
      if (fault !== undefined) return exclude(member, at, fault);
      for (const report of reports) {
        step?.report(member.worker, report);
        if (step !== undefined) verifier.steps.reported(member, at, report);
      }
      supervisor.reported(member, at, reports);
      pump();
    },
    contributed(member, contribution, payload) {
      // Its memory may have been used for something else while it was on its way.
      if (contribution.attempt !== membership.attempt()) return;
      const step = current?.step(contribution.step);
      if (step === undefined) return;
      // Before it is added to: nothing is left of it then.
      const digest = verifier.steps.digestOf(contribution.step, payload);
      const offer = offerOf(() => step.contribute(contribution, landing.take(payload) ?? payload));
      if (offer === 'no-node' || offer === 'no-sum')
        return exclude(member, contribution.step, noNode(member, contribution, payload));
      if (digest !== undefined && (offer === 'held' || offer === 'complete'))
        verifier.steps.contributed(member, contribution, digest);
      pump();
    },
    verified(member, answer) {
      verifier.answered(member, answer);
      pump();
    },
    evaluated(member, version, reports) {
      const evaluation = current?.evaluation(version);
      for (const report of reports) {
        if (evaluation === undefined || evaluation.has(report.shard)) continue;
        evaluation.set(report.shard, report);
        verifier.evaluations.reported(member, version, report);
      }
      supervisor.evaluated(member, version, reports);
      pump();
    },
    applied(server, step, chunk) {
      if (sums.applied(server, step, chunk)) current?.step(step)?.applied(chunk);
    },
    forget(server) {
      for (const chunk of sums.forget(server)) current?.step(current.version())?.applied(chunk);
    },
    release,

    awaitsWorker: (member) =>
      current && awaitedOfWorker(current, member.shards, supervisor.firstTimes(member)),
    awaitsServer(server) {
      const chunks = sums.outstanding(server);
      return chunks > 0 ? `apply ${chunks} chunks of step ${current?.version()}` : undefined;
    },
  };
}

/** The end of an epoch. */
interface Observed {
  readonly progress: Progress;
  /** As a checkpoint of this version has it. */
  readonly before: ProgressState;
  readonly evaluated: boolean;
}
