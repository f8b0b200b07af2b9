import { createKernels } from '@tutti/kernels';
import { createLayout } from '@tutti/parameters';
import {
  type Assign,
  type Body,
  type Connection,
  type Envelope,
  evaluatesAt,
  type HostFacts,
  type JobPlan,
  type Message,
  PROTOCOL_VERSION,
  type ProgramDescription,
  type Transport,
  type Welcome,
} from '@tutti/protocol';
import { createReducer } from '@tutti/reduction';
import {
  type Clock,
  createBufferPool,
  createMonitor,
  errorFromRecord,
  errorToRecord,
  type Running,
  start,
  systemClock,
  TuttiError,
  type WaitReport,
} from '@tutti/runtime';
import { createZmqTransport } from '@tutti/transport';
import { describeProgram } from './describe.js';
import { hostFacts } from './host-facts.js';
import type { Computation, Program, ProgramData } from './program.js';
import { createTask, type ReadMicroBatch, type Task } from './task.js';
import { createWeightBuffer } from './weights.js';

export interface WorkerInit {
  /** Where the coordinator listens, `tcp://host:port`. */
  readonly coordinator: string;
  readonly program: Program;
  /** SHA-256 over the program's sources; workers of one job must agree. */
  readonly programHash?: string;
  /** What others call this worker; must be unique in the job. The coordinator names one if absent. */
  readonly name?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: WorkerEvent) => void;
  /** How long the coordinator may stay silent before the worker gives up. */
  readonly deadlineMs?: number;
  readonly transport?: Transport;
  readonly clock?: Clock;
  readonly host?: HostFacts;
}

export type WorkerEvent =
  | { readonly event: 'joined'; readonly worker: string; readonly job: string }
  | { readonly event: 'computed'; readonly step: number; readonly shards: readonly number[] }
  | ({ readonly event: 'waiting' } & WaitReport);

export interface WorkerSummary {
  readonly worker: string;
  /** Micro-batches computed. */
  readonly microBatches: number;
}

export interface Worker {
  /** Joins the job and computes until it is finished. */
  start(): Running<WorkerEvent, WorkerSummary>;
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
    start: () =>
      start(
        async (emit, signal) => {
          const { program } = init;
          const data = await program.data();
          let computation: Computation | undefined;
          try {
            computation = await program.open();
            return await run(init, data, computation, emit, signal);
          } finally {
            await computation?.close?.();
            await data.training.close?.();
            await data.evaluation?.close?.();
          }
        },
        { signal: init.signal, onEvent: init.onEvent },
      ),
  };
}

async function run(
  init: WorkerInit,
  data: ProgramData,
  computation: Computation,
  emit: (event: WorkerEvent) => void,
  signal: AbortSignal,
): Promise<WorkerSummary> {
  const { clock = systemClock, transport = createZmqTransport(), deadlineMs = 600_000 } = init;
  const monitor = createMonitor({
    clock,
    signal,
    onWaiting: (report) => emit({ event: 'waiting', ...report }),
  });
  const description = describeProgram(init.program, data, computation, init.programHash);

  let name = init.name ?? '';
  let welcome: (Welcome & { readonly job: string; readonly session: string }) | undefined;
  let assignment: Assign = { type: 'assign', generation: 0, step: -1, shards: [] };
  let initializeWanted = false;
  let finished = false;
  let farewell = false;
  const connections: Connection[] = [];
  const stamp = (body: Body): Message => ({
    ...body,
    protocol: PROTOCOL_VERSION,
    job: welcome?.job ?? '',
    session: welcome?.session ?? '',
  });

  const coordinator = transport.connect(init.coordinator, {
    message: guard(({ message }) => {
      if (message.type === 'welcome') {
        welcome = message;
        name = message.worker;
      } else if (message.type === 'assign') {
        if (message.generation > assignment.generation) assignment = message;
      } else if (message.type === 'initialize') initializeWanted = true;
      else if (message.type === 'finish') {
        farewell = true;
        if (message.error === undefined) finished = true;
        else throw errorFromRecord(message.error);
      } else if (message.type === 'refused') {
        farewell = true;
        throw errorFromRecord(message.error);
      }
    }),
    closed: lost('coordinator', init.coordinator),
  });
  connections.push(coordinator);

  /** Whatever a handler throws ends the run; whatever it changes wakes the loop. */
  function guard(handle: (envelope: Envelope) => void) {
    return (envelope: Envelope) => {
      try {
        handle(envelope);
        monitor.notify();
      } catch (error) {
        monitor.fail(error);
      }
    };
  }

  function lost(role: string, address: string) {
    return (reason: string) =>
      monitor.fail(
        new TuttiError('PEER_LOST', `The ${role} at ${address} is gone: ${reason}`, {
          remedy: `See how the ${role} ended, and start the job again.`,
          details: { role, address },
        }),
      );
  }

  try {
    coordinator.send({
      message: stamp({
        type: 'join',
        worker: name,
        description,
        host: init.host ?? hostFacts(computation.arithmetic),
      }),
    });
    const inTime = (what: string) => ({
      who: `the coordinator at ${init.coordinator}`,
      what,
      remedy: 'See what the coordinator says, or whether it still runs.',
      deadlineMs,
    });
    await monitor.until(() => welcome !== undefined, inTime('welcome this worker'));
    const { plan, job, servers } = welcome!;
    checkPlan(plan, description);
    emit({ event: 'joined', worker: name, job });

    const kernels = createKernels();
    const layout = createLayout(plan.parameters);
    const task = createTask({ plan, layout, data, computation, kernels, clock, worker: name });
    const weights = createWeightBuffer(layout);
    const upstream = servers.map(({ address }) => {
      const connection = transport.connect(address, {
        message: guard(({ message, payload }) => {
          if (message.type === 'weights') weights.accept(message.version, message.chunk, payload!);
          else if (message.type === 'refused') throw errorFromRecord(message.error);
        }),
        closed: lost('server', address),
      });
      connections.push(connection);
      return connection;
    });
    const pull = (version: number) => {
      weights.expect(version);
      for (const server of upstream) server.send({ message: stamp({ type: 'pull', version }) });
    };

    await monitor.until(
      () => assignment.generation > 0 || initializeWanted || finished,
      inTime('assign the first shards'),
    );
    if (initializeWanted) {
      const flat = await monitor.race(task.initialize());
      for (let chunk = 0; chunk < layout.chunks; chunk++) {
        const from = chunk * layout.chunkFloats;
        const part = flat.slice(from, from + layout.chunkLength(chunk));
        coordinator.send({
          message: stamp({ type: 'initial', chunk }),
          payload: new Uint8Array(part.buffer),
        });
      }
    }

    const queue = createReadQueue(task, plan);
    const pool = createBufferPool();
    let sent: Uint8Array[] = [];
    let [microBatches, wireBytes] = [0, 0];
    const traffic = () =>
      connections.reduce(
        (sum, each) => sum + each.traffic.sentBytes + each.traffic.receivedBytes,
        0,
      );

    await monitor.until(() => assignment.generation > 0 || finished, inTime('assign shards'));
    let step = assignment.step;
    pull(step);
    while (!finished) {
      await monitor.until(
        () => finished || weights.whole,
        () => ({
          who: `the servers at ${servers.map(({ address }) => address).join(', ')}`,
          what: `send chunks ${weights.missing().slice(0, 8).join(', ')} of version ${step}`,
          remedy: 'See what the coordinator awaits: `tutti status`, or its log.',
          deadlineMs,
        }),
      );
      if (finished) break;
      // Whoever has the new version knows that the sums of the step before are complete: nobody
      // will read what was sent for it.
      for (const buffer of sent) pool.give(buffer);
      sent = [];
      const evaluated = new Set<number>();
      const computed = new Set<number>();
      let pulled = false;

      // Again if the assignment changes while the step is under way.
      while (!finished && weights.version === step) {
        const { generation } = assignment;
        const mine = assignment.step <= step ? assignment.shards : [];
        if (evaluatesAt(plan, step)) {
          const shards = [];
          for (const shard of mine.filter((each) => !evaluated.has(each))) {
            shards.push(await monitor.race(task.evaluate(weights.values, step, shard)));
            evaluated.add(shard);
          }
          if (shards.length > 0)
            coordinator.send({ message: stamp({ type: 'evaluation', version: step, shards }) });
        }
        const wanted = mine.filter((shard) => !computed.has(shard));
        if (step < plan.steps && wanted.length > 0) {
          await contribute(wanted);
          for (const shard of wanted) computed.add(shard);
          microBatches += wanted.length;
          emit({ event: 'computed', step, shards: wanted });
        }
        if (step < plan.steps && !pulled) {
          pull(step + 1);
          pulled = true;
        }
        queue.prepare(step + 1, mine);
        await monitor.until(
          () => finished || assignment.generation > generation || weights.version > step,
          () => ({
            who: `the servers at ${servers.map(({ address }) => address).join(', ')}`,
            what: `send chunks ${weights.missing().slice(0, 8).join(', ')} of version ${step + 1}`,
            remedy: 'See what the coordinator awaits: `tutti status`, or its log.',
            deadlineMs,
          }),
        );
      }
      step++;
    }
    return { worker: name, microBatches };

    /** Computes micro-batches, adds along the tree, pushes the maximal nodes. */
    async function contribute(shards: readonly number[]): Promise<void> {
      const reducer = createReducer({ kernels, shards: plan.shards, length: layout.floats });
      try {
        const reports = [];
        for (const shard of shards) {
          const microBatch = await monitor.race(queue.take(step, shard));
          const { gradient, report } = await monitor.race(
            task.gradient(weights.values, microBatch),
          );
          reports.push(report);
          reducer.offer(shard, shard + 1, gradient);
        }
        const before = wireBytes;
        wireBytes = traffic();
        coordinator.send({
          message: stamp({ type: 'report', step, shards: reports, wireBytes: wireBytes - before }),
        });
        for (let chunk = 0; chunk < layout.chunks; chunk++) {
          const from = 4 * chunk * layout.chunkFloats;
          const to = from + 4 * layout.chunkLength(chunk);
          for (const { lo, hi, values } of reducer.nodes()) {
            const payload = pool.take(to - from);
            payload.set(values.bytes.subarray(from, to));
            sent.push(payload);
            coordinator.send({
              message: stamp({ type: 'contribution', step, lo, hi, chunk }),
              payload,
            });
          }
        }
      } finally {
        reducer.release();
      }
    }
  } catch (error) {
    // The coordinator's own verdict needs no echo.
    if (!farewell)
      coordinator.send({ message: stamp({ type: 'failed', error: errorToRecord(error) }) });
    throw error;
  } finally {
    await Promise.all(connections.map((connection) => connection.close(1000)));
  }
}

/** Reads micro-batches before they are needed: while the step is under way and while waiting. */
function createReadQueue(task: Task, plan: JobPlan) {
  const ahead = new Map<string, Promise<ReadMicroBatch>>();
  const key = (step: number, shard: number) => `${step}/${shard}`;
  return {
    prepare(step: number, shards: readonly number[]) {
      for (const old of ahead.keys()) if (Number.parseInt(old, 10) < step) ahead.delete(old);
      for (const at of [step, step + 1])
        for (const shard of shards) {
          if (at >= plan.steps || ahead.has(key(at, shard))) continue;
          const reading = task.read(at, shard);
          // An error belongs to whoever takes the micro-batch.
          reading.catch(() => {});
          ahead.set(key(at, shard), reading);
        }
    },
    take(step: number, shard: number): Promise<ReadMicroBatch> {
      const ready = ahead.get(key(step, shard));
      ahead.delete(key(step, shard));
      return ready ?? task.read(step, shard);
    },
  };
}

function checkPlan(plan: JobPlan, description: ProgramDescription): void {
  if (plan.programHash === description.hash) return;
  throw new TuttiError(
    'REFUSED',
    `The job trains program ${plan.programName} (${plan.programHash.slice(0, 12)}), this worker has ${description.name} (${description.hash.slice(0, 12)})`,
    { remedy: 'Give every process the same program file.' },
  );
}
