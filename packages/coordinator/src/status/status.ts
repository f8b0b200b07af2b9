import type { JobPhase, JobStatus, ServerStatus, WorkerStatus } from '@tutti/protocol';
import type { Clock, Monitor } from '@tutti/runtime';
import type { Servers, ServerView } from '../servers/servers.js';
import type { JobIdentity } from '../state/job.js';
import type { Ledger } from '../state/ledger.js';
import type { Member } from '../workers/roster.js';
import type { WorkerTimings } from '../workers/timings.js';
import type { Awaiting } from './awaiting.js';
import type { Observations } from './observations.js';

/** How a job is doing, in numbers and in words. */
export function describeStatus(view: {
  readonly identity: Pick<JobIdentity, 'id' | 'job'>;
  readonly phase: JobPhase;
  /** That of the step under way; undefined while nothing is trained. */
  readonly ledger: Pick<Ledger, 'version' | 'evaluated'> | undefined;
  readonly members: Iterable<Member>;
  readonly servers: Pick<Servers, 'views'>;
  readonly monitor: Pick<Monitor, 'waits'>;
  readonly observations: Observations;
  readonly timings: Pick<WorkerTimings, 'examplesPerSecond'>;
  /** The parts of the job, those with the say in this phase first. */
  readonly awaiting: readonly Awaiting[];
  readonly startsWith: number;
  /** That of the observations. */
  readonly clock: Clock;
}): JobStatus {
  const { identity, phase, ledger, observations, awaiting } = view;
  const now = view.clock.now();
  const { plan, layout } = identity.job() ?? {};
  const step = ledger?.version() ?? observations.step()?.step ?? 0;
  const steps = plan?.steps ?? 0;
  const perEpoch = plan?.stepsPerEpoch ?? 1;
  const first = (ask: (part: Awaiting) => string | undefined) => {
    for (const part of awaiting) {
      const said = ask(part);
      if (said !== undefined) return { awaited: said };
    }
    return {};
  };

  const workerStatus = (member: Member): WorkerStatus => {
    const { worker, peer, host, shards } = member;
    const speed = view.timings.examplesPerSecond(worker);
    return {
      name: worker,
      host: host.hostname,
      pid: host.pid,
      shards: [...shards],
      heardMs: now - (observations.workerHeardAt(peer) ?? observations.startedAt),
      ...(speed === undefined ? {} : { examplesPerSecond: speed }),
      ...first((part) => part.awaitsWorker(member)),
    };
  };
  const members = [...view.members];
  const serverStatus = ({ peer: host, ...seen }: ServerView, server: number): ServerStatus => {
    const hostedBy = members.find(({ peer }) => peer === host)?.worker;
    const [heardAt, version] = [observations.serverHeardAt(server), observations.versionOf(server)];
    return {
      ...seen,
      ...(hostedBy === undefined ? {} : { hostedBy }),
      ...(version === undefined ? {} : { version }),
      ...(heardAt === undefined ? {} : { heardMs: now - heardAt }),
      ...(seen.role === 'lost' ? {} : first((part) => part.awaitsServer(server))),
    };
  };

  const last = observations.step();
  const wireBytesPerStep = observations.wireBytesPerStep();
  const evaluating = phase === 'training' && ledger !== undefined && !ledger.evaluated();
  return {
    job: identity.id(),
    ...(plan === undefined ? {} : { program: plan.programName }),
    phase: evaluating ? 'evaluating' : phase,
    runningMs: now - observations.startedAt,
    step,
    steps,
    epoch: plan === undefined ? 0 : Math.floor(Math.min(step, steps - 1) / perEpoch) + 1,
    epochs: Math.ceil(steps / perEpoch),
    shards: plan?.shards ?? 0,
    storedParameters: layout?.floats ?? 0,
    ...(last === undefined
      ? {}
      : { loss: last.loss, metrics: last.metrics, examplesPerSecond: last.examplesPerSecond }),
    ...(wireBytesPerStep === undefined ? {} : { wireBytesPerStep }),
    startsWith: view.startsWith,
    workers: members.map(workerStatus),
    servers: view.servers.views().map(serverStatus),
    waits: view.monitor.waits().map(({ who, what, remedy, sinceMs, deadlineMs }) => ({
      who,
      what,
      remedy,
      sinceMs,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    })),
  };
}
