import type { Notice } from '@tutti/data';
import { createKernels, type Kernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import type {
  HostFacts,
  JobPlan,
  Leave,
  ProgramDescription,
  Transport,
  WorkerFailed,
} from '@tutti/protocol';
import {
  type Clock,
  createMonitor,
  type EventListeners,
  errorToRecord,
  failAfter,
  isTuttiError,
  type Monitor,
  NO_TIMELINE,
  type Running,
  type Stamped,
  showValue,
  start,
  systemClock,
  type Timeline,
  TuttiError,
  type WaitReport,
  withCleanUp,
} from '@tutti/runtime';
import { createContributor } from './compute/contributor.js';
import { createExecutor } from './compute/executor.js';
import { hostFacts } from './compute/host-facts.js';
import { createProgramRunner } from './compute/program-runner.js';
import { createReadAhead } from './compute/read-ahead.js';
import { timedRunner } from './compute/timed-runner.js';
import { awaitedNews, remedyOf } from './link/awaited.js';
import { type Enrolment, enrol } from './link/enrolment.js';
import { createSignsOfLife } from './link/signs-of-life.js';
import { createWeightPuller, versionsUnasked, type WeightPuller } from './link/weight-puller.js';
import { createWeightBuffer } from './link/weights.js';
import { describeProgram } from './program/describe.js';
import { identifyData } from './program/identify-data.js';
import { type OpenProgram, openProgram } from './program/open-program.js';
import type { Program } from './program/program.js';
import {
  CONNECT_DEADLINE_MS,
  COORDINATOR_DEADLINE_MS,
  HAND_OVER_MS,
  RETURN_DEADLINE_MS,
} from './tunables.js';
import { createWorkerLoop, type WorkerLoop } from './worker-loop.js';
import type { WorkerSettings } from './worker-settings.js';

export interface WorkerInit {
  /** Where the coordinator listens, `tcp://host:port`; or who will know when the program is open. */
  readonly coordinator: string | Promise<string>;
  readonly program: Program;
  /** SHA-256 over the program's sources; workers of one job must agree. */
  readonly programHash?: string | undefined;
  /** Where a server can be reached that this process hosts, for a job whose servers are colocated. */
  readonly server?: string | undefined;
  /** What others call this worker; must be unique in the job. The coordinator names one if absent. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: EventListeners<Stamped<WorkerEvent>> | undefined;
  readonly settings?: WorkerSettings | undefined;
  /** What carries its messages: `createZmqTransport()` of @tutti/transport, or one of your own. */
  readonly transport: Transport;
  readonly clock?: Clock | undefined;
  readonly host?: HostFacts | undefined;
  readonly kernels?: Kernels | undefined;
  /** Is told how long the stations of its steps take. */
  readonly timeline?: Timeline | undefined;
}

export type WorkerEvent =
  | { readonly event: 'joined'; readonly worker: string; readonly job: string }
  | { readonly event: 'computed'; readonly step: number; readonly shards: readonly number[] }
  /** What of the program's data was passed over, or is likely not meant. */
  | ({ readonly event: 'noticed' } & Notice)
  | ({ readonly event: 'waiting' } & WaitReport);

export interface WorkerSummary {
  readonly worker: string;
  /** Micro-batches computed. */
  readonly microBatches: number;
}

export interface Worker {
  /** Joins the job and computes until it is finished. */
  start(): RunningWorker;
}

export interface RunningWorker extends Running<Stamped<WorkerEvent>, WorkerSummary> {
  /**
   * Leaves politely: the micro-batch under way is finished and handed over, then `result` resolves.
   * What else it was to compute others do; the weights do not depend on it.
   */
  leave(): Promise<void>;
}

/**
 * A worker: pulls a version of the weights, computes the gradients of the shards it is assigned,
 * adds them along the canonical tree, pushes, and so on.
 *
 * It touches nothing of the process: no signal handlers, no exit, no console.
 * @throws (by `result`) TuttiError, with the coordinator's reason if it refused or ended the job
 */
export function createWorker(init: WorkerInit): Worker {
  return {
    start() {
      const leaving = new AbortController();
      const running = start<WorkerEvent, WorkerSummary>(
        async (emit, signal) => {
          checkTexts(init);
          const { program, clock = systemClock } = init;
          const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
          const monitor = createMonitor({ clock, signal, onWaiting });
          const closing = createMonitor({ clock, onWaiting });
          const open = await openProgram(program, monitor, closing);
          for (const notice of open.notices) emit({ event: 'noticed', ...notice });
          return withCleanUp(open.close, () => run(init, open, emit, monitor, leaving.signal));
        },
        { signal: init.signal, onEvent: init.onEvent, clock: init.clock },
      );
      return Object.assign(running, {
        async leave() {
          leaving.abort();
          // Unnamed wait: what it awaits names its own waits.
          await running.result.catch(() => {});
        },
      });
    },
  };
}

/** What others are told of a worker besides its program. A service may well be JavaScript. */
function checkTexts({ name, programHash, server }: WorkerInit): void {
  for (const [key, value] of Object.entries({ name, programHash, server }))
    if (value !== undefined && typeof value !== 'string')
      throw new TuttiError('BAD_CONFIG', `${key} of createWorker is ${showValue(value)}`, {
        remedy: 'Give a text, or leave it out.',
      });
}

async function run(
  init: WorkerInit,
  { data, computation }: OpenProgram,
  emit: (event: WorkerEvent) => void,
  monitor: Monitor,
  leaving: AbortSignal,
): Promise<WorkerSummary> {
  const { transport, clock = systemClock, timeline = NO_TIMELINE } = init;
  const { settings = {} } = init;
  const { coordinatorDeadlineMs: deadlineMs = COORDINATOR_DEADLINE_MS } = settings;
  const { connectDeadlineMs = CONNECT_DEADLINE_MS } = settings;
  const { returnDeadlineMs = RETURN_DEADLINE_MS } = settings;
  leaving.addEventListener('abort', () => monitor.notify(), { once: true });
  const { program, programHash } = init;
  const identity = await identifyData(data, monitor);
  const description = describeProgram(program, data, computation, programHash, identity);
  const coordinator = await monitor.race(Promise.resolve(init.coordinator), {
    who: 'whoever has started this worker',
    what: 'say where the coordinator listens',
    remedy: 'See what it does: it may be short of time or memory.',
  });
  const host = init.host ?? hostFacts(computation.arithmetic);
  const enrolment = enrol({
    address: coordinator,
    join: (worker) => ({
      ...({ type: 'join', worker, description, host } as const),
      ...(init.server !== undefined && { server: init.server }),
    }),
    worker: init.name ?? '',
    transport,
    clock,
    monitor,
    connectDeadlineMs,
    returnDeadlineMs,
  });
  let puller: WeightPuller | undefined;
  try {
    await monitor.until(
      () => leaving.aborted || enrolment.welcome() !== undefined,
      () => ({
        who: `the coordinator at ${coordinator}`,
        what: 'welcome this worker',
        remedy:
          remedyOf(enrolment.fault()) ?? 'See what the coordinator says, or whether it still runs.',
        deadlineMs,
      }),
    );
    const [welcome, worker, job] = [enrolment.welcome(), enrolment.worker(), enrolment.job()];
    if (welcome === undefined) return { worker, microBatches: 0 };
    const { plan } = welcome;
    checkPlan(plan, description);
    emit({ event: 'joined', worker, job });

    const { kernels = createKernels() } = init;
    const layout = layoutOf(plan);
    const ofJob = { plan, layout, data, computation, kernels, clock, worker };
    const runner = timedRunner(createProgramRunner(ofJob), timeline);
    const weights = createWeightBuffer(layout);
    const { stamp, send } = enrolment;
    const contributes = () => enrolment.aggregation() === 'server';
    const source = createWeightPuller({
      ...{ transport, clock, monitor, weights, stamp, contributes },
      own: init.server,
      unasked: versionsUnasked(layout.floats),
      attempt: () => loop.attempt(),
    });
    puller = source;
    const readAhead = createReadAhead(runner, plan);
    const parts = {
      ...{ plan, layout, kernels, runner, weights, readAhead, monitor, clock, timeline, send },
    };
    const contributor = createContributor({
      push: (body, rest, there) =>
        contributes() ? source.contribute(body, rest, there) : send(body, rest),
      inOrder: (chunks) => (contributes() ? source.inOrder(chunks) : { away: chunks, own: [] }),
      unhurried: source.unhurried,
      attempt: () => loop.attempt(),
      reportsWith: (chunk) => chunk === 0 && contributes(),
      traffic: () => enrolment.traffic() + source.traffic(),
      ...parts,
    });
    const executor = createExecutor({
      worker,
      contributor,
      // The next version is there: others were faster, and nobody needs the rest.
      halt: () => leaving.aborted || (weights.arrived() && !loop.computesWhole()),
      onComputed: (step, shards) => emit({ event: 'computed', step, shards }),
      ...parts,
    });
    const loop: WorkerLoop = createWorkerLoop({
      enrolment,
      puller: source,
      executor,
      signsOfLife: createSignsOfLife({ enrolment, clock }),
      leaving,
      awaited: (goal) =>
        awaitedNews({ coordinator, deadlineMs, enrolment, puller: source, weights }, goal),
      ...parts,
    });
    await loop.run();
    if (!enrolment.finished()) await handOver(coordinator, enrolment, monitor);
    return { worker, microBatches: executor.microBatches() };
  } catch (error) {
    // Awaited here: until all is closed nobody else would look at it, and Node ends the process then.
    // Unnamed wait: connections close within their linger.
    return await failAfter(() => enrolment.close(farewellAfter(error)), error);
  } finally {
    // Unnamed wait: connections close within their linger.
    await Promise.all([puller?.close(), enrolment.close()]);
  }
}

/** A failure of the program would come to all others, too; that this one is stopped concerns nobody else. */
function farewellAfter(error: unknown): Leave | WorkerFailed {
  const stopped = isTuttiError(error) && error.code === 'ABORTED';
  return stopped ? { type: 'leave' } : { type: 'failed', error: errorToRecord(error) };
}

/** The answer says that everything sent before it has been taken. */
async function handOver(coordinator: string, enrolment: Enrolment, monitor: Monitor) {
  enrolment.send({ type: 'leave' });
  const answer = monitor.until(() => enrolment.finished() || !enrolment.present(), {
    who: `the coordinator at ${coordinator}`,
    what: 'let this worker go',
    remedy: 'Nothing is lost: others compute what it owes.',
    deadlineMs: HAND_OVER_MS,
  });
  // Unnamed wait: what it awaits names its own waits.
  await answer.catch(() => {});
}

function checkPlan(plan: JobPlan, description: ProgramDescription): void {
  if (plan.programHash === description.hash && plan.sharing === description.sharing) return;
  if (plan.programHash === description.hash)
    throw new TuttiError(
      'REFUSED',
      `The job trains program ${plan.programName} with another sharing of its weights than this worker has`,
      { remedy: 'Give every process the same files: matrices, masks and pretrained weights.' },
    );
  throw new TuttiError(
    'REFUSED',
    `The job trains program ${plan.programName} (${plan.programHash.slice(0, 12)}), this worker has ${description.name} (${description.hash.slice(0, 12)})`,
    { remedy: 'Give every process the same program file.' },
  );
}
