import { createKernels } from '@tutti/kernels';
import { createLayout, type Layout } from '@tutti/parameters';
import {
  type Body,
  type Envelope,
  type JobPlan,
  type Listener,
  type Message,
  PROTOCOL_VERSION,
  type ProgramDescription,
  refusal,
  type Transport,
} from '@tutti/protocol';
import {
  createMonitor,
  errorFromRecord,
  errorToRecord,
  type Monitor,
  systemClock,
  TuttiError,
  toTuttiError,
  type Wait,
} from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { assignShards } from './assignment.js';
import type { CoordinatorInit, Deadlines } from './coordinator.js';
import { createDeliveries } from './deliveries.js';
import { createLedger, type Ledger } from './ledger.js';
import { createMembers, type Member } from './members.js';
import { resolvePlan } from './plan.js';
import { createProgress, endsEpoch, type Progress } from './progress.js';
import { digestOf, finishedEvent, type JobResult } from './result.js';
import { connectServers } from './servers.js';
import type { Step } from './step.js';
import { totalOf } from './totals.js';

/**
 * One job, from the first worker to the trained weights: what the coordinator answers to each message
 * (`receive`), and what it goes through (`run`).
 */
export function coordinate(
  init: CoordinatorInit & { readonly transport: Transport },
  listener: Listener,
  emit: (event: RunEvent) => void,
  signal: AbortSignal,
) {
  const { transport, clock = systemClock, kernels = createKernels() } = init;
  const { newId = () => crypto.randomUUID(), minWorkers = init.workers } = init;
  const deadlines: Deadlines = {
    joinMs: 120_000,
    stepMs: 120_000,
    serverMs: 30_000,
    ...init.deadlines,
  };
  let job = newId();
  const members = createMembers(newId);
  const monitor: Monitor = createMonitor({
    clock,
    signal,
    onWaiting: (report) => emit({ event: 'waiting', ...report }),
  });
  let plan: JobPlan | undefined;
  let layout: Layout | undefined;
  let ledger: Ledger | undefined;
  let generation = 0;
  let ended = false;
  /** What each server said it holds: the job that it serves, if any. */
  const holdings = new Map<number, { readonly job: string; readonly plan: JobPlan | undefined }>();
  /** What came before it was clear which job this is. */
  let early: (() => void)[] | undefined = [];
  const opened = new Map<number, readonly number[]>();
  const stored = new Set<number>();
  /** Chunks that were one version further than the others when this coordinator came. */
  const ahead = new Set<number>();
  /** A server came back without its weights: all go back to a version that everybody can have. */
  let rollback = false;
  /** The servers were told of this job. */
  let opening = false;
  let openMessage: ((range: { firstChunk: number; chunks: number }) => Body) | undefined;
  let initializer: Member | undefined;
  let final: { readonly flat: Float32Array; readonly missing: Set<number> } | undefined;
  let wireBytes = 0;

  const stamp = (body: Body): Message => ({
    ...body,
    protocol: PROTOCOL_VERSION,
    job,
    session: '',
  });
  const tell = (member: Member, body: Body) =>
    listener.send(member.peer, { message: { ...stamp(body), session: member.session } });
  const refuse = (peer: string, error: TuttiError) => {
    listener.send(peer, { message: stamp({ type: 'refused', error: errorToRecord(error) }) });
    const { code, message, remedy } = error;
    emit({ event: 'warning', code, message: `Refused a peer: ${message}`, remedy });
  };

  const servers = connectServers({
    servers: init.servers,
    replicas: init.replicas ?? 0,
    transport,
    clock,
    stamp,
    events: {
      receive: (server, envelope) => guard(() => receiveFromServer(server, envelope)),
      replaced: (server, reason) => guard(() => replaced(server, reason)),
      orphaned(server, reason) {
        if (!ended) emit(serverLost(servers.nameOf(server), reason, 'It is awaited.'));
      },
      returned(server) {
        if (!ended) servers.send(server, { type: 'inquire' });
      },
    },
  });
  const deliveries = createDeliveries(servers);

  /** A standby takes over: it has been told the same. */
  function replaced(server: number, reason: string) {
    emit(serverLost(servers.nameOf(server), reason, 'A standby takes over.'));
    opened.delete(server);
    for (const chunk of deliveries.forget(server)) ledger?.step(ledger.version)?.applied(chunk);
    if (layout === undefined) return;
    const ranges = servers.ranges(layout);
    for (const member of members) tell(member, { type: 'relocated', servers: ranges });
    // What it was asked for at the end, another is asked for again.
    if (final !== undefined) servers.sendToFirst({ type: 'pull', version: plan!.steps });
  }

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
    switch (message.type) {
      case 'holding':
        holdings.set(server, { job: message.job, plan: message.plan });
        if (!opening) return;
        // What it was told while it was away did not arrive; what it held may be gone.
        if (message.job !== job) rollback = true;
        else if (openMessage !== undefined && !opened.has(server))
          servers.send(server, openMessage(servers.rangeOf(server)));
        else deliveries.resend(server);
        if (initializer !== undefined && stored.size < layout!.chunks)
          tell(initializer, { type: 'initialize' });
        if (final !== undefined && !rollback)
          servers.sendToFirst({ type: 'pull', version: plan!.steps });
        return;
      case 'opened':
        opened.set(server, message.versions);
        return;
      case 'stored':
        stored.add(message.chunk);
        return;
      case 'applied': {
        if (deliveries.applied(server, message.step, message.chunk))
          ledger?.step(message.step)?.applied(message.chunk);
        return;
      }
      case 'weights':
        if (final?.missing.delete(message.chunk))
          new Uint8Array(final.flat.buffer).set(payload!, 4 * message.chunk * layout!.chunkFloats);
        return;
      case 'refused':
        throw errorFromRecord(message.error);
    }
  }

  function join(peer: string, message: Extract<Message, { type: 'join' }>) {
    let member: Member;
    try {
      if (plan !== undefined) checkProgram(plan, message.description);
      member = members.admit(peer, message, message.job === job);
    } catch (error) {
      return refuse(peer, toTuttiError(error, 'INTERNAL', 'Cannot admit', 'Report it.'));
    }
    plan ??= resolvePlan(message.description, init.settings ?? {}, init.workers);
    layout ??= createLayout(plan.parameters);
    tell(member, {
      type: 'welcome',
      worker: member.worker,
      plan,
      servers: servers.ranges(layout),
    });
    emit({ event: 'worker-joined', worker: member.worker, workers: members.size });
    if (ledger !== undefined) assign();
  }

  function receiveFromWorker(peer: string, { message, payload }: Envelope) {
    const misfit = refusal(message, job);
    if (misfit !== undefined) return refuse(peer, misfit);
    if (message.type === 'join') return join(peer, message);
    const member = members.authenticate(peer, message);
    if (member === undefined)
      return refuse(
        peer,
        new TuttiError('REFUSED', `A ${message.type} came from a peer that has not joined`, {
          remedy: 'Join first; a worker of another run must be ended.',
        }),
      );
    switch (message.type) {
      case 'initial':
        if (member === initializer)
          servers.sendTo(message.chunk, { type: 'store', chunk: message.chunk }, payload!.slice());
        return;
      case 'report': {
        // Before step 1 also the plan and the initial values were on the wire.
        if (message.step > 0) wireBytes += message.wireBytes;
        const step = ledger?.step(message.step);
        for (const report of message.shards) step?.report(member.worker, report);
        return pump();
      }
      case 'contribution': {
        const offer = ledger?.step(message.step)?.contribute(message, payload!);
        if (offer === 'no-node') throw noNode(member, message);
        return pump();
      }
      case 'evaluation':
        for (const report of message.shards)
          ledger?.evaluation(message.version)?.set(report.shard, report);
        return pump();
      case 'failed': {
        const { code, message: text, remedy, details, cause } = errorFromRecord(message.error);
        throw new TuttiError(code, text, {
          remedy,
          cause,
          details: { ...details, worker: member.worker },
        });
      }
      case 'leave':
        return leave(peer, 'it left');
    }
  }

  function leave(peer: string, reason: string) {
    const member = members.remove(peer);
    if (member === undefined) return;
    const { worker } = member;
    emit({ event: 'worker-left', worker, reason, workers: members.size });
    if (ledger === undefined) return;
    if (members.size < minWorkers)
      throw new TuttiError(
        'PEER_LOST',
        `Worker ${worker} is gone in step ${ledger.version} (${reason}); ${members.size} of at least ${minWorkers} workers are left`,
        {
          remedy: 'See how the worker ended, or allow fewer with --min-workers.',
          details: { worker, step: ledger.version },
        },
      );
    assign();
  }

  /** Has the servers apply what is ready. A version that is being evaluated stays until it is. */
  function pump() {
    if (ledger === undefined || !ledger.evaluated) return;
    const step = ledger.version;
    for (const ready of ledger.step(step)?.ready() ?? []) deliveries.send(step, ready);
  }

  function assign(rewind = false) {
    generation++;
    const shares = assignShards(plan!.shards, members.names);
    for (const member of members) {
      member.shards = shares.get(member.worker)!;
      const { shards } = member;
      tell(member, { type: 'assign', generation, step: ledger!.version, shards, rewind });
    }
  }

  const ownersOf = (shards: readonly number[]) =>
    [...new Set(shards.map((shard) => members.owner(shard)?.worker ?? 'nobody'))].join(', ');

  /**
   * A coordinator that was started again finds its job at the servers: they keep the only state that
   * cannot be computed anew.
   */
  async function identify() {
    servers.inquire();
    await monitor.until(
      () => servers.living.every((server) => holdings.has(server)),
      () => ({
        who: servers.names,
        what: 'say what they hold',
        remedy: 'Start them, and check that their ports can be reached.',
        deadlineMs: deadlines.joinMs,
      }),
    );
    const found = [...holdings.values()].filter(({ job: held }) => held !== '');
    const [first] = found;
    if (first?.plan !== undefined) {
      if (found.some(({ job: held }) => held !== first.job))
        throw new TuttiError('REFUSED', 'The servers belong to different jobs', {
          remedy: 'End the servers that are left over from another run.',
        });
      ({ job } = first);
      plan = first.plan;
      layout = createLayout(first.plan.parameters);
    }
    const waiting = early!;
    early = undefined;
    for (const handle of waiting) guard(handle);
  }

  const noWorkers = () => ({
    who: 'a worker',
    remedy: `Start one: tutti worker <program> --coordinator ${listener.address}`,
    deadlineMs: deadlines.joinMs,
  });

  async function gather() {
    await monitor.until(
      () => members.size >= init.workers,
      () => ({
        who: `${init.workers - members.size} of ${init.workers} workers`,
        what: `join at ${listener.address}${members.size > 0 ? ` (here: ${members.names.join(', ')})` : ''}`,
        remedy: `Start them: tutti worker <program> --coordinator ${listener.address}`,
        deadlineMs: deadlines.joinMs,
      }),
    );
  }

  /**
   * Gives every server its range.
   * @param reset whether they must forget what they have
   * @returns the version that the weights are at
   */
  async function openServers(reset: boolean): Promise<number> {
    for (let anew = reset; ; anew = true) {
      rollback = false;
      opening = true;
      opened.clear();
      stored.clear();
      ahead.clear();
      deliveries.clear();
      openMessage = ({ firstChunk, chunks }) => ({
        type: 'open',
        plan: plan!,
        firstChunk,
        chunks,
        reset: anew,
      });
      servers.broadcast(openMessage);
      await monitor.until(
        () => servers.living.every((server) => opened.has(server)) || rollback,
        () => ({
          who: servers.names,
          what: 'open the job',
          remedy: 'Check that they run and that their ports can be reached.',
          deadlineMs: deadlines.serverMs,
        }),
      );
      if (rollback) continue;
      const versions = versionsByChunk();
      const [least, most] = [Math.min(...versions), Math.max(...versions)];
      // Weights of a later version without the rest of it are worth nothing.
      if (least < 0 && most > 0) continue;
      if (least < 0) await initialize();
      if (rollback) continue;
      for (const [chunk, version] of versions.entries()) if (version > least) ahead.add(chunk);
      return Math.max(0, least);
    }
  }

  /** The lowest version of each chunk over its holders. */
  function versionsByChunk(): number[] {
    const versions = new Array<number>(layout!.chunks).fill(Number.POSITIVE_INFINITY);
    for (const [server, held] of opened) {
      const first = servers.rangeOf(server).firstChunk;
      for (const [at, version] of held.entries())
        versions[first + at] = Math.min(versions[first + at]!, version);
    }
    return versions;
  }

  /** Has a worker make the values of version 0; another, if it is lost meanwhile. */
  async function initialize() {
    const done = () => stored.size === layout!.chunks || rollback;
    while (!done()) {
      await monitor.until(
        () => members.size > 0 || done(),
        () => ({ ...noWorkers(), what: 'join and make the initial values' }),
      );
      const chosen = [...members][0];
      if (chosen === undefined) return;
      initializer = chosen;
      tell(chosen, { type: 'initialize' });
      await monitor.until(
        () => done() || ![...members].includes(chosen),
        () => ({
          who: `worker ${chosen.worker}`,
          what: `send the initial values (${stored.size} of ${layout!.chunks} chunks are stored)`,
          remedy: 'See what the worker says.',
          deadlineMs: deadlines.stepMs,
        }),
      );
    }
  }

  /** Trains to the end, or until a server is found to have lost its weights. */
  async function train(progress: Progress, version: number, rewind: boolean) {
    const book = createLedger({ plan: plan!, layout: layout!, kernels, version });
    ledger = book;
    for (const chunk of ahead) book.step(version)?.applied(chunk);
    assign(rewind);
    progress.startAt(version);
    for (;;) {
      await monitor.until(
        () => book.evaluated || rollback,
        () => {
          const shards = book.unevaluated();
          return {
            who: `worker ${ownersOf(shards)}`,
            what: `evaluate shards ${shards.join(', ')} at version ${book.version}`,
            remedy: 'See what the worker says, or end it.',
            deadlineMs: deadlines.stepMs,
          };
        },
      );
      if (rollback) return;
      if (endsEpoch(plan!, book.version)) {
        const reports = book.evaluation(book.version);
        progress.epochDone(book.version, reports && totalOf(reports.values()));
        progress.stepStarted();
      }
      const step = book.step(book.version);
      if (step === undefined) return;
      pump();
      await monitor.until(
        () => step.done || rollback,
        () => awaited(step),
      );
      if (rollback) return;
      progress.stepDone(step.step, step.totals);
      book.advance();
    }
  }

  function awaited(step: Step): Wait {
    const missing = step.missing();
    const remedy = 'See what it says; end it if it hangs, or raise --step-deadline-ms.';
    const deadlineMs = deadlines.stepMs;
    return missing.length > 0
      ? {
          who: `worker ${ownersOf(missing)}`,
          what: `send the gradients of shards ${missing.join(', ')} of step ${step.step}`,
          remedy,
          deadlineMs,
        }
      : { who: servers.names, what: `apply step ${step.step}`, remedy, deadlineMs };
  }

  /** The stored parameters at the last version. */
  async function collect(): Promise<Float32Array> {
    const flat = new Float32Array(layout!.floats);
    const missing = new Set(Array.from({ length: layout!.chunks }, (_, chunk) => chunk));
    final = { flat, missing };
    servers.sendToFirst({ type: 'pull', version: plan!.steps });
    await monitor.until(
      () => missing.size === 0 || rollback,
      () => ({
        who: servers.names,
        what: `send ${missing.size} chunks of the trained weights`,
        remedy: 'See what the servers say.',
        deadlineMs: deadlines.serverMs,
      }),
    );
    return flat;
  }

  /** Nothing is lost that cannot be computed again: the same steps give the same bits. */
  async function rollBack(): Promise<number> {
    const from = ledger!.version;
    ledger!.release();
    rollback = false;
    ledger = undefined;
    final = undefined;
    const version = await openServers(true);
    emit({
      event: 'warning',
      code: 'PEER_LOST',
      message: `The weights went back from version ${from} to version ${version}: a server had lost its own`,
      remedy: 'Use --replicas 1 for a standby, so that nothing is computed twice.',
    });
    return version;
  }

  async function finish(progress: Progress, parameters: Float32Array): Promise<JobResult> {
    const trained = {
      job,
      plan: plan!,
      steps: plan!.steps,
      examples: progress.examples,
      ...progress.final,
      digest: digestOf(parameters),
      parameters,
      values: layout!.views(parameters),
      examplesPerSecond: progress.examplesPerSecond,
      wireBytesPerStep: Math.round(wireBytes / Math.max(1, plan!.steps - 1)),
    };
    const result = { ...trained, modelPath: await save(trained) };
    emit(finishedEvent(result));
    return result;
  }

  async function save(trained: Omit<JobResult, 'modelPath'>): Promise<string | null> {
    try {
      return (await init.save?.(trained)) ?? null;
    } catch (thrown) {
      const { code, message, remedy } = toTuttiError(
        thrown,
        'STORAGE',
        'The trained model could not be saved',
        'Make room or choose another --checkpoint-dir, and run again.',
      );
      emit({ event: 'warning', code, message, remedy });
      return null;
    }
  }

  async function run(): Promise<JobResult> {
    let failure: unknown;
    try {
      await identify();
      await gather();
      let version = await openServers(false);
      const progress = createProgress({ plan: plan!, clock, emit });
      emit({
        event: 'started',
        job,
        workers: members.size,
        servers: init.servers.length / ((init.replicas ?? 0) + 1),
        shards: plan!.shards,
        steps: plan!.steps,
        epochs: Math.ceil(plan!.steps / plan!.stepsPerEpoch),
        storedParameters: layout!.floats,
        program: plan!.programName,
      });
      for (let rewind = false; ; rewind = true) {
        await train(progress, version, rewind);
        const parameters = rollback ? undefined : await collect();
        if (parameters !== undefined && !rollback) return await finish(progress, parameters);
        version = await rollBack();
      }
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      ended = true;
      const farewell: Body =
        failure === undefined
          ? { type: 'finish' }
          : { type: 'finish', error: errorToRecord(failure) };
      for (const member of members) tell(member, farewell);
      servers.broadcast(() => farewell);
      ledger?.release();
      await Promise.all([servers.close(), listener.close(1000)]);
    }
  }

  return {
    run,
    receive(peer: string, envelope: Envelope) {
      // Payloads come only from those who were admitted: what is kept has none.
      const { message } = envelope;
      if (early !== undefined) early.push(() => receiveFromWorker(peer, { message }));
      else guard(() => receiveFromWorker(peer, envelope));
    },
    closed(peer: string, reason: string) {
      // In its place: whoever joined and left early must not stay.
      if (early !== undefined) early.push(() => leave(peer, reason));
      else guard(() => leave(peer, reason));
    },
    badFrame: (peer: string, reason: string) =>
      emit({
        event: 'warning',
        code: 'BAD_FRAME',
        message: `Peer ${peer} was cut off: ${reason}`,
        remedy: 'Check that only Tutti processes connect to this port.',
      }),
  };
}

function noNode(
  { worker }: Member,
  message: { lo: number; hi: number; chunk: number; step: number },
) {
  const { lo, hi, chunk, step } = message;
  return new TuttiError(
    'BAD_FRAME',
    `Worker ${worker} sent [${lo}, ${hi}) of chunk ${chunk} of step ${step}, which is no node of the tree`,
    { remedy: 'Check that all processes run the same version of Tutti.', details: { worker } },
  );
}

function serverLost(name: string, reason: string, then: string): RunEvent {
  return {
    event: 'warning',
    code: 'PEER_LOST',
    message: `${name} is gone: ${reason}. ${then}`,
    remedy: 'See how it ended.',
  };
}

/** The first to join need not be of this job, where the servers know it already. */
function checkProgram(plan: JobPlan, { name, hash }: ProgramDescription) {
  if (hash === plan.programHash) return;
  throw new TuttiError(
    'REFUSED',
    `The job trains program ${plan.programName} (${plan.programHash.slice(0, 12)}), this worker has ${name} (its sources have hash ${hash.slice(0, 12)})`,
    { remedy: 'Give every worker the same program file and the same data.' },
  );
}
