import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSampler } from '@tutti/data/internal';
import { resolveSharing, type Sharing } from '@tutti/parameters';
import type { OptimizerSpec } from '@tutti/protocol';
import { createRandom } from '@tutti/runtime';
import type { Computation, GradientResult, Program } from '@tutti/worker';
import { simulate } from '../simulation/cluster.js';
import { everyKind, SHARING } from './every-kind.js';

const OPTIMIZERS: readonly OptimizerSpec[] = [
  { name: 'sgd', learningRate: 0.1 },
  { name: 'momentum', learningRate: 0.1 },
  { name: 'adam', learningRate: 0.01 },
  // Both act on what is stored, once, however many weights read it.
  { name: 'momentum', learningRate: 0.1, weightDecay: 0.05, clipNorm: 0.02 },
];
const TOLERANCE = 1e-6;

/**
 * A program whose processes have one computation, and compute each gradient once: it follows from the
 * weights and the micro-batch, and without a graph it takes long.
 */
function opened(program: Program, computation: Computation): Program {
  const known = new Map<string, GradientResult>();
  const gradient: Computation['gradient'] = async (weights, microBatch) => {
    const { step, shard } = microBatch;
    const hash = createHash('sha256').update(`${step} ${shard}`);
    for (const { buffer, byteOffset, byteLength } of Object.values(weights))
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    const key = hash.digest('hex');
    const result = known.get(key) ?? (await computation.gradient(weights, microBatch));
    known.set(key, result);
    return result;
  };
  return { ...program, open: () => ({ ...computation, gradient, close() {} }) };
}

/**
 * The gradient of what is stored, from that of the dense weights: g = S^T dL/dW, with S = dW/dtheta
 * column by column. W is linear in each stored tensor, so a difference of expansions is a column.
 */
function throughMatrix(
  sharing: Sharing,
  stored: Record<string, Float64Array>,
  dense: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, Float64Array> {
  const without = (name: string, at?: number) => ({
    ...stored,
    [name]: stored[name]!.map((_, i) => (i === at ? 1 : 0)),
  });
  return Object.fromEntries(
    sharing.parameters.map(({ name }) => {
      const readers = sharing.weights.filter(({ parameters }) => parameters.includes(name));
      const zeros = readers.map(({ weight }) => sharing.expand(weight, without(name)));
      const gradient = stored[name]!.map((_, column) =>
        readers.reduce((sum, { weight }, reader) => {
          const values = sharing.expand(weight, without(name, column));
          const zero = zeros[reader]!;
          return values.reduce((s, v, i) => s + (v - zero[i]!) * dense[weight]![i]!, sum);
        }, 0),
      );
      return [name, gradient];
    }),
  );
}

/** One step of the optimizer, in double precision: Kingma and Ba 2015 for adam. */
function createUpdate({ name, learningRate, weightDecay = 0 }: OptimizerSpec) {
  const first = new Map<string, Float64Array>();
  const second = new Map<string, Float64Array>();
  const slot = (slots: typeof first, key: string, length: number) => {
    if (!slots.has(key)) slots.set(key, new Float64Array(length));
    return slots.get(key)!;
  };
  return (step: number, key: string, values: Float64Array, gradient: Float64Array) =>
    values.map((value, i) => {
      const g = gradient[i]! + weightDecay * value;
      if (name === 'sgd') return value - learningRate * g;
      const m = slot(first, key, values.length);
      if (name === 'momentum') {
        m[i] = 0.9 * m[i]! + g;
        return value - learningRate * m[i]!;
      }
      const v = slot(second, key, values.length);
      m[i] = 0.9 * m[i]! + 0.1 * g;
      v[i] = 0.999 * v[i]! + 0.001 * g * g;
      const [mean, square] = [m[i]! / (1 - 0.9 ** (step + 1)), v[i]! / (1 - 0.999 ** (step + 1))];
      return value - (learningRate * mean) / (Math.sqrt(square) + 1e-7);
    });
}

function assertNear(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert.equal(actual.length, expected.length, name);
  for (let i = 0; i < actual.length; i++) {
    const off = Math.abs(actual[i]! - expected[i]!);
    assert.ok(off <= tolerance, `${name}[${i}] is ${actual[i]}, not ${expected[i]}`);
  }
}

/** Among them the two groups of ties of accelerate#4171, and the momentum of each copy of caffe#1211. */
describe('every kind of sharing', () => {
  const computations = new Map<boolean, Computation>();
  let dense: Computation;
  let sharing: Sharing;
  const [sgd] = OPTIMIZERS as [OptimizerSpec];

  before(async () => {
    for (const graph of [true, false])
      computations.set(graph, await everyKind({ optimizer: sgd, graph, sharing: SHARING }).open());
    dense = await everyKind({ optimizer: sgd, graph: false, sharing: [] }).open();
    const first = await dense.initialize(4);
    sharing = resolveSharing(dense.parameters, SHARING, () => first);
  });
  after(async () => {
    for (const computation of [...computations.values(), dense]) await computation.close?.();
  });

  /** Trains the dense model, whose weights come from the stored values and hand gradients back. */
  async function reference(program: Program) {
    const { training } = await program.data();
    const { batchSize, shards, seed, epochs } = program;
    const sampler = createSampler({ examples: training.size, batchSize, shards: shards!, seed });
    const update = createUpdate(program.optimizer);
    const initial = await computations.get(false)!.initialize(seed);
    let stored = Object.fromEntries(
      Object.entries(initial).map(([name, values]) => [name, Float64Array.from(values)]),
    );
    for (let step = 0; step < epochs * sampler.stepsPerEpoch; step++) {
      const weights = Object.fromEntries(
        sharing.weights.map(({ weight }) => [
          weight,
          Float32Array.from(sharing.expand(weight, stored)),
        ]),
      );
      const sums: Record<string, Float64Array> = {};
      let examples = 0;
      for (let shard = 0; shard < shards!; shard++) {
        const { epoch, indices } = sampler.microBatch(step, shard);
        const random = createRandom('micro-batch', seed, epoch, step, shard);
        const microBatch = { batch: await training.read(indices), epoch, step, shard, random };
        const { gradient, count } = await dense.gradient(weights, microBatch);
        for (const [name, values] of Object.entries(gradient))
          sums[name] = Float64Array.from(values, (value, i) => value + (sums[name]?.[i] ?? 0));
        examples += count;
      }
      const { clipNorm = Number.POSITIVE_INFINITY } = program.optimizer;
      const gradients = throughMatrix(sharing, stored, sums);
      const norm = Math.hypot(...Object.values(gradients).flatMap((each) => [...each])) / examples;
      assert.ok(clipNorm === Number.POSITIVE_INFINITY || norm > clipNorm);
      const divisor = examples * Math.max(1, norm / clipNorm);
      stored = Object.fromEntries(
        Object.entries(stored).map(([name, values]) => [
          name,
          update(
            step,
            name,
            values,
            gradients[name]!.map((sum) => sum / divisor),
          ),
        ]),
      );
    }
    return stored;
  }

  for (const graph of [true, false])
    it(`has the gradient that the dense sharing matrix makes, with${graph ? '' : 'out'} a graph`, async () => {
      const computation = computations.get(graph)!;
      const { training } = await everyKind({ optimizer: sgd, graph, sharing: SHARING }).data();
      const indices = Array.from({ length: 14 }, (_, i) => 3 * i);
      const at = async (of: readonly number[]) => ({
        batch: await training.read(of),
        epoch: 0,
        step: 0,
        shard: 0,
        random: createRandom('micro-batch'),
      });
      // Not the first values, of which many are 0.
      const random = createRandom('values');
      const stored = Object.fromEntries(
        Object.entries(await computation.initialize(4)).map(([name, values]) => [
          name,
          values.map((value) => value + 0.5 * (random.next() - 0.5)),
        ]),
      );
      const exact = Object.fromEntries(
        Object.entries(stored).map(([name, values]) => [name, Float64Array.from(values)]),
      );
      const weights = Object.fromEntries(
        sharing.weights.map(({ weight }) => [
          weight,
          Float32Array.from(sharing.expand(weight, exact)),
        ]),
      );
      // Example by example, added in double precision: sums in single precision are off by as much as is
      // allowed here, on some processors.
      const sums: Record<string, Float64Array> = {};
      for (const index of indices) {
        const { gradient } = await dense.gradient(weights, await at([index]));
        for (const [name, values] of Object.entries(gradient))
          sums[name] = Float64Array.from(values, (value, i) => value + (sums[name]?.[i] ?? 0));
      }
      const expected = throughMatrix(sharing, exact, sums);
      const { gradient } = await computation.gradient(stored, await at(indices));
      for (const [name, values] of Object.entries(expected)) {
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        assert.ok(largest > 0, name);
        assertNear(name, gradient[name]!, values, TOLERANCE * largest);
      }
    });

  for (const optimizer of OPTIMIZERS)
    it(`trains as the dense sharing matrix says, with ${optimizer.name}${optimizer.clipNorm === undefined ? '' : ', decay and clipping'}, wherever it is computed`, async () => {
      const programOf = (graph: boolean) => everyKind({ optimizer, graph, sharing: SHARING });
      const expected = await reference(programOf(false));
      for (const graph of [true, false]) {
        const program = opened(programOf(graph), computations.get(graph)!);
        const digests = new Set<string>();
        for (const workers of [1, 3])
          for (const servers of [1, 2]) {
            const settings = { chunkFloats: 300 };
            const { result } = await simulate({
              program,
              workers,
              servers,
              settings,
              seed: workers,
            });
            digests.add(result.digest);
            for (const [name, values] of Object.entries(expected))
              assertNear(name, result.values[name]!, values, TOLERANCE);
          }
        assert.equal(digests.size, 1, `with${graph ? '' : 'out'} a graph`);
      }
    });
});
