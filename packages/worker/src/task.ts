import { batches, createSampler, evaluationShard } from '@tutti/data';
import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { JobPlan, ShardReport } from '@tutti/protocol';
import { type Clock, createRandom, isTuttiError, TuttiError, toTuttiError } from '@tutti/runtime';
import type {
  Computation,
  EvaluationResult,
  MicroBatch,
  ParameterValues,
  ProgramData,
} from './program.js';

/** A micro-batch that has been read. */
export type ReadMicroBatch = MicroBatch & { readonly count: number };

export interface ShardGradient {
  readonly report: ShardReport;
  /** The gradient of the loss sum, flat; whoever receives it frees it. */
  readonly gradient: Block;
}

/**
 * The arithmetic of one job, cut into its smallest parts. The same for a worker and for the
 * single-process loop; it holds the program to its contract.
 */
export interface Task {
  /** Reads the examples of one micro-batch. */
  read(step: number, shard: number): Promise<ReadMicroBatch>;
  /** @throws TuttiError PROGRAM_FAILED or NOT_FINITE, with step and shard */
  gradient(weights: ParameterValues, microBatch: ReadMicroBatch): Promise<ShardGradient>;
  /** One shard of the evaluation set. */
  evaluate(weights: ParameterValues, version: number, shard: number): Promise<ShardReport>;
  /** The stored parameters at version 0, flat. */
  initialize(): Promise<Float32Array>;
}

export function createTask(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly data: ProgramData;
  readonly computation: Computation;
  readonly kernels: Kernels;
  readonly clock: Clock;
  /** Named in errors. */
  readonly worker: string;
}): Task {
  const { plan, layout, data, computation, kernels, clock, worker } = init;
  const { seed, shards, batchSize, trainingExamples } = plan;
  const sampler = createSampler({ examples: trainingExamples, batchSize, shards, seed });

  async function call<T>(what: string, details: Details, run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (thrown) {
      throw programError(thrown, `The program threw in ${what} ${where(details, worker)}`, {
        ...details,
        worker,
      });
    }
  }

  return {
    async read(step, shard) {
      const { epoch, indices } = sampler.microBatch(step, shard);
      const batch = await data.training.read(indices);
      const random = createRandom('micro-batch', seed, epoch, step, shard);
      return { batch, count: indices.length, epoch, step, shard, random };
    },

    async gradient(weights, microBatch) {
      const { step, shard, epoch, count } = microBatch;
      const details = { step, shard, epoch };
      const gradient = kernels.allocate(layout.floats);
      try {
        if (count === 0) {
          gradient.values.fill(0);
          const report = { shard, count, lossSum: 0, metrics: {}, computeMs: 0, maxAbs: 0 };
          return { gradient, report };
        }
        const started = clock.now();
        const result = await call('gradient()', details, () =>
          computation.gradient(weights, microBatch),
        );
        checkSums('gradient()', result, count, details, worker);
        collect(layout, result.gradient, gradient.values, details, worker);
        const maxAbs = kernels.maxAbs(gradient);
        if (!Number.isFinite(maxAbs)) throw notFinite(layout, gradient.values, details, worker);
        const computeMs = clock.now() - started;
        const { lossSum, metrics = {} } = result;
        return { gradient, report: { shard, count, lossSum, metrics, computeMs, maxAbs } };
      } catch (error) {
        kernels.free(gradient);
        throw error;
      }
    },

    async evaluate(weights, version, shard) {
      const { evaluation } = data;
      const started = clock.now();
      const [from, to] = evaluationShard(plan.evaluationExamples, shards, shard);
      let [count, lossSum] = [0, 0];
      const metrics: Record<string, number> = {};
      for (const indices of batches(from, to, plan.evaluationBatchSize)) {
        const batch = await evaluation!.read(indices);
        const details = { version, shard, firstExample: indices[0]! };
        const result = await call('evaluate()', details, () =>
          computation.evaluate(weights, batch),
        );
        checkSums('evaluate()', result, indices.length, details, worker);
        count += result.count;
        lossSum += result.lossSum;
        for (const [name, sum] of Object.entries(result.metrics ?? {}))
          metrics[name] = (metrics[name] ?? 0) + sum;
      }
      return { shard, count, lossSum, metrics, computeMs: clock.now() - started };
    },

    async initialize() {
      const values = await call('initialize()', { seed }, () => computation.initialize(seed));
      const flat = new Float32Array(layout.floats);
      const details = { initialize: seed };
      collect(layout, values, flat, details, worker, 'initialize()');
      if (!flat.every(Number.isFinite)) throw notFinite(layout, flat, details, worker);
      return flat;
    },
  };
}

type Details = Readonly<Record<string, number>>;

/** "at step 3, shard 1 on worker w0". */
function where(details: Details, worker: string): string {
  const parts = Object.entries(details).map(([name, value]) => `${name} ${value}`);
  return `at ${parts.join(', ')} on worker ${worker}`;
}

function programError(thrown: unknown, context: string, details: Record<string, unknown>) {
  if (isTuttiError(thrown)) return thrown;
  const { message, remedy, cause } = toTuttiError(
    thrown,
    'PROGRAM_FAILED',
    context,
    'Correct the program; the stack shows where it threw.',
  );
  return new TuttiError('PROGRAM_FAILED', message, { remedy, cause, details });
}

function checkSums(
  what: string,
  { lossSum, count, metrics = {} }: EvaluationResult,
  expected: number,
  details: Details,
  worker: string,
): void {
  const place = where(details, worker);
  if (count !== expected)
    throw new TuttiError(
      'PROGRAM_FAILED',
      `${what} returned count ${count} for ${expected} examples ${place}`,
      { remedy: 'Return the number of examples in the batch.', details: { ...details, worker } },
    );
  const named = { lossSum, ...metrics };
  for (const [name, value] of Object.entries(named))
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new TuttiError('NOT_FINITE', `${what} returned ${name} ${value} ${place}`, {
        remedy:
          'Lower the learning rate, clip the gradient (clipNorm) or look for a logarithm or a division of zero.',
        details: { ...details, worker, tensor: name },
      });
}

/** Copies named arrays into the flat vector, holding the program to the names and sizes. */
function collect(
  layout: Layout,
  values: ParameterValues,
  flat: Float32Array,
  details: Details,
  worker: string,
  what = 'gradient()',
): void {
  const broken = (message: string) =>
    new TuttiError('PROGRAM_FAILED', `${what} ${message} ${where(details, worker)}`, {
      remedy: 'Return one Float32Array for every stored parameter, of its size.',
      details: { ...details, worker },
    });
  if (typeof values !== 'object' || values === null) throw broken('returned no named arrays');
  for (const { name, size, offset, shape } of layout.parameters) {
    const array = values[name];
    if (!(array instanceof Float32Array)) throw broken(`returned no Float32Array for "${name}"`);
    if (array.length !== size)
      throw broken(
        `returned ${array.length} values for "${name}", whose shape [${shape.join(', ')}] has ${size},`,
      );
    flat.set(array, offset);
  }
  const extra = Object.keys(values).find(
    (name) => !layout.parameters.some((parameter) => parameter.name === name),
  );
  if (extra !== undefined) throw broken(`returned "${extra}", which is no stored parameter,`);
}

function notFinite(layout: Layout, flat: Float32Array, details: Details, worker: string) {
  const position = flat.findIndex((value) => !Number.isFinite(value));
  const { name, offset } = layout.parameterAt(position);
  const what = 'initialize' in details ? 'value' : 'gradient';
  return new TuttiError(
    'NOT_FINITE',
    `The ${what} of "${name}" is ${flat[position]} in element ${position - offset} ${where(details, worker)}`,
    {
      remedy:
        'Lower the learning rate, clip the gradient (clipNorm) or look for a logarithm or a division of zero.',
      details: { ...details, worker, tensor: name, element: position - offset },
    },
  );
}
