import { setMaxListeners } from 'node:events';
import { createCoordinator, type RunningCoordinator, type ServerAddress } from '@tutti/coordinator';
import { createKernels } from '@tutti/kernels';
import { type FrozenValues, layoutOf } from '@tutti/parameters';
import { checkpointsOf, endingEvent, type JobResult, timedCheckpoints } from '@tutti/run';
import {
  createMonitor,
  errorFromRecord,
  type Running,
  type Stamped,
  start,
  systemClock,
  type WaitReport,
  withCleanUp,
} from '@tutti/runtime';
import { createServer, type RunningServer } from '@tutti/server';
import { noticeEvent, type RunEvent } from '@tutti/telemetry';
import type { TimelineFile } from '@tutti/tracking';
import { createLocalTransport, openZmqTransport } from '@tutti/transport';
import { createWorker, type Program, type RunningWorker } from '@tutti/worker';
import { checkLocalOptions } from './check-options.js';
import type { LocalOptions } from './local-options.js';
import type { LocalSettings } from './local-settings.js';
import { type Child, startChild, type Trained } from './processes/child.js';
import { type ServerFleet, startServerFleet } from './processes/server-fleet.js';
import { tellOfServer } from './processes/tell-of-server.js';
import { beginTimeline, PLAIN_LOOP } from './processes/timeline.js';
import { toldOnce } from './processes/told-once.js';
import { createWorkerCrew } from './processes/worker-crew.js';
import { WORKER_NODE_OPTIONS, workerEnvironment } from './processes/worker-environment.js';
import type { WorkerArgument } from './processes/worker-process.js';
import { telling } from './program/telling.js';
import { trainInSingleProcess } from './single-process/single-process.js';
import type { SingleProcessArgument } from './single-process/single-process-main.js';
import { GRACE_MS, LOOPBACK } from './tunables.js';

/**
 * Trains a program on this machine: the coordinator and a server in this process, the workers in
 * processes of their own, which end with this one.
 *
 * Given a program object instead of a path, the workers run in this process too: the same bits,
 * without the speed.
 *
 * It installs no signal handlers, prints nothing and never exits: a service can train in the
 * background and read `result.values`.
 */
export function runLocal(
  program: string | Program,
  options: LocalOptions = {},
): Running<Stamped<RunEvent>, JobResult> {
  const { signal, interrupt, onEvent, onLine, prepared, ...settings } = options;
  const { workers = 1 } = settings;
  const body = workers === 0 ? runSingle : typeof program === 'string' ? runProcesses : runTogether;
  return start(
    async (emit, stop) => {
      checkLocalOptions(options);
      let frozen: readonly FrozenValues[] = [];
      const onFrozen = (told: typeof frozen) => {
        frozen = told;
      };
      const timeline = await beginTimeline(settings, emit);
      const run = { settings, signal: stop, interrupt, emit, onLine, prepared, timeline, onFrozen };
      const opened =
        typeof program === 'string'
          ? program
          : telling(program, { emit: toldOnce(emit), onFrozen });
      // Unnamed wait: what it awaits names its own waits.
      const result = await withCleanUp(
        () => timeline?.close(),
        () => body(opened as string & Program, run),
      );
      const others = Object.fromEntries(frozen.map(({ name, values }) => [name, values]));
      return { ...result, values: { ...result.values, ...others } };
    },
    { signal, onEvent },
  );
}

/** A run, and how it is ended and observed from here. */
interface LocalRun {
  readonly settings: LocalSettings;
  readonly signal: AbortSignal;
  readonly interrupt: AbortSignal | undefined;
  readonly emit: (event: RunEvent) => void;
  readonly onLine: LocalOptions['onLine'];
  readonly prepared: LocalOptions['prepared'];
  /** That of this process; those that it starts go on with its file. */
  readonly timeline: TimelineFile | undefined;
  /** Is told what weights read and nobody stores, by each process that opens the program. */
  readonly onFrozen: (frozen: readonly FrozenValues[]) => void;
}

type Body = (program: string & Program, run: LocalRun) => Promise<JobResult>;

/** The plain loop: for a path in a process of its own, so that it computes as a worker does. */
const runSingle: Body = async (program, run) => {
  const { settings, signal, interrupt, emit } = run;
  const inChild = typeof program === 'string';
  const timeline = inChild ? undefined : run.timeline?.track(PLAIN_LOOP);
  const result = inChild
    ? await trainInChild(program, run)
    : await trainInSingleProcess({
        program: program as Program,
        settings,
        ...timedCheckpoints(checkpointsOf(settings), timeline),
        job: crypto.randomUUID(),
        clock: systemClock,
        signal,
        interrupt,
        emit,
        timeline,
      });
  emit(endingEvent(result));
  return result;
};

async function trainInChild(
  program: string,
  { settings, signal, interrupt, emit, onLine, prepared, onFrozen }: LocalRun,
): Promise<JobResult> {
  let trained: Trained | undefined;
  let heardAt = systemClock.now();
  const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
  const monitor = createMonitor({ clock: systemClock, signal, onWaiting });
  const child = startChild({
    name: 'the training process',
    entry: 'single-process/single-process-main',
    argument: { program, settings } satisfies SingleProcessArgument,
    environment: workerEnvironment(process.env),
    nodeOptions: WORKER_NODE_OPTIONS,
    prepared,
    onLine,
    onReport(report) {
      heardAt = systemClock.now();
      if (report.type === 'event') emit(report.event);
      else if (report.type === 'frozen') onFrozen(report.frozen);
      else if (report.type === 'trained') trained = report.trained;
    },
  });
  const interrupted = () => child.tell('interrupt');
  interrupt?.addEventListener('abort', interrupted, { once: true });
  try {
    if (interrupt?.aborted) interrupted();
    const error = await monitor.race(child.exited, () => ({
      who: `${child.name} (pid ${child.pid})`,
      what: 'say something',
      remedy: 'See what the program does: it may hold the event loop. End it if it hangs.',
      heardAt,
    }));
    if (error !== undefined) throw error;
    const { unsaved, ...rest } = trained!;
    const values = layoutOf(rest.plan).views(rest.parameters);
    return { ...rest, values, ...(unsaved && { unsaved: errorFromRecord(unsaved) }) };
  } finally {
    interrupt?.removeEventListener('abort', interrupted);
    await child.stop(GRACE_MS);
  }
}

/** All roles in this process, on the transport that only passes references. */
const runTogether: Body = async (program: Program, run) => {
  const { settings, signal, emit } = run;
  const { workers = 1, servers = 1, replicas = 0 } = settings;
  const colocated = servers === 'colocated';
  const transport = createLocalTransport();
  const stopping = new AbortController();
  const both = AbortSignal.any([signal, stopping.signal]);
  // One listener a role: many roles are no leak.
  setMaxListeners(0, both);
  const held: RunningServer[] = [];
  const crew: RunningWorker[] = [];
  let coordinator: RunningCoordinator | undefined;
  const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
  const monitor = createMonitor({ clock: systemClock, signal: both, onWaiting });
  try {
    for (let at = 0; at < (colocated ? workers : servers * (replicas + 1)); at++) {
      const server = createServer({
        address: `local://server-${at}`,
        transport,
        settings,
        // Without the signal: it outlives the coordinator, which would take it for lost.
        onEvent: tellOfServer(`server ${at}`, emit),
        timeline: run.timeline?.track(`server ${at}`),
      });
      // Unnamed wait: it opens a port of this machine.
      held.push(await server.start());
    }
    // Unnamed wait: it opens a port of this machine.
    coordinator = await createCoordinator({
      ...coordinatorInit(run, both),
      address: 'local://coordinator',
      servers: colocated ? 'colocated' : held.map(({ addresses }) => ({ connect: addresses[0]! })),
      transport,
    }).start();
    const { address } = coordinator;
    const ofWorkers = toldOnce(emit);
    for (let at = 0; at < workers; at++) {
      const worker = createWorker({
        program,
        coordinator: address,
        name: `w${at}`,
        server: colocated ? held[at]!.addresses[0] : undefined,
        transport,
        settings,
        signal: both,
        timeline: run.timeline?.track(`w${at}`),
        onEvent(event) {
          if (event.event === 'waiting') emit({ ...event, by: `w${at}` });
          if (event.event === 'noticed') ofWorkers(noticeEvent(event));
        },
      });
      crew.push(worker.start());
    }
    // A worker that fails before it has joined can only say so here.
    // Unnamed wait: the race below ends without it.
    const failed = crew.map(({ result }) => result.then(() => new Promise<never>(() => {})));
    // Unnamed wait: what it awaits names its own waits.
    const result = await Promise.race([coordinator.result, ...failed]);
    await monitor.race(Promise.all(crew.map((worker) => worker.result)), {
      who: 'the workers',
      what: 'end, as they were told',
      remedy: 'See what their program does when it is closed.',
    });
    return result;
  } finally {
    stopping.abort();
    await coordinator?.stop();
    // Unnamed wait: connections close within their linger, and workers name what they wait for.
    await Promise.all([...held, ...crew].map((each) => each.stop()));
  }
};

const WEIGHTS_LOST =
  'The weights that its server held are gone with it: --max-restarts replaces both, and --resume goes on from the last checkpoint.';

const runProcesses: Body = async (program, run) => {
  const { settings, signal, emit, onLine, prepared, onFrozen } = run;
  const { workers = 1, servers = 1, replicas = 0, address = LOOPBACK } = settings;
  const { maxRestarts = 0, minWorkers } = settings;
  const takesWeights = servers === 'colocated' && replicas === 0;
  const children: Child[] = [];
  const stopping = new AbortController();
  let ended = false;
  const both = AbortSignal.any([signal, stopping.signal]);
  const environment = workerEnvironment(process.env);
  const ofWorkers = toldOnce(emit);
  const crew = createWorkerCrew({
    startWorker(name) {
      const argument = { program, name, settings };
      const child = startChild({
        name,
        entry: 'processes/worker-process',
        argument: argument satisfies WorkerArgument,
        environment,
        nodeOptions: WORKER_NODE_OPTIONS,
        prepared,
        onLine,
        onReport(report) {
          if (report.type === 'event') ofWorkers(report.event);
          else if (report.type === 'frozen') onFrozen(report.frozen);
        },
      });
      children.push(child);
      if (coordinator !== undefined) child.tell({ coordinator: coordinator.address });
      return child;
    },
    maxRestarts,
    spareable: minWorkers !== undefined && !takesWeights,
    lostToo: takesWeights ? WEIGHTS_LOST : undefined,
    emit,
    fail: (error) => stopping.abort(error),
    clock: systemClock,
  });
  const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
  const monitor = createMonitor({ clock: systemClock, signal: both, onWaiting });
  let server: RunningServer | undefined;
  let fleet: ServerFleet | undefined;
  let coordinator: RunningCoordinator | undefined;
  try {
    // First of all, since they take longest: they are told later whom to join.
    for (let at = 0; at < workers; at++) crew.start(`w${at}`);
    const local = createLocalTransport({ delivery: 'microtask' });
    // One for both, so that the server updates with the sums where the coordinator has them.
    const kernels = createKernels();
    // Unnamed wait: a small file of this machine.
    const transport = await openZmqTransport(settings);
    const addresses: ServerAddress[] = [];
    if (servers === 'colocated') {
      // Their workers say where they are.
    } else if (servers === 1 && replicas === 0) {
      // Unnamed wait: it opens a port of this machine.
      server = await createServer({
        address: LOOPBACK,
        transport,
        settings,
        kernels,
        alsoListen: [{ transport: local, address: 'local://server' }],
        // Without the signal, as in `runTogether`.
        onEvent: tellOfServer('the server', emit),
        timeline: run.timeline?.track('server'),
      }).start();
      const [open, inside] = server.addresses as [string, string];
      addresses.push({ connect: inside, public: open, transport: local });
    } else {
      fleet = startServerFleet({
        settings,
        servers,
        onLine,
        emit,
        failed: (error) => !ended && stopping.abort(error),
      });
      const listening = await monitor.race(fleet.addresses, {
        who: 'the server processes',
        what: 'start and listen',
        remedy: 'See what they print; the machine may be short of memory or processors.',
      });
      for (const connect of listening) addresses.push({ connect });
    }
    // Unnamed wait: it opens a port of this machine.
    coordinator = await createCoordinator({
      ...coordinatorInit(run, both),
      workerObserver: crew.observer,
      kernels,
      address,
      servers: servers === 'colocated' ? servers : addresses,
      transport,
    }).start();
    emit({ event: 'listening', address: coordinator.address });
    for (const child of children) child.tell({ coordinator: coordinator.address });
    // Unnamed wait: what it awaits names its own waits.
    return await coordinator.result;
  } finally {
    ended = true;
    crew.observer.ended();
    // Unnamed wait: processes end within their grace.
    await Promise.all([fleet, ...children].map((part) => part?.stop(GRACE_MS)));
    await coordinator?.stop();
    await server?.stop();
  }
};

function coordinatorInit(run: LocalRun, signal: AbortSignal) {
  const { settings, interrupt, emit } = run;
  const { workers = 1 } = settings;
  const timeline = run.timeline?.track('coordinator');
  return {
    settings: { ...settings, workers },
    ...timedCheckpoints(checkpointsOf(settings), timeline),
    signal,
    interrupt,
    onEvent: emit,
    timeline,
  };
}
