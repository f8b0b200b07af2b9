import { createCoordinator, type JobResult } from '@tutti/coordinator';
import type { Kernels } from '@tutti/kernels';
import {
  type Connection,
  type Envelope,
  type Message,
  PROTOCOL_VERSION,
  type Transport,
} from '@tutti/protocol';
import {
  type Clock,
  createRandom,
  createSimulatedClock,
  type Random,
  type SimulatedClock,
  TuttiError,
} from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createMemoryNetwork, type MemoryNetwork } from '@tutti/transport';
import { createWorker, type Program } from '@tutti/worker';
import { type CountedKernels, countKernels } from './counted-kernels.js';
import type { Scenario } from './scenario.js';

/** One process of the simulated cluster. */
export interface Process {
  readonly role: 'coordinator' | 'server' | 'worker';
  readonly host: string;
  readonly stopping: AbortController;
  readonly memory: CountedKernels;
  /** How it ended. */
  ended?: { readonly error?: unknown };
  /** Killed: what becomes of it is nobody's business any more. */
  dead: boolean;
  /** Something was done to it, after which it may end in other ways than the rest. */
  excused: boolean;
  joined: boolean;
  /** It has told others that the job is over. */
  ending: boolean;
  slowMs: number;
  hung: boolean;
  /** Sends everything twice, the second time late. */
  repeats: boolean;
  readonly connections: Connection[];
}

export type Observe = (host: string, from: string, envelope: Envelope) => void;

/** A cluster that faults can be done to. */
export interface World {
  readonly scenario: Scenario;
  readonly serverHosts: readonly string[];
  readonly clock: SimulatedClock;
  readonly network: MemoryNetwork;
  readonly random: Random;
  readonly processes: Process[];
  /** The events of every coordinator that there was, in order. */
  readonly incarnations: RunEvent[][];
  /** What the current coordinator came to. */
  readonly outcome: { readonly result?: JobResult; readonly error?: unknown } | undefined;
  /** The last message of its type that was delivered. */
  readonly last: ReadonlyMap<Message['type'], Message>;
  living(role: Process['role']): Process[];
  startWorker(name?: string): Process;
  startServer(host: string): void;
  startCoordinator(): void;
  kill(process: Process): void;
  jump(host: string, ms: number): void;
  slowDown(from: string, to: string, ms: number): void;
  diskError: boolean;
  /** Saving was tried while the disk had its error. */
  savingFailed: boolean;
}

export async function createWorld(init: {
  readonly scenario: Scenario;
  readonly program: Program;
  readonly kernels: Kernels;
  readonly observe: Observe;
}): Promise<World> {
  const { scenario, program, kernels, observe } = init;
  const clock = createSimulatedClock();
  const random = createRandom('world', scenario.seed);
  const slow = new Map<string, number>();
  const network = createMemoryNetwork({
    clock,
    random,
    codec: scenario.codec || 'payloads',
    delayMs: (from, to) => random.next() * (slow.get(`${from} ${to}`) ?? scenario.delayMs),
  });
  const serverHosts = Array.from(
    { length: scenario.servers * (scenario.replicas + 1) },
    (_, at) => `server-${at}`,
  );
  const offsets = new Map<string, number>();
  const processes: Process[] = [];
  const incarnations: RunEvent[][] = [];
  const last = new Map<Message['type'], Message>();
  let outcome: World['outcome'];
  let workers = 0;

  const clockOf = (host: string): Clock => ({
    now: () => clock.now() + (offsets.get(host) ?? 0),
    after: (delayMs, task) => clock.after(delayMs, task),
  });

  function seen(host: string, from: string, envelope: Envelope) {
    const { message } = envelope;
    if (message.protocol === PROTOCOL_VERSION) last.set(message.type, message);
    observe(host, from, envelope);
  }

  /** The network as one process has it: watched, and able to say things twice. */
  function transportOf(process: Process): Transport {
    const inner = network.transport(process.host);
    return {
      listen: (address, handlers) =>
        inner.listen(address, {
          ...handlers,
          message(peer, envelope) {
            seen(process.host, peer, envelope);
            handlers.message(peer, envelope);
          },
        }),
      connect(address, handlers) {
        const connection = inner.connect(address, {
          ...handlers,
          message(envelope) {
            seen(process.host, address, envelope);
            handlers.message(envelope);
          },
        });
        process.connections.push(connection);
        return Object.create(connection, {
          send: { value: (envelope: Envelope) => say(process, connection, envelope) },
        }) as Connection;
      },
    };
  }

  function say(process: Process, connection: Connection, envelope: Envelope) {
    connection.send(envelope);
    const { type } = envelope.message;
    if (type === 'finish') process.ending = true;
    if (!process.repeats || !REPEATABLE.includes(type)) return;
    const { message, payload } = envelope;
    const copy = payload === undefined ? { message } : { message, payload: payload.slice() };
    if (random.below(2) === 0) connection.send(copy);
    else clock.after(random.next() * 40, () => process.dead || connection.send(copy));
  }

  function add(role: Process['role'], host: string): Process {
    const process: Process = {
      role,
      host,
      stopping: new AbortController(),
      memory: countKernels(kernels),
      dead: false,
      excused: false,
      joined: false,
      ending: false,
      slowMs: 0,
      hung: false,
      repeats: false,
      connections: [],
    };
    processes.push(process);
    return process;
  }

  const on = (process: Process) => ({
    transport: transportOf(process),
    clock: clockOf(process.host),
    kernels: process.memory.kernels,
    signal: process.stopping.signal,
  });

  function follow(process: Process, result: Promise<unknown>) {
    result.then(
      () => {
        process.ended = {};
      },
      (error: unknown) => {
        process.ended = { error };
      },
    );
  }

  const world: World = {
    scenario,
    serverHosts,
    clock,
    network,
    random,
    processes,
    incarnations,
    last,
    get outcome() {
      return outcome;
    },
    diskError: false,
    savingFailed: false,
    living: (role) => processes.filter((each) => each.role === role && !each.dead && !each.ended),
    startWorker(name) {
      const process = add('worker', `worker-${workers++}`);
      const running = createWorker({
        program: disturbed(program, process, clock),
        coordinator: 'coordinator:1',
        ...(name === undefined ? {} : { name }),
        host: HOST,
        onEvent(event) {
          if (event.event === 'joined') process.joined = true;
        },
        ...on(process),
      }).start();
      follow(process, running.result);
      return process;
    },
    startServer(host) {
      const process = add('server', host);
      void createServer({ address: `${host}:1`, ...on(process) })
        .start()
        .then(({ result }) => follow(process, result));
    },
    startCoordinator() {
      const process = add('coordinator', 'coordinator');
      const events: RunEvent[] = [];
      incarnations.push(events);
      void createCoordinator({
        address: 'coordinator:1',
        servers: serverHosts.map((host) => ({ connect: `${host}:1` })),
        replicas: scenario.replicas,
        settings: { chunkFloats: scenario.program.chunkFloats },
        workers: scenario.workers,
        minWorkers: scenario.minWorkers,
        newId: () => `id-${random.uint32()}`,
        onEvent: (event) => events.push(event),
        checkpoints: {
          async write() {
            if (world.diskError) {
              world.savingFailed = true;
              throw new Error('ENOSPC: no space left on device');
            }
            return { path: '' };
          },
        },
        ...on(process),
      })
        .start()
        .then(({ result }) => {
          follow(process, result);
          result.then(
            (value) => {
              if (!process.dead) outcome ??= { result: value };
            },
            (error: unknown) => {
              if (!process.dead) outcome ??= { error };
            },
          );
        });
    },
    kill(process) {
      process.dead = true;
      network.crash(process.host);
      process.stopping.abort(new TuttiError('ABORTED', 'Killed', { remedy: 'None.' }));
    },
    jump(host, ms) {
      offsets.set(host, (offsets.get(host) ?? 0) + ms);
    },
    slowDown(from, to, ms) {
      slow.set(`${from} ${to}`, ms);
      slow.set(`${to} ${from}`, ms);
    },
  };

  for (const host of serverHosts) world.startServer(host);
  world.startCoordinator();
  for (let at = 0; at < scenario.workers; at++) world.startWorker(`w${at}`);
  return world;
}

const REPEATABLE: readonly Message['type'][] = ['contribution', 'report', 'evaluation'];

const HOST = { hostname: 'simulated', pid: 1, cpu: 'simulated', node: 'v0', arithmetic: {} };

/** The program as a slow machine computes it, or one that hangs. */
function disturbed(program: Program, process: Process, clock: Clock): Program {
  return {
    ...program,
    async open() {
      const computation = await program.open();
      return {
        ...computation,
        gradient(weights, microBatch) {
          if (process.hung) return new Promise(() => {});
          if (process.slowMs === 0) return computation.gradient(weights, microBatch);
          return new Promise((resolve) => {
            clock.after(process.slowMs, () => resolve(computation.gradient(weights, microBatch)));
          });
        },
      };
    },
  };
}
