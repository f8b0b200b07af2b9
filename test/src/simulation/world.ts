import { createCoordinator } from '@tutti/coordinator';
import type { Kernels } from '@tutti/kernels';
import {
  type Connection,
  type Envelope,
  type Message,
  PROTOCOL_VERSION,
  type Transport,
} from '@tutti/protocol';
import type { JobResult, Resume, Snapshot } from '@tutti/run';
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
import { createLocalTransport, withShortcut } from '@tutti/transport';
import { createMemoryNetwork, type MemoryNetwork } from '@tutti/transport/internal';
import { createWorker, type Program } from '@tutti/worker';
import { type CountedKernels, countKernels } from './counted-kernels.js';
import { createDisk, type Disk } from './disk.js';
import { withHanging } from './hanging.js';
import type { Scenario } from './scenario.js';

/** One process of the simulated cluster. */
export interface Process {
  readonly role: 'coordinator' | 'server' | 'worker';
  readonly host: string;
  readonly stopping: AbortController;
  /** As Ctrl-C: a coordinator ends between two steps. */
  readonly interrupt: AbortController;
  readonly memory: CountedKernels;
  /** How it ended. */
  ended?: { readonly error?: unknown };
  /** Killed: what becomes of it is nobody's business any more. */
  dead: boolean;
  /** Something was done to it, after which it may end in other ways than the rest. */
  excused: boolean;
  joined: boolean;
  /** What others call it, once it has joined. */
  worker: string | undefined;
  /** When it told others that the job is over. */
  endedAt: number | undefined;
  /** Workers that could compute then. */
  usable: number | undefined;
  slowMs: number;
  hung: boolean;
  /** What waits for it to go on. */
  readonly resumed: (() => void)[];
  /** Sends everything twice, the second time late. */
  repeats: boolean;
  /** Flips a bit in every other gradient. */
  lies: boolean;
  /** Has it leave as SIGTERM does. */
  leave: () => void;
  /** It was told to leave. */
  leaving: boolean;
  readonly connections: Connection[];
}

export type Observe = (host: string, from: string, envelope: Envelope) => void;

/** A cluster that faults can be done to. */
export interface World {
  readonly scenario: Scenario;
  /** At least one. */
  readonly serverHosts: readonly string[];
  readonly clock: SimulatedClock;
  readonly network: MemoryNetwork;
  readonly random: Random;
  readonly processes: Process[];
  /** The events of every coordinator that there was, in order. */
  readonly incarnations: RunEvent[][];
  /** What the current coordinator came to. */
  outcome(): { readonly result?: JobResult; readonly error?: unknown } | undefined;
  /** The last message of its type that was delivered. */
  readonly last: ReadonlyMap<Message['type'], Message>;
  living(role: Process['role']): Process[];
  /** How many workers can compute. */
  usable(): number;
  startWorker(name?: string): Process;
  startServer(host: string): void;
  /** @param resume as with `--resume latest` */
  startCoordinator(resume?: Resume): void;
  kill(process: Process): void;
  /**
   * Ends the run as Ctrl-C does.
   * @param onMs when all of it is started again, to go on from what was saved
   */
  interrupt(coordinator: Process, onMs: number | undefined): void;
  /** The same, of the coordinator that comes next, once it has been there for a while. */
  interruptNext(afterMs: number, onMs: number | undefined): void;
  /** When somebody ended the run so, and how far it had come. */
  readonly interrupted: { readonly atMs: number; readonly version: number } | undefined;
  /** How a run ended that somebody ended so. */
  readonly halted: Halted | undefined;
  /** Its processes neither hear nor say anything, though their connections stand. */
  freeze(host: string): void;
  thaw(host: string): void;
  isFrozen(host: string): boolean;
  jump(host: string, ms: number): void;
  slowDown(from: string, to: string, ms: number): void;
  readonly disk: Disk;
}

/** A run that somebody has ended. */
export interface Halted {
  readonly atMs: number;
  readonly error: TuttiError;
  /** Steps that its coordinators had told of by then. */
  readonly done: number;
  /** Whether the last of them was the first, or had heard of the job from a server. */
  readonly informed: boolean;
  /** Workers that could compute then. */
  readonly usable: number;
}

export async function createWorld(init: {
  readonly scenario: Scenario;
  readonly program: Program;
  readonly kernels: Kernels;
  readonly observe: Observe;
  /** Sees every checkpoint. */
  readonly saved: (snapshot: Snapshot) => void;
}): Promise<World> {
  const { scenario, program, kernels, observe } = init;
  const clock = createSimulatedClock();
  const random = createRandom('world', scenario.seed);
  const slow = new Map<string, number>();
  const network = createMemoryNetwork({
    clock,
    random,
    codec: scenario.codec || 'payloads',
    delayMs(from, to) {
      const longest = slow.size === 0 ? undefined : slow.get(`${from} ${to}`);
      return random.next() * (longest ?? scenario.delayMs);
    },
  });
  const { colocated } = scenario;
  const serverHosts = Array.from(
    { length: colocated ? 0 : scenario.servers * (scenario.replicas + 1) },
    (_, at) => `server-${at}`,
  );
  const { checkpointEvery: steps } = scenario;
  const disk = createDisk(steps === 0 ? undefined : { steps }, init.saved);
  const offsets = new Map<string, number>();
  /** By host whose processes hang altogether, what waits for them to go on. */
  const frozen = new Map<string, (() => void)[]>();
  const processes: Process[] = [];
  const incarnations: RunEvent[][] = [];
  const last = new Map<Message['type'], Message>();
  let outcome: ReturnType<World['outcome']>;
  let workers = 0;
  let interrupted: World['interrupted'];
  let halted: World['halted'];
  let onMs: number | undefined;
  let next: { readonly afterMs: number; readonly onMs: number | undefined } | undefined;
  /** A server has told the current coordinator of the job. */
  let informed = true;

  const clockOf = (host: string): Clock => ({
    now: () => clock.now() + (offsets.get(host) ?? 0),
    wallTime: clock.wallTime,
    turn: clock.turn,
    after: (delayMs, task) => clock.after(delayMs, task),
  });

  const nameOf = ({ role, host }: Process) =>
    colocated && role === 'server' ? `server of ${host}` : host;

  function seen(host: string, from: string, envelope: Envelope) {
    const { message } = envelope;
    if (message.protocol === PROTOCOL_VERSION) last.set(message.type, message);
    if (host === 'coordinator' && message.type === 'holding')
      informed ||= message.plan !== undefined;
    observe(host, from, envelope);
  }

  /** A network as one process has it: watched, and able to say things twice. */
  function transportOf(process: Process, network: Transport): Transport {
    const { host } = process;
    const resumed = { push: (go: () => void) => void frozen.get(host)?.push(go) };
    // Only there a server hangs with a worker.
    const inner = colocated
      ? withHanging(network, { hangs: () => frozen.has(host), resumed })
      : network;
    return {
      listen: (address, handlers) =>
        inner.listen(address, {
          ...handlers,
          message(peer, envelope) {
            seen(nameOf(process), peer, envelope);
            handlers.message(peer, envelope);
          },
        }),
      connect(address, handlers) {
        const connection = inner.connect(address, {
          ...handlers,
          message(envelope) {
            seen(nameOf(process), address, envelope);
            handlers.message(envelope);
          },
        });
        process.connections.push(connection);
        return { ...connection, send: (envelope) => say(process, connection, envelope) };
      },
    };
  }

  function say(process: Process, connection: Connection, envelope: Envelope) {
    connection.send(envelope);
    const { type } = envelope.message;
    if (type === 'finish' && process.endedAt === undefined) {
      process.endedAt = clock.now();
      process.usable = usable();
    }
    if (!process.repeats || !REPEATABLE.includes(type)) return;
    const { message, payload } = envelope;
    const copy = payload === undefined ? { message } : { message, payload: payload.slice() };
    if (random.below(2) === 0) connection.send(copy);
    else
      clock.after(
        2 * random.next() * scenario.delayMs,
        () => process.dead || connection.send(copy),
      );
  }

  const usable = () => world.living('worker').filter((each) => !each.hung && !each.lies).length;

  function add(role: Process['role'], host: string): Process {
    const process: Process = {
      role,
      host,
      stopping: new AbortController(),
      interrupt: new AbortController(),
      memory: countKernels(kernels),
      dead: false,
      excused: false,
      joined: false,
      worker: undefined,
      endedAt: undefined,
      usable: undefined,
      slowMs: 0,
      hung: false,
      resumed: [],
      repeats: false,
      lies: false,
      leave: () => {},
      leaving: false,
      connections: [],
    };
    processes.push(process);
    return process;
  }

  const on = (process: Process) => ({
    transport: transportOf(process, network.transport(process.host)),
    clock: clockOf(process.host),
    kernels: process.memory.kernels,
    signal: process.stopping.signal,
  });

  /** @param inside how the worker in the same process reaches it */
  function serve(host: string, inside?: Transport): Process {
    const process = add('server', host);
    const onEvent = ({ event }: { readonly event: string }) => {
      process.joined ||= event === 'opened';
    };
    const alsoListen = inside && [{ transport: transportOf(process, inside), address: INSIDE }];
    const also = alsoListen && { alsoListen };
    void createServer({ address: `${host}:1`, onEvent, ...also, ...on(process) })
      .start()
      .then(({ result }) => follow(process, result));
    return process;
  }

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
    get serverHosts() {
      if (!colocated) return serverHosts;
      const living = world.living('server').map(({ host }) => host);
      return living.length > 0 ? living : ['nowhere'];
    },
    clock,
    network,
    random,
    processes,
    incarnations,
    last,
    outcome: () => outcome,
    get interrupted() {
      return interrupted;
    },
    get halted() {
      return halted;
    },
    disk,
    usable,
    living: (role) => processes.filter((each) => each.role === role && !each.dead && !each.ended),
    startWorker(name) {
      const process = add('worker', `worker-${workers++}`);
      const inside = colocated ? createLocalTransport({ delivery: 'now', clock }) : undefined;
      const server = inside && serve(process.host, inside);
      const { transport, ...rest } = on(process);
      const running = createWorker({
        program: disturbed(program, process, clock, random),
        coordinator: 'coordinator:1',
        ...(name === undefined ? {} : { name }),
        ...(server && { server: `${server.host}:1` }),
        host: HOST,
        onEvent(event) {
          if (event.event !== 'joined') return;
          process.joined = true;
          process.worker = event.worker;
        },
        ...rest,
        transport: inside
          ? withShortcut(transport, `${process.host}:1`, {
              transport: transportOf(process, inside),
              address: INSIDE,
            })
          : transport,
      }).start();
      follow(process, running.result);
      if (server !== undefined) {
        // As in a process of a worker: it goes on if the worker has left a job that does.
        const end = () => (process.leaving && server.joined) || server.stopping.abort(OVER);
        running.result.then(end, () => server.stopping.abort(OVER));
      }
      process.leave = () => {
        process.leaving = true;
        void running.leave();
      };
      return process;
    },
    startServer(host) {
      // Somebody may have started all again meanwhile.
      if (world.living('server').every((each) => each.host !== host)) serve(host);
    },
    startCoordinator(resume) {
      const process = add('coordinator', 'coordinator');
      const events: RunEvent[] = [];
      incarnations.push(events);
      informed = incarnations.length === 1;
      if (next !== undefined) {
        const { afterMs, onMs } = next;
        clock.after(afterMs, () => process.dead || world.interrupt(process, onMs));
        next = undefined;
      }
      void createCoordinator({
        address: 'coordinator:1',
        servers: colocated ? 'colocated' : serverHosts.map((host) => ({ connect: `${host}:1` })),
        settings: {
          workers: scenario.workers,
          minWorkers: scenario.minWorkers,
          replicas: scenario.replicas,
          verify: scenario.verify,
          aggregation: scenario.aggregation,
          chunkFloats: scenario.program.chunkFloats,
        },
        newId: () => `id-${random.uint32()}`,
        onEvent: (event) => events.push(event),
        checkpoints: disk.sink(clock, () => process.dead),
        interrupt: process.interrupt.signal,
        ...(resume && { resume }),
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
              if (process.dead) return;
              if (process.interrupt.signal.aborted && isAborted(error)) {
                const done = Math.max(0, ...incarnations.flat().map(stepOf));
                const rest = { done, informed, usable: process.usable ?? usable() };
                halted = { atMs: clock.now(), error, ...rest };
                if (onMs !== undefined) return void clock.after(onMs, goOn);
              }
              outcome ??= { error };
            },
          );
        });
    },
    interrupt(coordinator, on) {
      const last = incarnations.at(-1)!.findLast((each) => each.event === 'step');
      // One that has come back may find the servers anywhere.
      const beginning = incarnations.length === 1 ? 0 : Number.POSITIVE_INFINITY;
      interrupted = { atMs: clock.now(), version: last?.step ?? beginning };
      onMs = on;
      coordinator.interrupt.abort(INTERRUPTED);
    },
    interruptNext(afterMs, onMs) {
      next = { afterMs, onMs };
    },
    kill(process) {
      network.crash(process.host);
      for (const each of processes) {
        if (each.host !== process.host || each.dead) continue;
        each.dead = true;
        each.stopping.abort(KILLED);
      }
    },
    freeze(host) {
      frozen.set(host, []);
    },
    isFrozen: (host) => frozen.has(host),
    thaw(host) {
      const waiting = frozen.get(host) ?? [];
      frozen.delete(host);
      for (const go of waiting) go();
    },
    jump(host, ms) {
      offsets.set(host, (offsets.get(host) ?? 0) + ms);
    },
    slowDown(from, to, ms) {
      slow.set(`${from} ${to}`, ms);
      slow.set(`${to} ${from}`, ms);
    },
  };

  function start(resume?: Resume) {
    for (const host of serverHosts) world.startServer(host);
    world.startCoordinator(resume);
    for (let at = 0; at < scenario.workers; at++) world.startWorker(`w${at}`);
  }

  /** Who has not heard the last word is ended by whoever starts all again. */
  function goOn() {
    for (const process of processes) if (process.ended === undefined) world.kill(process);
    // Nobody has heard any of that.
    last.clear();
    start(disk.latest());
  }

  start();
  return world;
}

const isAborted = (error: unknown): error is TuttiError =>
  error instanceof TuttiError && error.code === 'ABORTED';

const stepOf = (event: RunEvent) => (event.event === 'step' ? event.step : 0);

const REPEATABLE: readonly Message['type'][] = [
  'contribution',
  'report',
  'evaluation',
  'verification',
];

/** Of the server in the process of a worker, for that worker. */
const INSIDE = 'local://server';

const KILLED = new TuttiError('ABORTED', 'Killed', { remedy: 'None.' });
const INTERRUPTED = new TuttiError('ABORTED', 'Interrupted', { remedy: 'None.' });
const OVER = new TuttiError('ABORTED', 'Its worker has ended', { remedy: 'None.' });

const HOST = { hostname: 'simulated', pid: 1, cpu: 'simulated', node: 'v0', arithmetic: {} };

/** The program as a slow machine computes it, or one that hangs, or one with faulty memory. */
function disturbed(program: Program, process: Process, clock: Clock, random: Random): Program {
  return {
    ...program,
    async open() {
      const computation = await program.open();
      return {
        ...computation,
        async gradient(weights, microBatch, known) {
          // What is known early goes out before the rest is late, and cannot be changed any more.
          const { lies } = process;
          const early = lies ? undefined : known;
          const result = await computation.gradient(weights, microBatch, early);
          while (process.hung)
            await new Promise<void>((resolve) => void process.resumed.push(resolve));
          if (process.slowMs > 0)
            await new Promise<void>((resolve) => void clock.after(process.slowMs, resolve));
          return lies && random.below(2) === 0 ? flipped(result, random) : result;
        },
      };
    },
  };
}

type Gradient = Awaited<ReturnType<Awaited<ReturnType<Program['open']>>['gradient']>>;

/** One bit of a mantissa is another. */
function flipped(result: Gradient, random: Random): Gradient {
  const names = Object.keys(result.gradient).filter((name) => result.gradient[name]!.length > 0);
  const name = names[random.below(names.length)]!;
  const values = result.gradient[name]!.slice();
  const bits = new Uint32Array(values.buffer);
  const at = random.below(bits.length);
  bits[at] = bits[at]! ^ (1 << random.below(23));
  return { ...result, gradient: { ...result.gradient, [name]: values } };
}
