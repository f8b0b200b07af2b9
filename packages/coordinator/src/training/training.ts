import type { Kernels } from '@tutti/kernels';
import type { Aggregation as Place } from '@tutti/protocol';
import type { Progress, Recorder, Steering } from '@tutti/run';
import type { Clock, Monitor, Timeline } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Aggregation } from '../aggregation/aggregation.js';
import { createAggregationAtCoordinator } from '../aggregation/at-coordinator.js';
import { createAggregationAtServers } from '../aggregation/at-servers.js';
import { type CatchUp, createCatchUp } from '../alignment/catch-up.js';
import type { Aligned } from '../alignment/server-alignment.js';
import type { Checkpoints } from '../checkpoints/checkpoints.js';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import type { Job } from '../state/job.js';
import type { Ledger } from '../state/ledger.js';
import type { Awaiting } from '../status/awaiting.js';
import type { Supervisor } from '../stragglers/supervisor.js';
import { createExclusion } from '../verify/exclusion.js';
import { createRunVerifier } from '../verify/run-verifier.js';
import type { Membership } from '../workers/membership.js';
import { createCompletion } from './completion.js';
import type { FinalWeights } from './final-weights.js';
import { createLookAhead } from './look-ahead.js';
import { createSumPump } from './sum-pump.js';
import { createTrainingLoop, type Reached } from './training-loop.js';
import { awaitedOfWorker } from './waits.js';
import { createWorkerResults, type WorkerResults } from './worker-results.js';

/** The steps of a job: gradients come in, sums go to the servers. */
export interface Training extends Awaiting {
  /**
   * Trains from a version to the end, or until a server is found to have lost its weights, or until
   * the run is interrupted and the servers hold one version.
   * @param aligned what the servers were brought to
   * @param rewind whether workers may be further, and must go back
   */
  train(progress: Progress, aligned: Aligned, rewind: boolean): Promise<Reached>;
  /** That of the step under way; undefined while nothing is trained. */
  ledger(): Ledger | undefined;
  readonly results: WorkerResults;
  readonly aggregation: Omit<Aggregation, 'begin' | 'give'>;
  readonly catchUp: Omit<CatchUp, 'due' | 'bring'>;
  /** A worker is gone, perhaps without a word: others are given its shards. */
  workerLost(): void;
  release(): void;
}

export function createTraining(init: {
  readonly job: Job;
  readonly servers: Servers;
  readonly membership: Membership;
  readonly checkpoints: Checkpoints;
  readonly supervisor: Supervisor;
  readonly recorder: Recorder;
  readonly steering: Steering;
  readonly finalWeights: Pick<FinalWeights, 'collect' | 'release'>;
  readonly kernels: Kernels;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly emit: (event: RunEvent) => void;
  readonly timeline: Timeline;
  /** Where the sums of the steps are made. */
  readonly aggregation: Place;
  /** The share of steps that are checked. */
  readonly verify: number;
  /** The run is to end between two steps. */
  readonly interrupt: AbortSignal | undefined;
  /** Whether a server has lost its weights. */
  readonly lost: () => boolean;
  /** A server has opened the job with chunks of these versions. */
  readonly opened: (server: number, versions: readonly number[]) => void;
}): Training {
  const { membership, checkpoints, supervisor } = init;
  const { plan } = init.job;
  let current: Ledger | undefined;
  const ledger = () => current;

  const verifier = createRunVerifier({
    plan,
    membership,
    emit: init.emit,
    share: init.verify,
    redo,
  });
  const exclude = createExclusion({ ...init, ledger, verifier: verifier.steps, redo });
  const parts = {
    ...{ ...init, ledger, verifier: verifier.steps, exclude, beginAnew },
    pump: () => pump(),
  };
  const aggregation =
    init.aggregation === 'server'
      ? createAggregationAtServers(parts)
      : createAggregationAtCoordinator(parts);
  const pump = createSumPump({ ...parts, aggregation, halted });
  const results = createWorkerResults({ ...init, ledger, verifier, exclude, pump });
  const completion = createCompletion({ ...init, plan, verifier, pump, halted });
  const ended = () => init.lost() || halted();
  const catchUp = createCatchUp({ ...init, ended, readmitted });
  const lookAhead = createLookAhead({ ...init, plan, aggregation, catchUp });
  const loop = createTrainingLoop({ ...init, plan, completion, lookAhead, catchUp });

  /** Nobody knows any more what came from whom: all of the step is computed again. */
  function redo() {
    current?.redo();
    verifier.clear();
    supervisor.begin(true);
  }

  /** Has the sums of the step under way made again, by who is there now. */
  function beginAnew() {
    if (current?.current() === undefined) return;
    // Nothing of it can be taken back.
    if (current.stepBegun()) current.allow(current.version() + 1);
    supervisor.begin(true);
    membership.assign(true);
  }

  function readmitted(which: readonly number[], version: number) {
    const { servers, job } = init;
    for (const server of which) {
      const { chunks } = servers.rangeOf(server);
      init.opened(
        server,
        Array.from({ length: chunks }, () => version),
      );
    }
    membership.tellAll({ type: 'relocated', servers: servers.places(job.layout) });
    // They have not heard what was contributed to the step so far.
    if (init.aggregation === 'server') beginAnew();
  }

  /**
   * Whether the run ends here: it was interrupted, and no server has begun with the step. What was
   * computed of it is not waited for: it may take long, and workers may have been told to go too.
   */
  function halted(): boolean {
    return init.interrupt?.aborted === true && current?.stepBegun() === false;
  }

  return {
    async train(progress, { version, most, from }, rewind) {
      current = aggregation.begin(version, most);
      verifier.clear();
      // What servers may still have of an attempt before is not of this one.
      membership.assign(rewind || init.aggregation === 'server');
      progress.startAt(version, from?.progress);
      checkpoints.startAt(version);
      supervisor.start(current, verifier.owing);
      return loop(current, progress);
    },
    ledger,
    results,
    aggregation,
    catchUp,
    awaitsWorker: (member) =>
      current && awaitedOfWorker(current, member.shards, supervisor.firstTimes(member)),
    awaitsServer(server) {
      const chunks = aggregation.outstanding(server);
      return chunks > 0
        ? `apply ${chunks} chunks of step ${current?.version()}`
        : catchUp.awaitsServer(server);
    },
    workerLost() {
      membership.assign();
      aggregation.compare();
    },
    release() {
      supervisor.stop();
      // Those are of the steps whose memory is given back here.
      aggregation.clear();
      current?.release();
      current = undefined;
      aggregation.release();
    },
  };
}
