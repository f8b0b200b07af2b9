import { batches, createSampler, evaluationShard } from '@tutti/data/internal';
import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { JobPlan, ShardReport } from '@tutti/protocol';
import {
  type Clock,
  createRandom,
  isRecord,
  programError,
  showValue,
  TuttiError,
} from '@tutti/runtime';
import type {
  Computation,
  EvaluationResult,
  MicroBatch,
  ParameterValues,
  ProgramData,
} from '../program/program.js';
import { blameData } from './blame-data.js';
import { type ChunkerFaults, createChunker, type TakeChunk } from './chunker.js';
import { createRounding } from './rounding.js';

/** A micro-batch that has been read. */
export type ReadMicroBatch = MicroBatch & {
  readonly count: number;
  /** Its examples, by their place in the training data. */
  readonly indices: ArrayLike<number>;
};

/** `early` while the program still computes the others. The block passes into the taker's hands. */
export type TakeGradient = (chunk: number, values: Block, early: boolean) => void;

/**
 * Runs the program of one job, in its smallest parts: the same for a worker and for the
 * single-process loop. It holds the program to its contract.
 *
 * Data and program hold up the thread, often for long, and what is in memory is read without a pause. So what
 * waits for the end of a turn goes first each time: messages to those who wait for them, also from a server in
 * this process, signs of life, and signals of the host.
 */
export interface ProgramRunner {
  /** Reads the examples of one micro-batch. */
  read(step: number, shard: number): Promise<ReadMicroBatch>;
  /**
   * The gradient of the loss sum of one micro-batch; `take` gets each chunk as soon as it is complete.
   * @throws TuttiError PROGRAM_FAILED or NOT_FINITE, with step and shard; BAD_DATA, with field and
   *   example, if what is not finite comes from there
   */
  gradient(
    weights: ParameterValues,
    microBatch: ReadMicroBatch,
    take: TakeGradient,
  ): Promise<ShardReport>;
  /** One shard of the evaluation set; calls `progressed` after each batch. */
  evaluate(
    weights: ParameterValues,
    version: number,
    shard: number,
    progressed?: () => void,
  ): Promise<ShardReport>;
  /** The stored parameters at version 0, flat. */
  initialize(): Promise<Float32Array>;
}

export function createProgramRunner(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly data: ProgramData;
  readonly computation: Computation;
  readonly kernels: Kernels;
  readonly clock: Clock;
  /** Named in errors. */
  readonly worker: string;
}): ProgramRunner {
  const { plan, layout, data, computation, kernels, clock, worker } = init;
  const { seed, shards, batchSize, trainingExamples } = plan;
  const rounding = createRounding({ plan, layout, kernels });
  const sampler = createSampler({ examples: trainingExamples, batchSize, shards, seed });

  async function call<T>(what: string, details: Details, run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (thrown) {
      throw programError(thrown, `${what} ${where(details, worker)}`, { ...details, worker });
    }
  }

  const faultsOf = (source: string, what: string, details: Details): ChunkerFaults => ({
    broken: (message) =>
      new TuttiError('PROGRAM_FAILED', `${source} ${message} ${where(details, worker)}`, {
        remedy: 'Return one Float32Array for every stored parameter, of its size.',
        details: { ...details, worker },
      }),
    notFinite(position, value) {
      const { name, offset } = layout.parameterAt(position);
      const element = position - offset;
      return new TuttiError(
        'NOT_FINITE',
        `The ${what} of "${name}" is ${value} in element ${element} ${where(details, worker)}`,
        {
          remedy:
            'Lower the learning rate, clip the gradient (clipNorm) or look for a logarithm or a division of zero.',
          details: { ...details, worker, tensor: name, element },
        },
      );
    },
  });

  return {
    async read(step, shard) {
      // Unnamed wait: it ends by itself.
      await clock.turn();
      const { epoch, indices } = sampler.microBatch(step, shard);
      const batch = await data.training.read(indices);
      return {
        batch,
        count: indices.length,
        indices,
        epoch,
        step,
        shard,
        random: createRandom('micro-batch', seed, epoch, step, shard),
      };
    },

    async gradient(weights, microBatch, take) {
      const { step, shard, epoch, count, indices } = microBatch;
      const details = { step, shard, epoch };
      if (count === 0) {
        for (let chunk = 0; chunk < layout.chunks; chunk++) {
          const zeros = kernels.allocate(layout.chunkLength(chunk));
          zeros.values.fill(0);
          take(chunk, zeros, false);
        }
        return { shard, count, lossSum: 0, metrics: {}, computeMs: 0, maxAbs: 0 };
      }
      // Unnamed wait: it ends by itself.
      await clock.turn();
      const faults = faultsOf('gradient()', 'gradient', details);
      let early = true;
      const chunks = createChunker({
        layout,
        kernels,
        faults,
        round: rounding?.(step, shard),
        take: (chunk, values) => take(chunk, values, early),
      });
      try {
        const started = clock.now();
        const result = await call('gradient()', details, () =>
          computation.gradient(weights, microBatch, (parameter, values, last = false) => {
            early = !last;
            chunks.give(parameter, values);
          }),
        );
        checkSums('gradient()', result, count, details, worker);
        early = false;
        chunks.giveRest(result.gradient);
        const computeMs = clock.now() - started;
        const { lossSum, metrics = {} } = result;
        return { shard, count, lossSum, metrics, computeMs, maxAbs: chunks.maxAbs() };
      } catch (error) {
        throw await blameData(error, 'training', data.training, indices);
      } finally {
        chunks.release();
      }
    },

    async evaluate(weights, version, shard, progressed) {
      const { evaluation } = data;
      const started = clock.now();
      const [from, to] = evaluationShard(plan.evaluationExamples, shards, shard);
      let [count, lossSum] = [0, 0];
      const metrics: Record<string, number> = {};
      for (const indices of batches(from, to, plan.evaluationBatchSize)) {
        // Unnamed wait: it ends by itself.
        await clock.turn();
        const batch = await evaluation!.read(indices);
        const details = { version, shard, firstExample: indices[0]! };
        let result: EvaluationResult;
        try {
          result = await call('evaluate()', details, () => computation.evaluate(weights, batch));
          checkSums('evaluate()', result, indices.length, details, worker);
        } catch (error) {
          throw await blameData(error, 'evaluation', evaluation!, indices);
        }
        count += result.count;
        lossSum += result.lossSum;
        for (const [name, sum] of Object.entries(result.metrics ?? {}))
          metrics[name] = (metrics[name] ?? 0) + sum;
        progressed?.();
      }
      return { shard, count, lossSum, metrics, computeMs: clock.now() - started };
    },

    async initialize() {
      // Unnamed wait: it ends by itself.
      await clock.turn();
      const values = await call('initialize()', { seed }, () => computation.initialize(seed));
      const flat = new Float32Array(layout.floats);
      const take: TakeChunk = (chunk, part) => {
        flat.set(part.values, chunk * layout.chunkFloats);
        kernels.free(part);
      };
      const faults = faultsOf('initialize()', 'value', { initialize: seed });
      const chunks = createChunker({ layout, kernels, take, faults });
      try {
        chunks.giveRest(values);
      } finally {
        chunks.release();
      }
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

function checkSums(
  what: string,
  result: EvaluationResult,
  expected: number,
  details: Details,
  worker: string,
): void {
  const place = () => where(details, worker);
  const broken = (message: string, remedy: string) =>
    new TuttiError('PROGRAM_FAILED', `${what} returned ${message} ${place()}`, {
      remedy,
      details: { ...details, worker },
    });
  if (!isRecord(result))
    throw broken(
      showValue(result),
      'Return an object with lossSum, count and what else is wanted.',
    );
  const { lossSum, count, metrics = {} } = result;
  if (!isRecord(metrics))
    throw broken(
      `metrics ${showValue(metrics)}`,
      'Return an object with the sum of each metric, or leave metrics out.',
    );
  if (count !== expected)
    throw broken(
      `count ${showValue(count)} for ${expected} examples`,
      'Return the number of examples in the batch.',
    );
  const named = { lossSum, ...metrics };
  for (const [name, value] of Object.entries(named)) {
    if (typeof value !== 'number')
      throw broken(
        `${name} ${showValue(value)}`,
        `Return ${name} as a number: the sum over the examples of the batch.`,
      );
    if (!Number.isFinite(value))
      throw new TuttiError(
        'NOT_FINITE',
        `${what} returned ${name} ${showValue(value)} ${place()}`,
        {
          remedy:
            'Lower the learning rate, clip the gradient (clipNorm) or look for a logarithm or a division of zero.',
          details: { ...details, worker, tensor: name },
        },
      );
  }
}
