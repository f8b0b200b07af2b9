import type { Kernels } from '@tutti/kernels';
import type { Aggregation } from '@tutti/protocol';
import {
  type beginAgain,
  type CheckpointSink,
  createRecorder,
  createSteering,
  type Steering,
} from '@tutti/run';
import type { Clock, Monitor, Timeline } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createServerAlignment, type ServerAlignment } from '../alignment/server-alignment.js';
import { type Checkpoints, createCheckpoints } from '../checkpoints/checkpoints.js';
import {
  createStartingPoint,
  type FoundCheckpoint,
  type StartingPoint,
} from '../checkpoints/starting-point.js';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import type { Job } from '../state/job.js';
import type { Awaiting } from '../status/awaiting.js';
import { createSupervisor, type Supervisor } from '../stragglers/supervisor.js';
import { createFinalWeights, type FinalWeights } from '../training/final-weights.js';
import { createTraining, type Training } from '../training/training.js';
import type { Membership } from '../workers/membership.js';
import type { WorkerTimings } from '../workers/timings.js';

/** The parts of a coordinator that work on one job, which is settled. */
export interface JobRun {
  readonly job: Job;
  readonly checkpoints: Checkpoints;
  readonly startingPoint: StartingPoint;
  readonly alignment: ServerAlignment;
  readonly supervisor: Supervisor;
  readonly steering: Steering;
  readonly training: Training;
  readonly finalWeights: FinalWeights;
  /** The parts that wait for workers and servers, those with the say first. */
  readonly awaiting: readonly Awaiting[];
}

export function createJobRun(init: {
  readonly job: Job;
  readonly servers: Servers;
  readonly membership: Membership;
  readonly timings: WorkerTimings;
  readonly kernels: Kernels;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly emit: (event: RunEvent) => void;
  readonly timeline: Timeline;
  readonly sink: CheckpointSink | undefined;
  /** What the job starts from. */
  readonly found: FoundCheckpoint | undefined;
  readonly beginAgain: typeof beginAgain;
  /** Where the sums of the steps are made. */
  readonly aggregation: Aggregation;
  /** Where workers reach this coordinator. */
  readonly address: string;
  /** The share of steps that are checked. */
  readonly verify: number;
  /** The run is to end between two steps. */
  readonly interrupt: AbortSignal | undefined;
}): JobRun {
  const { job, membership, sink } = init;
  const checkpoints = createCheckpoints({
    ...init,
    versions() {
      const host = [...membership][0]?.host;
      return host === undefined ? {} : { ...host.arithmetic, node: host.node };
    },
  });
  const recorder = createRecorder(init);
  const alignment: ServerAlignment = createServerAlignment({
    ...init,
    underWay: {
      clear: () => training.aggregation.clear(),
      resend: (server) => training.aggregation.resend(server),
    },
    version: () => training.ledger()?.version(),
    resumed: () => finalWeights.again(),
  });
  let givenUp = false;
  /** Once the run was told to end, also whether one is gone: it is not awaited then, nor if it comes back. */
  function lost(): boolean {
    givenUp ||= init.interrupt?.aborted === true && init.servers.gone().length > 0;
    return givenUp || alignment.lost();
  }
  const supervisor = createSupervisor({
    ...init,
    plan: job.plan,
    askServers: () => training.aggregation.ask(),
    unansweredHosts: () =>
      init.servers.hostsOf(init.servers.living().filter(training.aggregation.unanswered)),
  });
  const steering = createSteering({ plan: job.plan, emit: init.emit });
  const slots = sink !== undefined;
  const finalWeights: FinalWeights = createFinalWeights({ ...init, slots, lost });
  const training: Training = createTraining({
    ...init,
    steering,
    finalWeights,
    checkpoints,
    supervisor,
    recorder,
    lost,
    opened: alignment.opened,
  });
  const startingPoint = createStartingPoint({ ...init, checkpoints });
  const weights = { startingPoint, alignment, finalWeights };
  const awaiting = [alignment, training, finalWeights];
  return { job, checkpoints, supervisor, steering, training, ...weights, awaiting };
}
