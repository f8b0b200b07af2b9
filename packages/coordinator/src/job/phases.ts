import type { JobPhase, JobPlan, ProgramDescription } from '@tutti/protocol';
import {
  type BestState,
  createProgress,
  digestOf,
  endingEvent,
  isSteered,
  type JobResult,
  openingFolder,
  ownCheckpoint,
  type Progress,
  type Resume,
  type ResumePoint,
  readingCheckpoint,
  type Stop,
  savedAs,
  startedEvent,
  stoppedAt,
  writingModel,
} from '@tutti/run';
import { type Clock, isTuttiError, type Monitor, TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { FormerServers } from '../alignment/former-servers.js';
import type { Holdings } from '../alignment/holdings.js';
import type { Aligned } from '../alignment/server-alignment.js';
import { type FoundCheckpoint, findCheckpoint } from '../checkpoints/starting-point.js';
import type { CollectedState } from '../state/collected-state.js';
import type { JobIdentity } from '../state/job.js';
import type { Observations } from '../status/observations.js';
import type { Membership } from '../workers/membership.js';
import type { JobRun } from './job-run.js';

/** Takes a job through its phases: identify, gather workers, align servers, train, collect, save. */
export interface Phases {
  /** The one that the job is in. */
  phase(): JobPhase;
  run(): Promise<JobResult>;
  /** Where the servers have weights that are worth keeping, it ends by itself once they are saved; else at once. */
  interrupted(): void;
}

/** It is told to end before anybody knows whether there is something to lose. */
const stoppedUnasked = () =>
  new TuttiError('ABORTED', 'Stopped before the servers had said what they hold', {
    remedy:
      'Start it again when you want it to go on: servers that run keep for --return-deadline-ms what they hold.',
    details: { step: 0 },
  });

const LOST = 'a server had lost its weights';
const FORGOTTEN =
  'the coordinator was started again, and what its evaluations had decided went with it';

/** Whether the servers are further than anybody knows what was decided on the way. */
function forgotten(plan: JobPlan, { version, from }: Aligned): boolean {
  return isSteered(plan) && from === undefined && version > plan.stepsPerEpoch;
}

export function createPhases(init: {
  readonly identity: JobIdentity;
  readonly holdings: Pick<Holdings, 'identify' | 'known'>;
  /** Those of a coordinator before this one; undefined where servers have addresses of their own. */
  readonly formerServers: FormerServers | undefined;
  readonly membership: Pick<Membership, 'anyone' | 'gather' | 'size'>;
  /** Ranges that the parameters are cut into. */
  readonly servers: number;
  /** Standbys of each. */
  readonly replicas: number;
  /** Names the servers whose weights are gone; empty if all are there. */
  readonly gone: () => string;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
  readonly resume: Resume | undefined;
  readonly interrupt: AbortSignal | undefined;
  readonly request: Omit<Parameters<Resume>[0], 'description' | 'emit'>;
  /** The program of the first worker that came. */
  readonly described: () => ProgramDescription | undefined;
  /** It is clear which job this is, if it was there before. */
  readonly identified: () => void;
  /** Step 1 begins. */
  readonly started: () => void;
  /** The job is settled and has its workers: makes what works on it. */
  readonly begin: (found: FoundCheckpoint | undefined) => JobRun;
  readonly observations: Pick<Observations, 'wireBytesPerStep'>;
  readonly run: () => JobRun | undefined;
}): Phases {
  const { identity, holdings, membership, monitor, clock, emit, resume, interrupt } = init;
  let phase: JobPhase = 'looking for servers';
  /** What is left of the run if it is interrupted now; undefined while the servers hold more than that. */
  let left: Stop | undefined = { step: 0, path: undefined };
  /** The version that the servers were brought to last. */
  let held = 0;
  const stopping = () => interrupt?.aborted === true;

  /** Finds out whether servers or a checkpoint have the job already. */
  async function identify() {
    let { found, complete } = await holdings.identify();
    if (found === undefined && (await init.formerServers?.returned()))
      ({ found, complete } = await holdings.identify());
    if (found !== undefined) identity.settle(found.plan, found.id);
    phase = 'gathering workers';
    const checkpoint =
      found === undefined && resume !== undefined ? await checkpointOf(resume) : undefined;
    left = found === undefined ? leftBy(checkpoint?.point) : undefined;
    init.identified();
    return { isHeld: found !== undefined, complete, checkpoint };
  }

  /** The run goes on from a checkpoint, if there is one: as the same job, if nothing was changed. */
  async function checkpointOf(resumeFrom: Resume): Promise<FoundCheckpoint | undefined> {
    await monitor.until(() => init.described() !== undefined, membership.anyone('join'));
    const description = init.described()!;
    const request = { ...init.request, description, emit };
    const found = await monitor.race(findCheckpoint(resumeFrom, request), readingCheckpoint);
    if (found !== undefined) identity.settle(found.point.plan, found.point.job);
    return found;
  }

  const leftBy = (point: ResumePoint | undefined, lost?: Stop['lost']): Stop => ({
    step: point?.step ?? 0,
    path: ownCheckpoint(point),
    lost,
  });

  /** What the run has without the servers; if it was interrupted it ends with that. */
  async function withoutServers({ startingPoint }: JobRun, upTo: number, lost: Stop['lost']) {
    const point = await monitor.race(startingPoint.base(upTo), readingCheckpoint);
    left = leftBy(point, lost);
    if (stopping()) throw stoppedAt(left);
    return point;
  }

  function whyLost(): string {
    const gone = stopping() ? init.gone() : '';
    return gone === '' ? LOST : `${gone} did not come back`;
  }

  /** Nothing is lost that cannot be computed again: the same steps give the same bits. */
  async function rollBack(run: JobRun, why = whyLost()): Promise<Aligned> {
    phase = 'rolling back';
    const { training, alignment, finalWeights } = run;
    const from = training.ledger()?.version() ?? held;
    training.release();
    finalWeights.release();
    const point = await withoutServers(run, from, { step: from, why });
    const aligned = await alignment.align(true, async () => point);
    const where = aligned.from === undefined ? 'the beginning' : aligned.from.path;
    emit({
      event: 'warning',
      code: 'PEER_LOST',
      message: `The weights went back from version ${from} to version ${aligned.version} (${where}): ${why}`,
      remedy: `Use --replicas ${init.replicas + 1}, so that nothing is lost with ${init.replicas === 0 ? 'one server' : 'as many servers of a range'}, or --checkpoint-every to go back less far.`,
    });
    return aligned;
  }

  function announce({ job }: JobRun, from: Aligned['from'], folder: string | undefined) {
    const { plan, layout } = job;
    const size = { workers: membership.size(), servers: init.servers };
    emit(startedEvent({ job: job.id, plan, layout, ...size, from, folder }));
    init.started();
    return createProgress({ plan, clock, emit });
  }

  /** The run was interrupted: what was trained since it began is saved. */
  async function halt({ checkpoints }: JobRun, end: CollectedState, begun: Aligned) {
    phase = 'saving';
    const step = end.version;
    // What a coordinator before this one has trained may be saved nowhere.
    const isSaved = step === 0 || begun.from !== undefined;
    if (step === begun.version && isSaved)
      return stoppedAt({ step, path: ownCheckpoint(begun.from) });
    const saved = await monitor.race(checkpoints.last(end), writingModel);
    return stoppedAt({ step, path: saved?.path });
  }

  async function finish(
    { job, checkpoints }: JobRun,
    progress: Progress,
    steps: number,
    end: CollectedState | BestState,
  ): Promise<JobResult> {
    phase = 'saving';
    const { id, plan, layout } = job;
    const parameters = end.flat;
    const trained = {
      job: id,
      plan,
      steps,
      examples: progress.examples(),
      ...('means' in end ? end.means : progress.final()),
      digest: digestOf(parameters),
      parameters,
      values: layout.views(parameters),
      examplesPerSecond: progress.examplesPerSecond(),
      wireBytesPerStep: init.observations.wireBytesPerStep() ?? 0,
    };
    const saved = await monitor.race(checkpoints.last(end), writingModel);
    const result = { ...trained, ...savedAs(saved) };
    emit(endingEvent(result));
    return result;
  }

  /** Trains; a run that was interrupted before needs nobody for that, if the servers are at one version. */
  async function trained(run: JobRun, aligned: Aligned, rewind: boolean, progress: () => Progress) {
    const { version, most, from } = aligned;
    if (stopping() && most === version) return { version, interrupted: true, over: false };
    const begun = progress();
    left = undefined;
    phase = 'training';
    run.steering.startAt(from?.progress?.steering, from?.best);
    return run.training.train(begun, aligned, rewind);
  }

  /** An interrupted run has waited in vain for those who hold the weights, or complete a step. */
  async function givenUp(error: unknown): Promise<unknown> {
    const run = init.run();
    if (!stopping() || run === undefined || !isTuttiError(error) || error.code !== 'DEADLINE')
      return error;
    const step = run.training.ledger()?.version() ?? held;
    return withoutServers(run, step, { step, why: error.message }).catch((stopped) => stopped);
  }

  async function throughPhases(): Promise<JobResult> {
    const { isHeld, complete, checkpoint } = await identify();
    await membership.gather(stopping, isHeld);
    phase = 'opening servers';
    const run = init.begin(checkpoint);
    const home = ownCheckpoint(checkpoint?.point);
    const folder = await monitor.race(run.checkpoints.begin(home), openingFolder);
    let aligned = await run.alignment.align(false, (most) => {
      // Those that held it a moment ago and are empty now were started again: all there is is on the disk.
      const upTo = isHeld && most < 0 ? Number.POSITIVE_INFINITY : most;
      return withoutServers(run, upTo, { step: most, why: LOST });
    });
    held = aligned.version;
    let back = false;
    if (forgotten(run.job.plan, aligned)) {
      aligned = await rollBack(run, FORGOTTEN);
      back = true;
    }
    let progress: Progress | undefined;
    const begun = () => {
      progress ??= announce(run, aligned.from, folder);
      return progress;
    };
    for (; ; back = true) {
      held = aligned.version;
      // Workers may have outlived a job that goes on from a checkpoint, or that lost a server.
      const rewind = back || aligned.from !== undefined || !complete;
      const reached = await trained(run, aligned, rewind, begun);
      phase = 'collecting weights';
      const best = reached.over ? run.steering.best() : undefined;
      const end = best ?? (await run.finalWeights.collect(reached.version));
      if (end !== undefined && reached.interrupted)
        throw await halt(run, end as CollectedState, aligned);
      if (end !== undefined) return await finish(run, begun(), reached.version, end);
      aligned = await rollBack(run);
    }
  }

  return {
    phase: () => phase,
    interrupted() {
      const unasked = phase === 'looking for servers';
      if (left === undefined || (unasked && holdings.known())) monitor.notify();
      else monitor.fail(unasked ? stoppedUnasked() : stoppedAt(left));
    },
    async run() {
      try {
        return await throughPhases();
      } catch (error) {
        throw await givenUp(error);
      }
    },
  };
}
