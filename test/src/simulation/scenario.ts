import type {
  Aggregation,
  EarlyStopping,
  GradientCompression,
  OptimizerSpec,
  ReduceOnPlateau,
} from '@tutti/protocol';
import { createRandom, type Random } from '@tutti/runtime';

/** What a fault does. A kind that is not drawn yet has its slot here, with weight 0. */
export const FAULT_KINDS = {
  'slow link': 3,
  'worker crash': 6,
  'worker crash and restart': 6,
  'late joiner': 4,
  'partition that heals': 5,
  'partition that lasts': 3,
  'slow worker': 3,
  /** In the middle of a gradient, for ever or for a while. */
  'hung worker': 2,
  'worker leaves': 3,
  /** Flips a bit now and then; only where every step is verified. */
  'lying worker': 3,
  'corrupt frame': 3,
  stranger: 2,
  'stale job': 2,
  'stale session': 3,
  /** To a server, of the right job, by who is not its coordinator. Drawn apart from the others. */
  'foreign order': 0,
  /**
   * As Ctrl-C, if the coordinator is gone soon after another has come; mostly somebody goes on from there
   * later. Drawn apart: in long runs, and as a coordinator comes back.
   */
  stop: 0,
  'duplicate worker': 2,
  'repeated messages': 4,
  'clock jump': 2,
  'disk error': 3,
  'coordinator crash and restart': 3,
  'server crash and restart': 3,
  /** All at once; as many others come later. */
  'all workers crash': 2,
  /** Everything on the way between two hosts is lost. */
  'connection reset': 4,
  /** One host hears nobody and is not heard. */
  'isolated host': 3,
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

export interface Fault {
  readonly kind: FaultKind;
  /** The tick (a message that arrives, or a timer) before which it happens. */
  readonly at: number;
  /** Which of the processes it strikes, modulo their number. */
  readonly who: number;
  /** How long it lasts, or until the restart. */
  readonly ms: number;
  /** A second choice: of direction, of target, of what is sent. */
  readonly choice: number;
}

export interface ProgramShape {
  readonly features: number;
  readonly examples: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly shards: number;
  readonly optimizer: OptimizerSpec;
  readonly earlyStopping?: EarlyStopping;
  readonly reduceOnPlateau?: ReduceOnPlateau;
  /** Floats in a chunk, where it has several chunks and so something for several servers. */
  readonly chunkFloats?: number;
  readonly gradientCompression?: GradientCompression;
}

/** Everything about one run, from one seed. */
export interface Scenario {
  readonly seed: number;
  readonly program: ProgramShape;
  readonly workers: number;
  readonly servers: number;
  /** Standbys of each server. */
  readonly replicas: number;
  readonly minWorkers: number;
  /** The longest delay of a message in ms: the higher, the more connections overtake each other. */
  readonly delayMs: number;
  /** The share of steps that are computed twice. */
  readonly verify: number;
  /** Where the sums are made. */
  readonly aggregation: Aggregation;
  /** Each worker's process hosts a server, which dies with it and comes elsewhere, empty, with the next. */
  readonly colocated: boolean;
  /** In steps; 0 for none but the last. */
  readonly checkpointEvery: number;
  /** Whether messages go through the codec, which takes a quarter of the time of a run. */
  readonly codec: boolean;
  readonly faults: readonly Fault[];
}

const OPTIMIZERS: readonly OptimizerSpec[] = [
  { name: 'sgd', learningRate: 0.05 },
  { name: 'momentum', learningRate: 0.02, weightDecay: 0.01 },
  { name: 'adam', learningRate: 0.05, clipNorm: 0.5 },
  { name: 'adamw', learningRate: 0.05, weightDecay: 0.1, warmupSteps: 2 },
  { name: 'adagrad', learningRate: 0.1 },
];

const ROUNDINGS: readonly GradientCompression[] = ['int8', 'int8', 'bf16', 'fp16'];

const SHAPES: readonly Omit<ProgramShape, 'optimizer' | 'chunkFloats'>[] = [
  { features: 3, examples: 12, batchSize: 4, epochs: 1, shards: 4 },
  { features: 2, examples: 11, batchSize: 6, epochs: 2, shards: 3 },
  { features: 4, examples: 18, batchSize: 5, epochs: 1, shards: 6 },
  { features: 3, examples: 16, batchSize: 8, epochs: 2, shards: 5 },
  { features: 2, examples: 7, batchSize: 3, epochs: 1, shards: 2 },
];

/** Epochs that are longer than servers may go on without an order, or just shorter. */
const LONG_SHAPES: readonly Omit<ProgramShape, 'optimizer' | 'chunkFloats'>[] = [
  { features: 2, examples: 41, batchSize: 2, epochs: 2, shards: 2 },
  { features: 2, examples: 28, batchSize: 2, epochs: 3, shards: 2 },
  { features: 2, examples: 27, batchSize: 3, epochs: 4, shards: 3 },
];

/** What is decided at the end of their epochs: the rate is reduced, the run ends before its last step. */
const STEERINGS: readonly Pick<ProgramShape, 'earlyStopping' | 'reduceOnPlateau'>[] = [
  {},
  { reduceOnPlateau: { patience: 1, factor: 0.5, minChange: 1 } },
  { earlyStopping: { patience: 1, minChange: 1 } },
];

/** Intervals at which none, some or many checkpoints lie between the ends of epochs. */
const LONG_INTERVALS = [0, 3, 7, 18];

/** Ticks in which the first steps are come to, and those that an undisturbed run takes then for each worker. */
const LONG_START = 40;
const LONG_TICKS = 100;

/** So many runs for each long one: a long one costs as much as six others. */
const LONG_ONE_IN = 20;

/** So many runs for each that is ended as its coordinator comes back. */
const STOPPED_ON_RETURN_ONE_IN = 8;

/** The seed decides it; `only` limits the kinds that are drawn. */
export function scenarioOf(seed: number, only?: readonly FaultKind[]): Scenario {
  // Of a stream of its own, so that the scenarios of all other seeds stay what they are.
  const long = createRandom('long', seed);
  const drawn = shortOf(seed, only);
  return long.below(LONG_ONE_IN) === 0 ? lengthened(drawn, long, only) : drawn;
}

function shortOf(seed: number, only?: readonly FaultKind[]): Scenario {
  const random = createRandom('scenario', seed);
  const shape = pick(random, SHAPES);
  const chunked = random.below(3) === 0;
  const optimizer = pick(random, OPTIMIZERS);
  const program = {
    ...shape,
    optimizer,
    ...(chunked ? { chunkFloats: 2 } : {}),
    // Not drawn, so that the scenarios of all other seeds stay what they are.
    ...(seed % 6 === 5 ? { gradientCompression: pick(createRandom(seed), ROUNDINGS) } : {}),
  };
  const workers = 1 + random.below(Math.min(4, shape.shards));
  const verify = pick(random, [0, 0, 0, 0.5, 1, 1]);
  const minWorkers = random.below(4) > 0 ? 1 : 1 + random.below(workers);
  const span = 60 + 30 * workers;
  // Faults that come together find more than those that come one by one.
  const burst = random.below(2) === 0 ? random.below(span) : undefined;
  const faults = Array.from({ length: random.below(5) }, () => ({
    kind: drawKind(random, only),
    at: burst === undefined ? random.below(span) : burst + random.below(12),
    who: random.below(1000),
    ms: 20 + random.below(2800),
    choice: random.below(1000),
  }))
    .sort((a, b) => a.at - b.at)
    .filter(({ kind }) => kind !== 'lying worker' || verify === 1);
  const scenario = {
    seed,
    program,
    workers,
    servers: chunked ? 1 + random.below(3) : 1,
    replicas: random.below(5) === 0 ? 1 : 0,
    minWorkers,
    delayMs: pick(random, [0.5, 2, 2, 20, 100]),
    verify,
    checkpointEvery: pick(random, [0, 0, 1, 2]),
    codec: seed % 4 === 0,
    faults,
  };
  // Of streams of their own, so that the scenarios of all other seeds stay what they are.
  const atServers = createRandom('aggregation', seed).below(2) === 0;
  const apart = [...foreignOrder(seed, span, only), ...stopOnReturn(seed, span, only)];
  const drawn = {
    ...scenario,
    faults: withKnownJob([...faults, ...apart].sort((a, b) => a.at - b.at)),
    aggregation: atServers && verify === 0 ? 'server' : 'coordinator',
    colocated: false,
  } as const;
  return createRandom('colocated', seed).below(6) === 0 ? colocated(drawn) : drawn;
}

/**
 * As many steps as servers may apply without an order before a checkpoint, the end of an epoch or of the run,
 * and some more; so the sums are made there, and no norm is clipped.
 */
function lengthened(scenario: Scenario, random: Random, only?: readonly FaultKind[]): Scenario {
  const shape = pick(random, LONG_SHAPES);
  const { clipNorm: _, ...optimizer } = scenario.program.optimizer;
  const { chunkFloats, gradientCompression } = scenario.program;
  const program = {
    ...{ ...shape, ...pick(random, STEERINGS), optimizer },
    ...(chunkFloats && { chunkFloats }),
    ...(gradientCompression && { gradientCompression }),
  };
  const workers = Math.min(scenario.workers, shape.shards);
  const minWorkers = Math.min(scenario.minWorkers, workers);
  const ticks = LONG_TICKS * workers;
  // Those of one moment stay together.
  const later = random.below(ticks);
  const faults = scenario.faults.map((fault) => ({ ...fault, at: fault.at + later }));
  const stops = only === undefined ? random.below(2) === 0 : only.includes('stop');
  const stop = { kind: 'stop', at: LONG_START + random.below(ticks) } as const;
  const rest = { who: 0, ms: 20 + random.below(2800), choice: random.below(1000) };
  const longer = {
    ...arranged({ ...scenario, faults }, 'server'),
    ...{ program, workers, minWorkers },
    // The last of them has fewer steps than 16 take 100 ms.
    delayMs: pick(random, [0.5, 2, 2, 20]),
    checkpointEvery: pick(random, LONG_INTERVALS),
  };
  // Nobody ends a run twice.
  const isStopped = faults.some(({ kind }) => kind === 'stop');
  const all = [...longer.faults, ...(stops && !isStopped ? [{ ...stop, ...rest }] : [])];
  const struck = { ...longer, faults: all.sort((a, b) => a.at - b.at) };
  return scenario.colocated ? colocated(struck) : struck;
}

function foreignOrder(seed: number, span: number, only?: readonly FaultKind[]): Fault[] {
  const kind = 'foreign order';
  const random = createRandom(kind, seed);
  if (only === undefined ? random.below(8) > 0 : !only.includes(kind)) return [];
  const [at, who, choice] = [random.below(span), random.below(1000), random.below(1000)];
  return [{ kind, at, who, ms: 0, choice }];
}

/** The coordinator is lost, and somebody ends the run as the next one gathers its workers. */
function stopOnReturn(seed: number, span: number, only?: readonly FaultKind[]): Fault[] {
  const kinds = ['coordinator crash and restart', 'stop'] as const;
  const random = createRandom('stop on return', seed);
  const drawn = random.below(STOPPED_ON_RETURN_ONE_IN) === 0;
  if (only === undefined ? !drawn : kinds.some((kind) => !only.includes(kind))) return [];
  const at = random.below(span);
  const rest = () => ({ who: 0, ms: 20 + random.below(2800), choice: random.below(1000) });
  return kinds.map((kind) => ({ kind, at, ...rest() }));
}

/** Without checkpoints nobody knows the job any more if coordinator and servers are lost at once. */
function withKnownJob(faults: readonly Fault[]): Fault[] {
  const restarted = faults.some(({ kind }) => kind === 'coordinator crash and restart');
  return faults.filter(({ kind }) => !restarted || kind !== 'server crash and restart');
}

/** The same with the sums made elsewhere, and without what does not go with that. */
export function arranged(scenario: Scenario, aggregation: Aggregation): Scenario {
  if (aggregation === 'coordinator') return { ...scenario, aggregation };
  const faults = scenario.faults.filter(({ kind }) => kind !== 'lying worker');
  return { ...scenario, aggregation, verify: 0, faults };
}

/** In which a server is lost for good, where each is in the process of a worker. */
const WITH_SERVER: readonly FaultKind[] = [
  'worker crash',
  'worker crash and restart',
  'all workers crash',
  'server crash and restart',
  'duplicate worker',
  'hung worker',
];

/** By which one of several servers that hold the same may be given up, though it lives. */
const WITHOUT_SERVER: readonly FaultKind[] = [
  'partition that heals',
  'partition that lasts',
  'connection reset',
  'isolated host',
  'coordinator crash and restart',
];

type Struck = Pick<Scenario, 'colocated' | 'replicas' | 'faults'>;

const lethalKinds = ({ colocated }: Struck): readonly FaultKind[] =>
  colocated ? WITH_SERVER : ['server crash and restart'];

/** Whether a server is lost on the way. */
export const losesServers = (struck: Struck) =>
  struck.faults.some(({ kind }) => lethalKinds(struck).includes(kind));

/** Whether weights may be lost with it, since nobody else is left who holds them. */
export function losesWeights(struck: Struck): boolean {
  if (!losesServers(struck)) return false;
  const those = [...lethalKinds(struck), ...WITHOUT_SERVER];
  const lost = struck.faults.filter(({ kind }) => those.includes(kind));
  return lost.length > struck.replicas || lost.some(({ kind }) => kind === 'all workers crash');
}

/** The same with a server in the process of each worker, and without what nobody would bring back. */
export function colocated(scenario: Scenario): Scenario {
  const restarted = scenario.faults.some(({ kind }) => kind === 'coordinator crash and restart');
  const faults = scenario.faults
    // As without it: if both are lost nobody knows the job.
    .filter(({ kind }) => !restarted || !WITH_SERVER.includes(kind))
    .filter(({ kind }) => kind !== 'lying worker')
    .map((fault) =>
      fault.kind === 'worker crash'
        ? ({ ...fault, kind: 'worker crash and restart' } as const)
        : fault,
    );
  const aggregation = scenario.verify === 0 ? 'server' : 'coordinator';
  const { workers: servers } = scenario;
  const replicas = Math.min(scenario.replicas, servers - 1);
  return { ...scenario, faults, aggregation, servers, replicas, colocated: true };
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)]!;
}

function drawKind(random: Random, only?: readonly FaultKind[]): FaultKind {
  const kinds = (Object.entries(FAULT_KINDS) as [FaultKind, number][]).filter(
    ([kind, weight]) => weight > 0 && (only === undefined || only.includes(kind)),
  );
  let left = random.below(kinds.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [kind, weight] of kinds) {
    left -= weight;
    if (left < 0) return kind;
  }
  throw new Error('No kind of fault has a weight');
}
