import type { Kernels } from '@tutti/kernels';
import type { Contribution, ShardReport, Verification } from '@tutti/protocol';
import { createLanding } from '@tutti/reduction';
import type { Job } from '../state/job.js';
import type { Ledger } from '../state/ledger.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import type { RunVerifier } from '../verify/run-verifier.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import type { Exclude } from './exclusion.js';
import { miscounted, noNode, offerOf } from './misfits.js';

/** What workers send of what they computed. */
export interface WorkerResults {
  reported(member: Member, step: number, reports: readonly ShardReport[]): void;
  /** Where a contribution to a chunk may be read to; undefined if it has another length. */
  landing(chunk: number, bytes: number): Uint8Array | undefined;
  /** Who sends what is no sum of a node of the tree is excluded. */
  contributed(member: Member, contribution: Contribution, payload: Uint8Array): void;
  /** A worker has computed again what another contributed. */
  verified(member: Member, answer: Verification): void;
  evaluated(member: Member, version: number, reports: readonly ShardReport[]): void;
}

export function createWorkerResults(init: {
  readonly job: Pick<Job, 'plan' | 'layout'>;
  readonly kernels: Kernels;
  /** What is trained; undefined while nothing is. */
  readonly ledger: () => Ledger | undefined;
  readonly membership: Pick<Membership, 'attempt'>;
  readonly verifier: RunVerifier;
  readonly supervisor: Pick<Supervisor, 'reported' | 'evaluated'>;
  readonly exclude: Exclude;
  /** Something has come in: servers may have to apply it. */
  readonly pump: () => void;
}): WorkerResults & { release(): void } {
  const { ledger, membership, verifier, supervisor, exclude, pump } = init;
  const { plan, layout } = init.job;
  const landing = createLanding(init.kernels);

  return {
    landing: (chunk, bytes) =>
      ledger() !== undefined && chunk < layout.chunks && bytes === 4 * layout.chunkLength(chunk)
        ? landing.place(layout.chunkLength(chunk))
        : undefined,
    reported(member, at, reports) {
      const step = ledger()?.step(at);
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
      const step = ledger()?.step(contribution.step);
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
      const evaluation = ledger()?.evaluation(version);
      for (const report of reports) {
        if (evaluation === undefined || evaluation.has(report.shard)) continue;
        evaluation.set(report.shard, report);
        verifier.evaluations.reported(member, version, report);
      }
      supervisor.evaluated(member, version, reports);
      pump();
    },
    release: landing.release,
  };
}
