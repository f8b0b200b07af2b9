import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import { createSampler } from '@tutti/data/internal';
import { runLocal } from '@tutti/launch';
import { createRandom } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { ParameterValues, Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';

/** The tree as it is defined, without any of the code that the roles run. */
function treeSum(values: readonly Float32Array[], lo = 0, hi = values.length): Float32Array {
  if (hi - lo === 1) return values[lo]!;
  let power = 1;
  while (power * 2 < hi - lo) power *= 2;
  const left = treeSum(values, lo, lo + power);
  const right = treeSum(values, lo + power, hi);
  return left.map((value, i) => Math.fround(value + right[i]!));
}

/** With a parameter that is not trained, but moved by a mean. */
function withMoment(program: Program, moved: number): Program {
  return {
    ...program,
    async open() {
      const narrow = await program.open();
      return {
        ...narrow,
        parameters: [{ name: 'moment', shape: [2], update: 'average' }, ...narrow.parameters],
        initialize: async (seed) => ({
          ...(await narrow.initialize(seed)),
          moment: new Float32Array(2),
        }),
        async gradient(weights, microBatch) {
          const result = await narrow.gradient(weights, microBatch);
          const moment = new Float32Array(2).fill(moved * result.count);
          return { ...result, gradient: { ...result.gradient, moment } };
        },
      };
    },
  };
}

const [LEARNING_RATE, EPSILON] = [Math.fround(0.3), Math.fround(1e-6)];
const SHARDS = 5;

/** The earlier run. */
const EARLIER = withMoment(regression(), 0.25);

/** Other data, another batch size and another optimizer, whose state does not begin with 0. */
const LATER = withMoment(
  regression({
    examples: 71,
    batchSize: 12,
    shards: SHARDS,
    epochs: 3,
    optimizer: { name: 'adagrad', learningRate: LEARNING_RATE, epsilon: EPSILON },
  }),
  0,
);

/** Adagrad over the same tree, written down again. */
async function plainLoop(first: ParameterValues): Promise<Float32Array> {
  const { batchSize, epochs, seed } = LATER;
  const { training } = await LATER.data();
  const computation = await LATER.open();
  const sampler = createSampler({ examples: training.size, batchSize, shards: SHARDS, seed });
  const weights = Float32Array.of(...first.w!, ...first.b!);
  const squares = new Float32Array(weights.length).fill(0.1);
  for (let step = 0; step < epochs * sampler.stepsPerEpoch; step++) {
    const gradients: Float32Array[] = [];
    let examples = 0;
    for (let shard = 0; shard < SHARDS; shard++) {
      const { epoch, indices } = sampler.microBatch(step, shard);
      const batch = await training.read(indices);
      const random = createRandom('micro-batch', seed, epoch, step, shard);
      const values = { w: weights.slice(0, -1), b: weights.slice(-1), moment: first.moment! };
      const microBatch = { batch, epoch, step, shard, random };
      const { gradient, count } = await computation.gradient(values, microBatch);
      gradients.push(Float32Array.of(...gradient.w!, ...gradient.b!));
      examples += count;
    }
    for (const [i, sum] of treeSum(gradients).entries()) {
      const mean = Math.fround(sum / examples);
      squares[i] = squares[i]! + Math.fround(mean * mean);
      const root = Math.fround(Math.sqrt(Math.fround(squares[i]! + EPSILON)));
      weights[i] = weights[i]! - Math.fround(LEARNING_RATE * Math.fround(mean / root));
    }
  }
  return Float32Array.of(...first.moment!, ...weights);
}

const sha256 = (values: Float32Array) =>
  createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');

describe('a run that begins with the weights of another', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-from-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('equals a plain loop from there, whoever computes, with another optimizer and other data', async () => {
    const runsDir = join(folder, 'runs');
    const earlier = await runLocal(EARLIER, { workers: 2, runsDir }).result;
    assert.notEqual(earlier.values.moment![0], 0);
    const expected = sha256(await plainLoop(earlier.values));
    const file = join(folder, 'weights.safetensors');
    const tensors = Object.entries({ b: [1], moment: [2], w: [7] }).map(([name, shape]) => ({
      name,
      shape,
      values: earlier.values[name]!,
    }));
    await writeSafetensors(file, tensors);
    const path = earlier.modelPath!;
    for (const [from, how] of [
      ['latest', { workers: 0 }],
      [path, { workers: 1 }],
      [runsDir, { workers: 3 }],
      [file, { workers: 3, servers: 2, chunkFloats: 4 }],
      [path, { workers: 2, servers: 1, replicas: 1 }],
      [file, { workers: 0 }],
    ] as const) {
      const events: RunEvent[] = [];
      const onEvent = (event: RunEvent) => void events.push(event);
      // Without a folder of its own, so that all begin with the same.
      const dirs = from === 'latest' ? { runsDir, checkpointDir: join(folder, 'own') } : {};
      const run = runLocal(LATER, { ...dirs, from, onEvent, ...how });
      const { digest, steps, values, plan } = await run.result;
      assert.equal(digest, expected, `${from} ${JSON.stringify(how)}`);
      assert.equal(steps, 18);
      assert.deepEqual(values.moment, earlier.values.moment);
      const started = events.find((event) => event.event === 'started')!;
      const source = from === file ? file : path;
      assert.deepEqual(started.from, { path: source, digest: earlier.digest });
      assert.equal(started.resumed, undefined);
      assert.deepEqual(plan.firstWeights, { path: source, digest: earlier.digest });
      const first = events.find((event) => event.event === 'step')!;
      assert.deepEqual([first.step, first.epoch], [1, 1]);
    }
    assert.notEqual((await runLocal(LATER, { workers: 0 }).result).digest, expected);
  });

  it('goes on to the same digest after it was interrupted, with --from and without', async () => {
    const earlier = await runLocal(EARLIER, { checkpointDir: join(folder, 'earlier') }).result;
    const from = earlier.modelPath!;
    const expected = sha256(await plainLoop(earlier.values));
    for (const [at, workers] of [0, 2].entries()) {
      const checkpointDir = join(folder, `later-${at}`);
      const interrupting = new AbortController();
      const cut = runLocal(LATER, {
        ...{ from, workers, checkpointDir, interrupt: interrupting.signal },
        onEvent: (event) => event.event === 'step' && event.step === 4 && interrupting.abort(),
      });
      const path = await cut.result.then(
        () => assert.fail('it was interrupted'),
        ({ details }) => details.checkpoint as string,
      );
      assert.ok(path.startsWith(checkpointDir));
      for (const again of [{}, { from }, { from: join(folder, 'earlier') }]) {
        const on = { checkpointDir: null, resume: path, workers: 2 - workers };
        assert.equal((await runLocal(LATER, { ...on, ...again }).result).digest, expected);
      }
      const other = runLocal(LATER, { workers, checkpointDir: null, resume: path, from: path });
      await assert.rejects(other.result, {
        code: 'BAD_CHECKPOINT',
        message: /it began with the weights .* instead of the weights .* \(--from\)/,
      });
      // In the folder of another beginning nothing is written over.
      await assert.rejects(runLocal(LATER, { workers, checkpointDir }).result, {
        code: 'FOLDER_IN_USE',
        message: /it began with the weights .* instead of the initial values of the program/,
      });
    }
  });

  it('is stopped before its first step without a word of a checkpoint', async () => {
    const { modelPath: from } = await runLocal(EARLIER, { checkpointDir: folder }).result;
    for (const workers of [0, 1]) {
      const stopping = new AbortController();
      const run = runLocal(LATER, {
        ...{ from: from!, workers, interrupt: stopping.signal },
        onEvent: (event) => event.event === 'started' && stopping.abort(),
      });
      await assert.rejects(run.result, ({ code, details }) => {
        assert.equal(code, 'ABORTED');
        assert.equal(details.checkpoint, undefined);
        return true;
      });
    }
  });
});
