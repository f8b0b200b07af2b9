import { setMaxListeners } from 'node:events';
import { createCoordinator } from '@tutti/coordinator';
import { arrays } from '@tutti/data';
import { createKernels } from '@tutti/kernels';
import type { Aggregation, Traffic, Transport } from '@tutti/protocol';
import { type Clock, createSimulatedClock, type SimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker, defineProgram, type Program } from '@tutti/worker';

const WORKERS = [8, 64, 256, 1024];
/** What a step costs by itself shows with few floats. */
const FEW = 4_096;
/** What each float costs shows with so many that all workers together have this many. */
const ALL_FLOATS = 2 ** 26;
/** The first ones warm up. */
const [WARM_UP, STEPS] = [2, 12];

const HOSTS = ['coordinator', 'server', 'worker'] as const;
type Host = (typeof HOSTS)[number];

interface Cost {
  /** Processor milliseconds. */
  readonly cpuMs: number;
  readonly bytes: number;
  /** That it is sent. */
  readonly messages: number;
}
type Costs = Readonly<Record<'coordinator' | 'server', Cost>>;

/** What is predicted for: a model of 25.6 M floats. */
const LARGE = 25.6e6;
const MACHINES = [64, 1024];
const GIGABITS = [10, 100];

/**
 * What a step costs the coordinator and its one server, wherever the sums are made, with real roles and simulated workers, each with a
 * shard, on the memory network with its codec: processor time and bytes, sent and received. Then
 * what that comes to for 25.6 M floats on real networks: the largest of four times is what breaks first.
 */
export async function benchScale(most = 1024): Promise<Record<string, number>> {
  return {
    ...(await figuresOf('coordinator', '', most)),
    ...(await figuresOf('server', 'sums at the server, ', most)),
  };
}

async function figuresOf(aggregation: Aggregation, prefix: string, most: number) {
  const result: Record<string, number> = {};
  const measured = new Map<number, readonly Costs[]>();
  for (const workers of WORKERS.filter((each) => each <= most)) {
    const costs: Costs[] = [];
    for (const floats of [FEW, manyOf(workers)]) {
      const cost = await costOf(workers, floats, aggregation);
      costs.push(cost);
      for (const host of ['coordinator', 'server'] as const) {
        const name = `${prefix}${workers} workers, ${floats} floats, ${host}`;
        result[`${name} ms`] = cost[host].cpuMs;
        result[`${name} MB`] = cost[host].bytes / 1e6;
        result[`${name} messages`] = cost[host].messages;
      }
    }
    measured.set(workers, costs);
  }
  for (const machines of MACHINES.filter((each) => measured.has(each))) {
    const [small, large] = measured.get(machines) as [Costs, Costs];
    for (const host of ['coordinator', 'server'] as const) {
      const at = (of: (cost: Cost) => number) => {
        const slope = (of(large[host]) - of(small[host])) / (manyOf(machines) - FEW);
        return of(small[host]) + slope * (LARGE - FEW);
      };
      const name = `${prefix}${machines} machines, 25.6 M floats, ${host}`;
      result[`${name} cpu s`] = at(({ cpuMs }) => cpuMs) / 1e3;
      for (const gigabits of GIGABITS)
        result[`${name} ${gigabits} Gb/s s`] = at(({ bytes }) => bytes) / (gigabits * 1.25e8);
    }
  }
  return result;
}

const manyOf = (workers: number) => ALL_FLOATS / workers;

/** The mean over the steps after the warm-up. */
async function costOf(workers: number, floats: number, aggregation: Aggregation): Promise<Costs> {
  const clock = createSimulatedClock();
  const network = createMemoryNetwork({ clock, delayMs: () => 0.1 });
  const meter = createMeter(clock);
  const stopping = new AbortController();
  const { signal } = stopping;
  // One listener a role: many roles are no leak.
  setMaxListeners(0, signal);
  const on = (host: Host, name: string) => ({
    ...meter.of(host, network.transport(name)),
    signal,
  });
  const server = await createServer({ address: 'server:1', ...on('server', 'server') }).start();
  let [from, to]: (Costs | undefined)[] = [];
  const coordinator = await createCoordinator({
    address: 'coordinator:1',
    servers: [{ connect: server.addresses[0]! }],
    settings: { workers, shards: workers, steps: STEPS, batchSize: workers, aggregation },
    onEvent(event) {
      if (event.event !== 'step') return;
      if (event.step === WARM_UP) from = meter.read();
      if (event.step === STEPS) to = meter.read();
    },
    ...on('coordinator', 'coordinator'),
  }).start();
  const program = idle(floats, workers);
  // One memory for all: a thousand of their own take the address space.
  const kernels = createKernels();
  const crew = Array.from({ length: workers }, (_, at) =>
    createWorker({
      program,
      coordinator: coordinator.address,
      name: `w${at}`,
      kernels,
      ...on('worker', `worker-${at}`),
    }).start(),
  );
  await meter.drive(coordinator.result);
  stopping.abort();
  await meter.drive(Promise.all([server, ...crew].map((each) => each.stop())));
  const steps = STEPS - WARM_UP;
  const mean = (host: 'coordinator' | 'server'): Cost => ({
    cpuMs: (to![host].cpuMs - from![host].cpuMs) / steps,
    bytes: (to![host].bytes - from![host].bytes) / steps,
    messages: (to![host].messages - from![host].messages) / steps,
  });
  return { coordinator: mean('coordinator'), server: mean('server') };
}

/** Tells whose work is done: that of whoever is given a message, or called by a timer of theirs. */
function createMeter(clock: SimulatedClock) {
  let current: Host | undefined;
  const cpuMs: Record<Host, number> = { coordinator: 0, server: 0, worker: 0 };
  const messages: Record<Host, number> = { coordinator: 0, server: 0, worker: 0 };
  const traffic: Record<Host, Set<Traffic>> = {
    coordinator: new Set(),
    server: new Set(),
    worker: new Set(),
  };

  function of(host: Host, transport: Transport): { transport: Transport; clock: Clock } {
    const theirs =
      <A extends unknown[]>(task: (...given: A) => void) =>
      (...given: A) => {
        current = host;
        task(...given);
      };
    const counted =
      <A extends unknown[]>(handle: (...given: A) => void) =>
      (...given: A) => {
        messages[host]++;
        handle(...given);
      };
    return {
      clock: {
        now: clock.now,
        wallTime: clock.wallTime,
        turn: clock.turn,
        after: (delayMs, task) => clock.after(delayMs, theirs(task)),
      },
      transport: {
        ...transport,
        async listen(address, handlers) {
          const message = counted(theirs(handlers.message.bind(handlers)));
          const listener = await transport.listen(address, { ...handlers, message });
          traffic[host].add(listener.traffic);
          return listener;
        },
        connect(address, handlers) {
          const message = counted(theirs(handlers.message.bind(handlers)));
          const connection = transport.connect(address, { ...handlers, message });
          traffic[host].add(connection.traffic);
          return connection;
        },
      },
    };
  }

  return {
    of,
    read(): Costs {
      const cost = (host: Host): Cost => {
        let bytes = 0;
        for (const { sentBytes, receivedBytes } of traffic[host])
          bytes += sentBytes + receivedBytes;
        return { cpuMs: cpuMs[host], bytes, messages: messages[host] };
      };
      return { coordinator: cost('coordinator'), server: cost('server') };
    },
    /** Moves the clock until `work` has settled; what a task begins counts until all its promises are done. */
    async drive(work: Promise<unknown>): Promise<void> {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      work.then(settle, settle);
      while (!settled) {
        current = undefined;
        const before = process.cpuUsage();
        clock.step();
        await new Promise<void>((resolve) => setImmediate(resolve));
        const { user, system } = process.cpuUsage(before);
        if (current !== undefined) cpuMs[current as Host] += (user + system) / 1e3;
      }
      await work;
    },
  };
}

/** Computes nothing: a step of it is what synchronising takes. */
function idle(floats: number, workers: number): Program {
  const gradient = { w: new Float32Array(floats).fill(1e-3) };
  const data = {
    training: arrays({ x: { data: new Float32Array(workers), shape: [workers, 1] } }),
  };
  return defineProgram({
    name: 'idle',
    batchSize: workers,
    epochs: STEPS,
    seed: 1,
    optimizer: { name: 'adam', learningRate: 0.001 },
    data: () => data,
    parameters: [{ name: 'w', shape: [floats] }],
    initialize: () => ({ w: new Float32Array(floats) }),
    gradient: (_, { batch }) => ({ gradient, lossSum: 1, count: batch.x!.shape[0]! }),
    evaluate: (_, batch) => ({ lossSum: 1, count: batch.x!.shape[0]! }),
  });
}
