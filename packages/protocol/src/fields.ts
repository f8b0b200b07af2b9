import type { ErrorRecord } from '@tutti/runtime';
import type { DataIdentity, DatasetIdentity, FieldIdentity } from './data-identity.js';
import {
  anything,
  type Fields,
  flag,
  integer,
  type Kind,
  listOf,
  mapOf,
  number,
  oneOf,
  optional,
  shapeOf,
  text,
  variantsOf,
  version,
  whole,
} from './kinds.js';
import type {
  Body,
  HostFacts,
  MisfitContribution,
  ServerRange,
  ShardReport,
  Stamp,
  Standing,
  StepReports,
  SumFacts,
} from './messages.js';
import { METRIC_DIRECTIONS } from './metric-direction.js';
import { METRIC_FORMS } from './metric-form.js';
import {
  type EarlyStopping,
  type FirstWeights,
  GRADIENT_COMPRESSIONS,
  type JobPlan,
  type OptimizerSpec,
  type ProgramDefaults,
  type ProgramDescription,
  type ReduceOnPlateau,
  type Schedule,
  type StoredParameter,
} from './plan.js';
import {
  type HistoryPart,
  type HistoryPlace,
  JOB_PHASES,
  type JobStatus,
  type ServerStatus,
  type WaitStatus,
  type WorkerStatus,
} from './status.js';

type ScheduleOf<K extends Schedule['kind']> = Omit<Extract<Schedule, { kind: K }>, 'kind'>;

const schedule = variantsOf<Schedule>('kind', {
  constant: shapeOf<ScheduleOf<'constant'>>({}),
  step: shapeOf<ScheduleOf<'step'>>({ every: number, factor: number }),
  exponential: shapeOf<ScheduleOf<'exponential'>>({ every: number, factor: number }),
  cosine: shapeOf<ScheduleOf<'cosine'>>({ steps: number, floor: optional(number) }),
  cosineRestarts: shapeOf<ScheduleOf<'cosineRestarts'>>({
    steps: number,
    stretch: optional(number),
    factor: optional(number),
    floor: optional(number),
  }),
  polynomial: shapeOf<ScheduleOf<'polynomial'>>({
    steps: number,
    power: optional(number),
    floor: optional(number),
  }),
  piecewise: shapeOf<ScheduleOf<'piecewise'>>({ from: listOf(number), factors: listOf(number) }),
} satisfies { [K in Schedule['kind']]: Kind<ScheduleOf<K>> });

const optimizer = shapeOf<OptimizerSpec>({
  name: oneOf(
    'sgd',
    'momentum',
    'nesterov',
    'adagrad',
    'rmsprop',
    'adam',
    'adamw',
    'adadelta',
    'adamax',
  ),
  learningRate: number,
  schedule: optional(schedule),
  warmupSteps: optional(whole),
  weightDecay: optional(number),
  clipValue: optional(number),
  clipNorm: optional(number),
  momentum: optional(number),
  beta1: optional(number),
  beta2: optional(number),
  epsilon: optional(number),
  rho: optional(number),
  decay: optional(number),
  centered: optional(flag),
  initialAccumulator: optional(number),
});

const watched = {
  monitor: optional(text),
  better: optional(oneOf('less', 'more')),
  minChange: optional(number),
  patience: optional(whole),
};
const steering = {
  earlyStopping: optional(shapeOf<EarlyStopping>({ ...watched, keepBest: optional(flag) })),
  reduceOnPlateau: optional(
    shapeOf<ReduceOnPlateau>({
      ...watched,
      factor: optional(number),
      floor: optional(number),
      cooldown: optional(whole),
    }),
  ),
};

const parameters = listOf(
  shapeOf<StoredParameter>({
    name: text,
    shape: listOf(whole),
    update: optional(oneOf('gradient', 'average')),
    decay: optional(flag),
  }),
);

const dataset = shapeOf<DatasetIdentity>({
  size: whole,
  examples: listOf(whole),
  fields: listOf(
    shapeOf<FieldIdentity>({ name: text, type: text, shape: listOf(whole), digests: text }),
  ),
});

const data = optional(shapeOf<DataIdentity>({ training: dataset, evaluation: optional(dataset) }));

const metricForms = optional(mapOf(oneOf(...METRIC_FORMS)));
const metricDirections = optional(mapOf(oneOf(...METRIC_DIRECTIONS)));

const gradientCompression = optional(oneOf(...GRADIENT_COMPRESSIONS));

const description = shapeOf<ProgramDescription>({
  name: text,
  hash: text,
  sharing: optional(text),
  parameters,
  trainingExamples: whole,
  evaluationExamples: whole,
  data,
  metricForms,
  metricDirections,
  defaults: shapeOf<ProgramDefaults>({
    batchSize: whole,
    epochs: number,
    seed: integer,
    shards: optional(whole),
    optimizer,
    evaluationBatchSize: optional(whole),
    gradientCompression,
    ...steering,
  }),
});

const plan = shapeOf<JobPlan>({
  programName: text,
  programHash: text,
  sharing: optional(text),
  parameters,
  trainingExamples: whole,
  evaluationExamples: whole,
  data,
  evaluationBatchSize: whole,
  metricForms,
  metricDirections,
  batchSize: whole,
  shards: whole,
  seed: integer,
  firstWeights: optional(shapeOf<FirstWeights>({ digest: text, path: text })),
  steps: whole,
  stepsPerEpoch: whole,
  optimizer,
  ...steering,
  chunkFloats: optional(whole),
  gradientCompression,
});

/** What is wrong with a plan that came from elsewhere, as the end of a sentence about it. */
export const planFault: (value: unknown) => string | undefined = plan;

const error = shapeOf<ErrorRecord>({
  // Whoever sends it may know others.
  code: text as unknown as Kind<ErrorRecord['code']>,
  message: text,
  remedy: text,
  details: mapOf(anything),
  stack: optional(text),
});

const host = shapeOf<HostFacts>({
  hostname: text,
  pid: whole,
  cpu: text,
  node: text,
  arithmetic: mapOf(text),
});

const shardReports = listOf(
  shapeOf<ShardReport>({
    shard: whole,
    count: whole,
    lossSum: number,
    metrics: mapOf(number),
    computeMs: number,
    maxAbs: optional(number),
  }),
);

const stepReports = shapeOf<StepReports>({ step: whole, shards: shardReports });

const servers = listOf(
  shapeOf<ServerRange>({
    address: text,
    firstChunk: whole,
    chunks: whole,
    role: optional(oneOf('standby', 'lost')),
  }),
);

const sums = listOf(
  shapeOf<SumFacts>({
    step: whole,
    chunk: whole,
    finite: flag,
    squares: optional(listOf(number)),
  }),
);

const standing = shapeOf<Standing>({
  versions: listOf(version),
  step: version,
  missing: listOf(whole),
  heard: listOf(text),
});

const history = shapeOf<HistoryPart>({
  begun: number,
  next: whole,
  // Whoever reads them looks at each.
  events: listOf(mapOf(anything)),
  more: flag,
});

const status = shapeOf<JobStatus>({
  job: text,
  program: optional(text),
  phase: oneOf(...JOB_PHASES),
  runningMs: number,
  step: whole,
  steps: whole,
  epoch: whole,
  epochs: whole,
  shards: whole,
  storedParameters: whole,
  loss: optional(number),
  metrics: optional(mapOf(number)),
  examplesPerSecond: optional(number),
  wireBytesPerStep: optional(number),
  startsWith: whole,
  workers: listOf(
    shapeOf<WorkerStatus>({
      name: text,
      host: text,
      pid: whole,
      shards: listOf(whole),
      examplesPerSecond: optional(number),
      heardMs: number,
      awaited: optional(text),
    }),
  ),
  servers: listOf(
    shapeOf<ServerStatus>({
      address: text,
      role: oneOf('primary', 'standby', 'lost'),
      firstChunk: whole,
      chunks: whole,
      hostedBy: optional(text),
      version: optional(whole),
      heardMs: optional(number),
      awaited: optional(text),
    }),
  ),
  waits: listOf(
    shapeOf<WaitStatus>({
      who: text,
      what: text,
      remedy: text,
      sinceMs: number,
      deadlineMs: optional(number),
    }),
  ),
});

export const stamp = shapeOf<Stamp>({ protocol: whole, job: text, session: text });

type Bodies = { [T in Body['type']]: Omit<Extract<Body, { type: T }>, 'type'> };

const table: { readonly [T in Body['type']]: Fields<Bodies[T]> } = {
  join: {
    worker: text,
    description,
    host,
    server: optional(text),
    servers: optional(listOf(text)),
  },
  probe: { digest: text },
  verification: { order: whole, digests: listOf(text), shards: shardReports },
  initial: { chunk: whole },
  report: { step: whole, shards: shardReports, wireBytes: whole },
  contribution: {
    step: whole,
    lo: whole,
    hi: whole,
    chunk: whole,
    attempt: text,
    reports: optional(shardReports),
  },
  evaluation: { version: whole, shards: shardReports },
  waiting: { version: whole },
  failed: { error },
  leave: {},
  welcome: {
    worker: text,
    plan,
    servers,
    aggregation: optional(oneOf('coordinator', 'server')),
  },
  initialize: { chunks: listOf(whole) },
  relocated: { servers },
  assign: { generation: whole, step: whole, shards: listOf(whole), attempt: text },
  compute: { step: whole, shards: listOf(whole) },
  evaluate: { version: whole, shards: listOf(whole) },
  verify: {
    work: oneOf('gradient', 'evaluation'),
    order: whole,
    step: whole,
    lo: whole,
    hi: whole,
  },
  finish: { error: optional(error) },
  inquire: { by: optional(text) },
  open: { plan, firstChunk: whole, chunks: whole, reset: optional(flag) },
  store: { chunk: whole },
  restore: { chunk: whole, version: whole },
  capture: { version: whole, slots: flag },
  apply: { step: whole, chunk: whole, count: whole, scale: number, rate: optional(number) },
  gather: { attempt: text, workers: listOf(text) },
  permit: { attempt: text, until: whole, rate: optional(number), recorded: flag, known: whole },
  advance: {
    step: whole,
    chunks: listOf(whole),
    count: whole,
    scale: number,
    rate: optional(number),
    recorded: flag,
  },
  replaced: { by: text, reason: text },
  holding: { plan: optional(plan) },
  opened: { versions: listOf(version) },
  stored: { chunk: whole },
  captured: { chunk: whole, version: whole },
  applied: { step: whole, chunk: whole },
  gathered: { attempt: text, sums, standing: optional(standing), reports: optional(stepReports) },
  advanced: {
    step: whole,
    attempt: optional(text),
    chunks: listOf(whole),
    digests: optional(listOf(text)),
  },
  misfit: {
    worker: text,
    contribution: shapeOf<MisfitContribution>({ step: whole, lo: whole, hi: whole, chunk: whole }),
    bytes: whole,
  },
  repeat: { attempt: text },
  pull: { version: whole, until: optional(whole) },
  weights: { version: whole, chunk: whole, unhurried: optional(flag) },
  status: { history: optional(shapeOf<HistoryPlace>({ begun: number, next: whole })) },
  'status-report': { status, history: optional(history) },
  refused: { error },
};

const withPayload = [
  'initial',
  'contribution',
  'store',
  'restore',
  'captured',
  'apply',
  'weights',
] as const satisfies readonly Body['type'][];
/** The types of the messages that tensor bytes travel with. */
export type WithPayload = (typeof withPayload)[number];

export interface Format {
  readonly body: Kind;
  readonly payload: boolean;
}

/** How each type of message looks; the only description of the wire besides messages.ts. */
export const formats: ReadonlyMap<string, Format> = new Map(
  Object.entries(table).map(([type, fields]) => [
    type,
    {
      body: shapeOf(fields as Fields<object>),
      payload: withPayload.includes(type as WithPayload),
    },
  ]),
);
