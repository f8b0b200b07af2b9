import { createKernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import {
  type Body,
  type Envelope,
  type JobPhase,
  type Listener,
  type Message,
  PROTOCOL_VERSION,
  type ProgramDescription,
  refusal,
  type Transport,
} from '@tutti/protocol';
import {
  createProgress,
  createRecorder,
  digestOf,
  endingEvent,
  type JobResult,
  type Progress,
  type ResumePoint,
  readingCheckpoint,
  savedAs,
  startedEvent,
  stoppedAt,
  writingModel,
} from '@tutti/run';
import {
  createMonitor,
  errorFromRecord,
  errorToRecord,
  failAfter,
  type Monitor,
  systemClock,
  TuttiError,
  type WaitReport,
} from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createOpening, type Opened, type Opening } from '../alignment/server-alignment.js';
import { type Checkpoints, createCheckpoints } from '../checkpoints/checkpoints.js';
import { createStartingPoint } from '../checkpoints/starting-point.js';
import type { CoordinatorInit, Deadlines } from '../coordinator-init.js';
import { connectServers, type Servers, serverLost } from '../servers/servers.js';
import { createSumsInFlight } from '../servers/sums-in-flight.js';
import type { CollectedState } from '../state/collected-state.js';
import { closingJob, FAREWELL_MS } from '../state/farewell.js';
import type { JobParts, JobState } from '../state/job-state.js';
import { createObservations } from '../status/observations.js';
import { describeStatus } from '../status/status.js';
import { createSupervisor, type Supervisor } from '../stragglers/supervisor.js';
import { createTraining, type Training } from '../training/training.js';
import { createMembership, type Membership } from '../workers/membership.js';
import { createWorkerTimings } from '../workers/timings.js';
import { foreign } from './stray-connections.js';

const DEADLINES: Deadlines = {
  joinMs: 120_000,
  stepMs: 120_000,
  serverMs: 30_000,
  progressMs: 15_000,
};

/** The phases in which the servers have weights that are worth keeping. */
const HOLDING_WEIGHTS: readonly JobPhase[] = ['training', 'collecting weights', 'saving'];

/**
 * One job, from the first worker to the trained weights: hands each message to the part that answers
 * it (`receive`), and takes the job through its phases (`run`).
 */
export function coordinate(
  init: CoordinatorInit & { readonly transport: Transport },
  listener: Listener,
  announceEvent: (event: RunEvent) => void,
  signal: AbortSignal,
) {
  const { transport, clock = systemClock, kernels = createKernels() } = init;
  const observations = createObservations(clock);
  const emit = (event: RunEvent) => {
    observations.observe(event);
    announceEvent(event);
  };
  const { newId = () => crypto.randomUUID(), minWorkers = init.workers } = init;
  const state: JobState = {
    phase: 'looking for servers',
    job: newId(),
    plan: undefined,
    layout: undefined,
    ledger: undefined,
    rollback: false,
  };
  const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
  const monitor: Monitor = createMonitor({ clock, signal, onWaiting });
  const stamp = (body: Body): Message => ({
    // First, since V8 gives every object that gets keys after a spread a hidden class of its own.
    protocol: PROTOCOL_VERSION,
    job: state.job,
    session: '',
    ...body,
  });
  const servers: Servers = connectServers({
    servers: init.servers,
    replicas: init.replicas ?? 0,
    transport,
    clock,
    stamp,
    events: {
      receive: (server, envelope) => guard(() => receiveFromServer(server, envelope)),
      replaced: (server, reason) => guard(() => replaced(server, reason)),
      orphaned(server, reason) {
        if (ended) return;
        supervisor.serverAway(server);
        emit(serverLost(servers.nameOf(server), reason, 'It is awaited.'));
      },
      returned(server) {
        if (!ended) servers.send(server, { type: 'inquire' });
      },
    },
  });
  const recorder = createRecorder({ state, sink: init.checkpoints, emit });
  const parts: JobParts = {
    state,
    servers,
    sums: createSumsInFlight(servers, state, recorder.applied),
    monitor,
    clock,
    deadlines: { ...DEADLINES, ...init.deadlines },
    emit,
    stamp,
  };
  const { settings = {}, workers } = init;
  const timings = createWorkerTimings();
  const membership: Membership = createMembership({
    listener,
    settings,
    workers,
    minWorkers,
    strict: init.strict ?? false,
    newId,
    timings,
    ...parts,
  });
  const checkpoints: Checkpoints = createCheckpoints({
    sink: init.checkpoints,
    versions() {
      const host = [...membership][0]?.host;
      return host === undefined ? {} : { ...host.arithmetic, node: host.node };
    },
    ...parts,
  });
  const { resume, interrupt } = init;
  const startingPoint = createStartingPoint({ resume, settings, workers, checkpoints, emit });
  const opening: Opening = createOpening({
    membership,
    resumed: () => training.collectAgain(),
    ...parts,
  });
  const supervisor: Supervisor = createSupervisor({ membership, timings, ...parts });
  const training: Training = createTraining({
    membership,
    checkpoints,
    supervisor,
    recorder,
    kernels,
    verify: init.verify ?? 0,
    interrupt: init.interrupt,
    ...parts,
  });
  /** What came before it was clear which job this is. */
  let early: (() => void)[] | undefined = [];
  /** The first program that a worker came with before that. */
  let described: ProgramDescription | undefined;
  let ended = false;
  let wireBytes = 0;

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

  function receiveFromServer(server: number, { message, payload }: Envelope) {
    if (message.protocol !== PROTOCOL_VERSION) throw refusal(message, state.job);
    observations.server(server, message);
    switch (message.type) {
      case 'holding':
        supervisor.serverBack(server);
        return opening.holding(server, message);
      case 'opened':
        return opening.opened(server, message.versions);
      case 'stored':
        return opening.stored(server, message.chunk);
      case 'applied':
        return training.applied(server, message.step, message.chunk);
      case 'captured':
        checkpoints.captured(message.version, message.chunk, payload!);
        return training.captured(message.version, message.chunk, payload!);
      case 'refused':
        throw errorFromRecord(message.error);
    }
  }

  /** A standby takes over: it has been told the same. */
  function replaced(server: number, reason: string) {
    emit(serverLost(servers.nameOf(server), reason, 'A standby takes over.'));
    opening.forget(server);
    training.forget(server);
    if (state.layout === undefined) return;
    membership.tellAll({ type: 'relocated', servers: servers.ranges(state.layout) });
    training.collectAgain();
  }

  function receiveFromWorker(peer: string, { message, payload }: Envelope) {
    const misfit = refusal(message, state.job);
    if (misfit !== undefined) return membership.refuse(peer, misfit);
    observations.worker(peer, message);
    if (message.type === 'join') return membership.join(peer, message);
    if (membership.ignores(peer)) return;
    const member = membership.authenticate(peer, message);
    if (member === undefined)
      return membership.refuse(
        peer,
        new TuttiError('REFUSED', `A ${message.type} came from a peer that has not joined`, {
          remedy: 'Join first; a worker of another run must be ended.',
        }),
      );
    if (message.type === 'waiting') return supervisor.waits(member, message.version);
    supervisor.heard(member);
    switch (message.type) {
      case 'probe':
        return membership.probed(member, message.digest);
      case 'verification':
        return training.verified(member, message);
      case 'initial':
        return opening.initial(member, message.chunk, payload!);
      case 'report':
        // Before step 1 also the plan and the initial values were on the wire.
        if (message.step > 0) wireBytes += message.wireBytes;
        return training.reported(member, message.step, message.shards);
      case 'contribution':
        return training.contributed(member, message, payload!);
      case 'evaluation':
        return training.evaluated(member, message.version, message.shards);
      case 'failed': {
        if (membership.spares(member)) return membership.giveUp(member, message.error);
        const { code, message: text, remedy, details, cause } = errorFromRecord(message.error);
        throw new TuttiError(code, text, {
          remedy,
          cause,
          details: { ...details, worker: member.worker },
        });
      }
      case 'leave':
        return membership.leave(peer, 'it left', true);
    }
  }

  /** Answers whoever asks how the job is doing, whatever it is doing. */
  function answer(peer: string, message: Message) {
    const misfit = refusal(message, state.job);
    if (misfit !== undefined) return membership.refuse(peer, misfit);
    const awaiting = [opening, training];
    const view = { ...parts, members: membership, observations, awaiting, startsWith: workers };
    listener.send(peer, {
      message: stamp({ type: 'status-report', status: describeStatus(view) }),
    });
  }

  /** Finds out which job this is: only then can the workers be answered that came meanwhile. */
  async function identify() {
    await opening.identify();
    if (state.plan === undefined && resume !== undefined) await findCheckpoint();
    const waiting = early!;
    early = undefined;
    for (const handle of waiting) guard(handle);
  }

  /** The run goes on from a checkpoint, if there is one: as the same job, if nothing was changed. */
  async function findCheckpoint() {
    await monitor.until(() => described !== undefined, membership.anyone('join'));
    const point = await monitor.race(startingPoint.find(described!), readingCheckpoint);
    if (point === undefined) return;
    state.job = point.job ?? state.job;
    state.plan = point.plan;
    state.layout = layoutOf(point.plan);
  }

  /** Nothing is lost that cannot be computed again: the same steps give the same bits. */
  async function rollBack(): Promise<Opened> {
    state.phase = 'rolling back';
    const from = state.ledger!.version();
    training.release();
    const opened = await opening.open(true, () => startingPoint.base(from));
    const { version } = opened;
    const where = opened.from === undefined ? 'the beginning' : opened.from.path;
    emit({
      event: 'warning',
      code: 'PEER_LOST',
      message: `The weights went back from version ${from} to version ${version} (${where}): a server had lost its own`,
      remedy:
        'Use --replicas 1 for a standby, so that nothing is computed twice, or --checkpoint-every to go back less far.',
    });
    return opened;
  }

  /** The run was interrupted: what was trained since it began is saved. */
  async function halt(end: CollectedState, started: number, from: ResumePoint | undefined) {
    state.phase = 'saving';
    const step = end.version;
    if (step === started) return stoppedAt({ step, path: from?.path });
    const saved = await monitor.race(checkpoints.last(end), writingModel);
    return stoppedAt({ step, path: saved?.path });
  }

  async function finish(progress: Progress, end: CollectedState): Promise<JobResult> {
    state.phase = 'saving';
    const plan = state.plan!;
    const parameters = end.flat;
    const trained = {
      job: state.job,
      plan,
      steps: plan.steps,
      examples: progress.examples(),
      ...progress.final(),
      digest: digestOf(parameters),
      parameters,
      values: state.layout!.views(parameters),
      examplesPerSecond: progress.examplesPerSecond(),
      wireBytesPerStep: Math.round(wireBytes / Math.max(1, plan.steps - 1)),
    };
    const saved = await monitor.race(checkpoints.last(end), writingModel);
    const result = { ...trained, ...savedAs(saved) };
    emit(endingEvent(result));
    return result;
  }

  function announce(from: ResumePoint | undefined): Progress {
    const plan = state.plan!;
    const layout = state.layout!;
    const size = { workers: membership.size(), servers: servers.width };
    emit(startedEvent({ job: state.job, plan, layout, ...size, from }));
    return createProgress({ plan, clock, emit });
  }

  /** While nothing is trained there is nothing to wait for; afterwards the training ends itself. */
  function interrupted() {
    if (HOLDING_WEIGHTS.includes(state.phase)) monitor.notify();
    else monitor.fail(stoppedAt({ step: state.ledger?.version() ?? 0, path: undefined }));
  }

  async function run(): Promise<JobResult> {
    let failure: unknown;
    interrupt?.addEventListener('abort', interrupted, { once: true });
    try {
      if (interrupt?.aborted) interrupted();
      await identify();
      state.phase = 'gathering workers';
      await membership.gather();
      state.phase = 'opening servers';
      let opened = await opening.open(false, startingPoint.base);
      const progress = announce(opened.from);
      for (let back = false; ; back = true) {
        const { version, from } = opened;
        // Workers may have outlived a job that goes on from a checkpoint, or that lost a server.
        const rewind = back || from !== undefined || !opened.complete;
        state.phase = 'training';
        const reached = await training.train(progress, version, from?.progress, rewind);
        state.phase = 'collecting weights';
        const end = await training.collect(reached.version);
        if (end !== undefined && reached.interrupted) throw await halt(end, version, from);
        if (end !== undefined) return await finish(progress, end);
        if (interrupt?.aborted) throw stoppedAt({ step: reached.version, path: undefined });
        opened = await rollBack();
      }
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      ended = true;
      interrupt?.removeEventListener('abort', interrupted);
      const farewell: Body =
        failure === undefined
          ? { type: 'finish' }
          : { type: 'finish', error: errorToRecord(failure) };
      membership.dismiss(farewell);
      servers.broadcast(() => farewell);
      training.release();
      const closed = [servers.close(), listener.close(FAREWELL_MS), checkpoints.close()];
      const closing = createMonitor({ clock, onWaiting });
      const closeAll = () => closing.race(Promise.all(closed), closingJob);
      // Unnamed wait: what it awaits names its own waits.
      await (failure === undefined ? closeAll() : failAfter(closeAll, failure));
    }
  }

  return {
    run,
    receive(peer: string, envelope: Envelope) {
      // Payloads come only from those who were admitted: what is kept has none.
      const { message } = envelope;
      if (message.type === 'status') return answer(peer, message);
      if (message.type === 'join' && message.protocol === PROTOCOL_VERSION) {
        described ??= message.description;
        monitor.notify();
      }
      if (early !== undefined) early.push(() => receiveFromWorker(peer, { message }));
      else guard(() => receiveFromWorker(peer, envelope));
    },
    closed(peer: string, reason: string) {
      observations.forget(peer);
      // In its place: whoever joined and left early must not stay.
      if (early !== undefined) early.push(() => membership.leave(peer, reason));
      else guard(() => membership.leave(peer, reason));
    },
    badFrame: (peer: string, reason: string) =>
      emit(foreign(`Peer ${peer} was cut off: ${reason}`)),
    stranger: (reason: string) => emit(foreign(`Refused a connection: ${reason}`)),
  };
}
