import { setMaxListeners } from 'node:events';
import { createCoordinator, type Deadlines, type WorkerObserver } from '@tutti/coordinator';
import type { Aggregation, Transport } from '@tutti/protocol';
import type { CheckpointSink, JobResult, JobSettings, Resume } from '@tutti/run';
import {
  createRandom,
  createSimulatedClock,
  type Random,
  type SimulatedClock,
} from '@tutti/runtime';
import { createServer, type RunningServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createMemoryNetwork, type MemoryNetwork } from '@tutti/transport/internal';
import { createWorker, type Program, type RunningWorker, type WorkerInit } from '@tutti/worker';
import { withHanging } from './hanging.js';

export interface SimulatedRun {
  readonly result: JobResult;
  readonly events: readonly RunEvent[];
  /** Simulated time that the run took. */
  readonly simulatedMs: number;
}

export interface SimulationInit {
  readonly program: Program;
  readonly workers: number;
  /** Leaves it to the coordinator how many of them to wait for. */
  readonly unsaid?: boolean;
  /** `colocated`: one on the host of each worker. */
  readonly servers?: number | 'colocated';
  /** Standbys of each. Default 0. */
  readonly replicas?: number;
  readonly minWorkers?: number;
  /** Workers more than the job starts with. Default 0. */
  readonly spares?: number;
  readonly deadlines?: Partial<Deadlines>;
  readonly settings?: JobSettings;
  readonly aggregation?: Aggregation | undefined;
  readonly strict?: boolean;
  readonly verify?: number;
  readonly checkpoints?: CheckpointSink;
  readonly resume?: Resume;
  readonly interrupt?: AbortSignal;
  readonly workerObserver?: WorkerObserver;
  readonly onEvent?: (event: RunEvent) => void;
  /** What one worker has instead: a program that computes wrong or slowly, another machine. */
  readonly worker?: (
    at: number,
    clock: SimulatedClock,
    transport: Transport,
  ) => Partial<Pick<WorkerInit, 'program' | 'programHash' | 'host' | 'kernels' | 'transport'>>;
  /** Hosts whose processes hang, as in an endless loop, for good. */
  readonly hangs?: (host: string) => boolean;
  /** Decides every delay, and so the order in which messages of different senders arrive. */
  readonly seed: number;
  /** Called before every tick; breaks things. */
  readonly disturb?: (
    network: MemoryNetwork,
    clock: SimulatedClock,
    /** Starts one worker more. */
    join: () => void,
    /** Those who have been started, in that order. */
    crew: readonly RunningWorker[],
  ) => void;
}

/** A whole cluster in this process: simulated clock and network, everything from one seed. */
export async function simulate(init: SimulationInit): Promise<SimulatedRun> {
  const {
    program,
    workers,
    servers = 1,
    replicas = 0,
    minWorkers,
    strict,
    verify,
    deadlines,
  } = init;
  const { seed, disturb } = init;
  const colocated = servers === 'colocated';
  const clock = createSimulatedClock();
  const random = createRandom('simulation', seed);
  const network = createMemoryNetwork({ clock, random });
  const events: RunEvent[] = [];
  function on(host: string) {
    const transport = network.transport(host);
    const { hangs } = init;
    if (hangs === undefined) return { transport, clock };
    return { transport: withHanging(transport, { hangs: () => hangs(host), resumed: [] }), clock };
  }

  const stopping = new AbortController();
  const { signal } = stopping;
  // As many as there are roles.
  setMaxListeners(0, signal);
  const serve = (host: string) =>
    createServer({ address: `${host}:1`, ...on(host), signal }).start();
  const hosted: RunningServer[] = await Promise.all(
    Array.from({ length: colocated ? 0 : servers * (1 + replicas) }, (_, at) =>
      serve(`server-${at}`),
    ),
  );
  const coordinator = await createCoordinator({
    address: 'coordinator:1',
    servers: colocated ? servers : hosted.map(({ addresses }) => ({ connect: addresses[0]! })),
    settings: {
      ...{
        ...init.settings,
        workers: init.unsaid ? undefined : workers,
        replicas,
        minWorkers,
        strict,
        verify,
        deadlines,
      },
      aggregation: init.aggregation,
    },
    ...(init.checkpoints === undefined ? {} : { checkpoints: init.checkpoints }),
    ...(init.resume === undefined ? {} : { resume: init.resume }),
    ...(init.workerObserver === undefined ? {} : { workerObserver: init.workerObserver }),
    interrupt: init.interrupt,
    newId: () => `id-${random.uint32()}`,
    onEvent(event) {
      events.push(event);
      init.onEvent?.(event);
    },
    ...on('coordinator'),
    signal,
  }).start();
  const crew: RunningWorker[] = [];
  let hosts = 0;
  async function join() {
    const at = hosts++;
    const place = on(`worker-${at}`);
    const server = colocated ? await serve(`worker-${at}`) : undefined;
    if (server !== undefined) hosted.push(server);
    const worker = createWorker({
      program,
      coordinator: coordinator.address,
      name: `w${at}`,
      server: server?.addresses[0],
      ...place,
      ...init.worker?.(at, clock, place.transport),
      signal,
    });
    crew.push(worker.start());
  }
  for (let at = 0; at < workers + (init.spares ?? 0); at++) await join();
  try {
    await drive(clock, random, coordinator.result, () =>
      disturb?.(network, clock, () => void join(), crew),
    );
    const result = await coordinator.result;
    return { result, events, simulatedMs: clock.now() };
  } finally {
    stopping.abort();
    await drive(clock, random, Promise.all([...hosted, ...crew].map((each) => each.stop())));
  }
}

/** Messages under way arrive within this. */
const SOON_MS = 5;

/** Moves the clock from timer to timer until `work` has settled. */
async function drive(
  clock: SimulatedClock,
  random: Random,
  work: Promise<unknown>,
  tick: () => void = () => {},
): Promise<void> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  work.then(settle, settle);
  for (let idle = 0; !settled; ) {
    // Everything that follows from the last timer, promises included, comes before the next.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (settled) return;
    tick();
    idle = clock.step() ? 0 : idle + 1;
    // Now and then several messages are handled before anybody's promises are: as when a socket has
    // them all at hand. What is due much later waits for those promises.
    const soon = (clock.nextDue() ?? Number.POSITIVE_INFINITY) - clock.now() < SOON_MS;
    if (random.below(4) === 0 && soon) clock.step();
    if (idle > 1000) throw new Error(`The simulation stands still at ${clock.now()} ms`);
  }
}
