import type { ShardReport, Verification } from '@tutti/protocol';
import type { Job } from '../state/job.js';
import type { Ledger } from '../state/ledger.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import type { Exclude } from '../verify/exclusion.js';
import { miscounted } from '../verify/misfits.js';
import type { RunVerifier } from '../verify/run-verifier.js';
import type { Member } from '../workers/roster.js';

/** What workers tell of what they computed. */
export interface WorkerResults {
  reported(member: Member, step: number, reports: readonly ShardReport[]): void;
  /** A worker has computed again what another contributed. */
  verified(member: Member, answer: Verification): void;
  evaluated(member: Member, version: number, reports: readonly ShardReport[]): void;
}

export function createWorkerResults(init: {
  readonly job: Pick<Job, 'plan'>;
  /** What is trained; undefined while nothing is. */
  readonly ledger: () => Ledger | undefined;
  readonly verifier: RunVerifier;
  readonly supervisor: Pick<Supervisor, 'reported' | 'evaluated'>;
  readonly exclude: Exclude;
  /** Something has come in: servers may have to apply it. */
  readonly pump: () => void;
}): WorkerResults {
  const { ledger, verifier, supervisor, exclude, pump } = init;
  const { plan } = init.job;

  return {
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
  };
}
