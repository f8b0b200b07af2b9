import type { Finish, Listener, Transport } from '@tutti/protocol';
import type { CheckpointSink, JobResult } from '@tutti/run';
import {
  type Clock,
  createMonitor,
  errorToRecord,
  failAfter,
  type WaitReport,
} from '@tutti/runtime';
import type { WorkerObserver } from '../coordinator-init.js';
import type { Servers } from '../servers/servers.js';
import { closingJob } from '../state/closing-job.js';
import type { StatusAnswerer } from '../status/status-answerer.js';
import { farewellMs } from '../tunables.js';
import type { Membership } from '../workers/membership.js';
import type { JobRun } from './job-run.js';
import type { Lifetime } from './lifetime.js';
import type { Phases } from './phases.js';

/** Takes a job through its phases. However it ends, all are told, and everything is let go of. */
export async function runToEnd(parts: {
  readonly phases: Phases;
  readonly lifetime: Lifetime;
  /** What works on the job, once it is settled and has its workers. */
  readonly run: () => JobRun | undefined;
  readonly membership: Pick<Membership, 'dismiss'>;
  readonly workerObserver: Pick<WorkerObserver, 'ended'> | undefined;
  readonly statuses: Pick<StatusAnswerer, 'dismiss'>;
  readonly servers: Pick<Servers, 'finish' | 'close'>;
  readonly listener: Pick<Listener, 'close'>;
  readonly transport: Transport;
  /** Where checkpoints go. */
  readonly sink: CheckpointSink | undefined;
  readonly interrupt: AbortSignal | undefined;
  readonly clock: Clock;
  readonly onWaiting: (report: WaitReport) => void;
}): Promise<JobResult> {
  const { phases, lifetime, membership, statuses, servers, listener, interrupt, clock, onWaiting } =
    parts;

  function close(farewell: Finish): Promise<unknown> {
    lifetime.end();
    parts.workerObserver?.ended();
    membership.dismiss(farewell);
    statuses.dismiss(farewell);
    servers.finish(farewell);
    const run = parts.run();
    run?.training.release();
    run?.finalWeights.release();
    const written = run === undefined ? parts.sink?.close?.() : run.checkpoints.close();
    const closed = [servers.close(), listener.close(farewellMs(parts.transport)), written];
    const closing = createMonitor({ clock, onWaiting });
    return closing.race(Promise.all(closed), closingJob);
  }

  interrupt?.addEventListener('abort', phases.interrupted, { once: true });
  try {
    if (interrupt?.aborted) phases.interrupted();
    const result = await phases.run();
    await close({ type: 'finish' });
    return result;
  } catch (error) {
    // Unnamed wait: what it awaits names its own waits.
    await failAfter(() => close({ type: 'finish', error: errorToRecord(error) }), error);
    throw error;
  } finally {
    interrupt?.removeEventListener('abort', phases.interrupted);
  }
}
