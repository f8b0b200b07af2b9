import { hostname } from 'node:os';
import { createKernels } from '@tutti/kernels';
import {
  type Body,
  type Envelope,
  type Finish,
  type JobPhase,
  type Listener,
  type Message,
  PROTOCOL_VERSION,
  type ProgramDescription,
  refusal,
  type Status,
  type Transport,
} from '@tutti/protocol';
import { beginAgain, type JobResult, resolvePlan, stoppedAt } from '@tutti/run';
import {
  createMonitor,
  errorToRecord,
  failAfter,
  type Monitor,
  type Stampable,
  systemClock,
  TuttiError,
  type WaitReport,
} from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createHoldings } from '../alignment/holdings.js';
import type { FoundCheckpoint } from '../checkpoints/starting-point.js';
import type { CoordinatorInit } from '../coordinator-init.js';
import type { Deadlines } from '../coordinator-settings.js';
import { connectServers, type Servers, serverLost } from '../servers/servers.js';
import { closingJob } from '../state/closing-job.js';
import { createJobIdentity } from '../state/job.js';
import { createObservations } from '../status/observations.js';
import { describeStatus } from '../status/status.js';
import { createToldEvents } from '../status/told-events.js';
import { DEADLINES, farewellMs, namesakeMs } from '../tunables.js';
import { createMail } from '../workers/mail.js';
import { createMembership, type Membership } from '../workers/membership.js';
import { createWorkerTimings } from '../workers/timings.js';
import { createEarlyMessages } from './early-messages.js';
import { createJobRun, type JobRun } from './job-run.js';
import { createPhases } from './phases.js';
import { createRoutes } from './routes.js';
import { foreign, gatherStrays } from './stray-connections.js';

/** The phases in which the servers have weights that are worth keeping. */
const HOLDING_WEIGHTS: readonly JobPhase[] = ['training', 'collecting weights', 'saving'];

/** One job, from the first worker to the trained weights: makes its parts, and closes them. */
export function coordinate(
  init: CoordinatorInit & { readonly transport: Transport },
  listener: Listener,
  announceEvent: (event: Stampable<RunEvent>) => void,
  signal: AbortSignal,
) {
  const { transport, clock = systemClock, kernels = createKernels() } = init;
  const { newId = () => crypto.randomUUID(), settings, interrupt } = init;
  const { workers, minWorkers = workers, replicas = 0, strict = false, verify = 0 } = settings;
  const deadlines: Deadlines = { ...DEADLINES, ...settings.deadlines };
  const observations = createObservations(clock);
  const told = createToldEvents(clock);
  const emit = (event: RunEvent) => {
    observations.observe(event);
    const job = identity.job()?.id;
    told.tell(event, job ?? null);
    announceEvent(job === undefined ? event : { ...event, job });
  };
  const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
  const monitor: Monitor = createMonitor({ clock, signal, onWaiting });
  const identity = createJobIdentity(newId());
  const stampOf =
    (session: string) =>
    (body: Body): Message => ({
      // First, since V8 gives every object that gets keys after a spread a hidden class of its own.
      protocol: PROTOCOL_VERSION,
      job: identity.id(),
      session,
      ...body,
    });
  const stamp = stampOf('');
  const self = `the coordinator at ${listener.address} (process ${process.pid} on ${hostname()})`;
  const inquiry = { type: 'inquire', by: self } as const;
  let run: JobRun | undefined;
  let ended = false;
  let wireBytes = 0;
  const early = createEarlyMessages(guard);
  /** The first program that a worker came with before that. */
  let described: ProgramDescription | undefined;

  const servers: Servers = connectServers({
    servers: init.servers,
    replicas,
    transport,
    clock,
    // By this they tell this coordinator from any other.
    stamp: stampOf(newId()),
    inquiry,
    events: {
      receive: (server, envelope) => guard(() => routes.fromServer(server, envelope)),
      replaced: (server, reason) => guard(() => replaced(server, reason)),
      orphaned(server, reason) {
        if (ended) return;
        run?.supervisor.serverAway(server);
        emit(serverLost(servers.nameOf(server), reason, 'It is awaited.'));
      },
      refused(error) {
        if (!ended) monitor.fail(error);
      },
      returned(server) {
        if (!ended) servers.send(server, inquiry);
      },
    },
  });
  const timings = createWorkerTimings();
  const emitStray = gatherStrays(emit, clock);
  const mail = createMail({ listener, stamp, emit: emitStray });
  const membership: Membership = createMembership({
    ...{ listener, mail, monitor, clock, deadlines, emit, timings, workers, minWorkers, newId },
    observer: init.workerObserver,
    namesakeMs: namesakeMs(transport),
    strict,
    plan: () => identity.job()?.plan,
    settle: (description) =>
      identity.job() ??
      identity.settle(resolvePlan({ description, settings, workers, servers: servers.width })),
    servers: ({ layout }) => servers.ranges(layout),
    ledger: () => run?.training.ledger(),
  });
  const holdings = createHoldings({ servers, monitor, clock, deadlines });
  const routes = createRoutes({
    ...{ identity, membership, servers, holdings, observations, emit: emitStray },
    run: () => run,
    travelled(bytes) {
      wireBytes += bytes;
    },
  });
  const phases = createPhases({
    ...{ identity, holdings, membership, monitor, clock, emit },
    servers: servers.width,
    resume: init.resume,
    interrupt,
    request: { settings, workers, servers: servers.width },
    described: () => described,
    identified: early.answer,
    started: () => init.workerObserver?.started(),
    begin,
    wireBytes: () => wireBytes,
  });

  /** What a handler throws ends the run; what it changes wakes the loop. */
  function guard(handle: () => void) {
    if (ended) return;
    try {
      handle();
      monitor.notify();
    } catch (error) {
      monitor.fail(error);
    }
  }

  function begin(found: FoundCheckpoint | undefined): JobRun {
    const job = identity.job();
    if (job === undefined)
      throw new TuttiError('INTERNAL', 'There are workers and no job', { remedy: 'Report it.' });
    run = createJobRun({
      ...{ job, servers, membership, timings, kernels, monitor, clock, deadlines, emit, found },
      sink: init.checkpoints,
      beginAgain: init.beginAgain ?? beginAgain,
      verify,
      interrupt,
    });
    return run;
  }

  /** A standby takes over: it has been told the same. */
  function replaced(server: number, reason: string) {
    emit(serverLost(servers.nameOf(server), reason, 'A standby takes over.'));
    run?.alignment.forget(server);
    run?.training.forget(server);
    const job = identity.job();
    if (job === undefined) return;
    membership.tellAll({ type: 'relocated', servers: servers.ranges(job.layout) });
    run?.finalWeights.again();
  }

  /** Answers whoever asks how the job is doing, whatever it is doing. */
  function answerStatus(peer: string, message: Message, asked: Status) {
    const misfit = refusal(message, identity.id());
    if (misfit !== undefined) return membership.refuse(peer, misfit);
    const status = describeStatus({
      ...{ identity, servers, monitor, observations, timings, clock },
      phase: phases.phase(),
      ledger: run?.training.ledger(),
      members: membership,
      awaiting: run === undefined ? [holdings] : [run.alignment, run.training, run.finalWeights],
      startsWith: workers,
      wireBytes,
    });
    const history = asked.history && { history: told.since(asked.history) };
    listener.send(peer, { message: stamp({ type: 'status-report', status, ...history }) });
  }

  /** While nothing is trained there is nothing to wait for; afterwards the training ends itself. */
  function interrupted() {
    if (HOLDING_WEIGHTS.includes(phases.phase())) monitor.notify();
    else monitor.fail(stoppedAt({ step: run?.training.ledger()?.version() ?? 0, path: undefined }));
  }

  /** Tells all how the job has ended, and lets go of everything. */
  function close(farewell: Finish): Promise<unknown> {
    ended = true;
    membership.dismiss(farewell);
    servers.broadcast(() => farewell);
    run?.training.release();
    run?.finalWeights.release();
    const written = run === undefined ? init.checkpoints?.close?.() : run.checkpoints.close();
    const closed = [servers.close(), listener.close(farewellMs(transport)), written];
    const closing = createMonitor({ clock, onWaiting });
    return closing.race(Promise.all(closed), closingJob);
  }

  return {
    async run(): Promise<JobResult> {
      interrupt?.addEventListener('abort', interrupted, { once: true });
      try {
        if (interrupt?.aborted) interrupted();
        const result = await phases.run();
        await close({ type: 'finish' });
        return result;
      } catch (error) {
        // Unnamed wait: what it awaits names its own waits.
        await failAfter(() => close({ type: 'finish', error: errorToRecord(error) }), error);
        throw error;
      } finally {
        interrupt?.removeEventListener('abort', interrupted);
      }
    },
    receive(peer: string, envelope: Envelope) {
      // Payloads come only from those who were admitted: what is kept has none.
      const { message } = envelope;
      if (message.type === 'status') return answerStatus(peer, message, message);
      if (message.type === 'join' && message.protocol === PROTOCOL_VERSION) {
        described ??= message.description;
        monitor.notify();
      }
      const kept = early.held() ? { message } : envelope;
      early.handle(() => routes.fromWorker(peer, kept));
    },
    place: (message: Message, bytes: number) =>
      ended || message.type !== 'contribution'
        ? undefined
        : run?.training.landing(message.chunk, bytes),
    closed(peer: string, reason: string) {
      observations.forget(peer);
      // In its place: whoever joined and left early must not stay.
      early.handle(() => membership.leave(peer, reason));
    },
    badFrame: (peer: string, reason: string) =>
      emitStray(foreign(`Peer ${peer} was cut off: ${reason}`)),
    stranger: (reason: string) => emitStray(foreign(`Refused a connection: ${reason}`)),
  };
}
