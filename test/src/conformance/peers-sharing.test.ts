import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCheckpoint } from '@tutti/checkpoint';
import { arrays } from '@tutti/data';
import { runLocal } from '@tutti/launch';
import { createRandom } from '@tutti/runtime';
import {
  defineTraining,
  exportLayersModel,
  hashed,
  lowRank,
  pretrained,
  type SharingRule,
  tf,
  tie,
  trainedWeights,
} from '@tutti/tensorflow';

/** Two towers that are one layer (siamese), and two layers with one kernel, behind them. */
function model(): tf.LayersModel {
  const [left, right] = ['left', 'right'].map((name) => tf.input({ shape: [6], name }));
  const tower = tf.layers.dense({ units: 6, activation: 'tanh', name: 'tower' });
  const both = tf.layers
    .add()
    .apply([
      tower.apply(left!) as tf.SymbolicTensor,
      tower.apply(right!) as tf.SymbolicTensor,
    ]) as tf.SymbolicTensor;
  const on = (name: string, units: number, input: tf.SymbolicTensor) =>
    tf.layers.dense({ units, name }).apply(input) as tf.SymbolicTensor;
  const encoded = on('encoder', 4, both);
  return tf.model({ inputs: [left!, right!], outputs: on('output', 2, on('decoder', 6, encoded)) });
}

const TRANSPOSED: readonly SharingRule[] = [
  tie('encoder/kernel', 'decoder/kernel', { transpose: true }),
];

const TWO_GROUPS: readonly SharingRule[] = [...TRANSPOSED, tie('tower/bias', 'decoder/bias')];

function data() {
  const random = createRandom('peers');
  const field = (size: number) => ({
    data: Float32Array.from({ length: 24 * size }, () => random.next() - 0.5),
    shape: [24, size],
  });
  return { training: arrays({ left: field(6), right: field(6), y: field(2) }) };
}

const program = (sharing: readonly SharingRule[] = TRANSPOSED, options: { graph?: boolean } = {}) =>
  defineTraining({
    ...options,
    name: 'peers',
    data,
    model,
    loss: 'meanSquaredError',
    optimizer: { name: 'momentum', learningRate: 0.1 },
    sharing,
    batchSize: 8,
    epochs: 2,
    seed: 1,
    shards: 2,
  });

/** First values that are no longer those, so that no gradient is 0. */
async function valuesOf(sharing: readonly SharingRule[]): Promise<Record<string, Float32Array>> {
  const computation = await program(sharing).open();
  const random = createRandom('moved');
  const initial = Object.entries(await computation.initialize(1));
  await computation.close?.();
  return Object.fromEntries(
    initial.map(([name, values]) => [name, values.map((v) => v + 0.3 * (random.next() - 0.5))]),
  );
}

/** What other frameworks got wrong, with the issue that tells of it. */
describe('shared weights', function () {
  this.timeout(60_000);
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-peers-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('are in a checkpoint once, and still shared when the run goes on (pytorch#188346, DeepSpeed#3824, DeepSpeed#988, safetensors#98)', async () => {
    const whole = await runLocal(program(), { workers: 0 }).result;
    assert.deepEqual(
      Object.keys(whole.values).filter((name) => name.endsWith('kernel')),
      ['tower/kernel', 'encoder/kernel', 'output/kernel'],
    );
    const options = { workers: 0, checkpointDir: directory } as const;
    const half = await runLocal(program(), { ...options, steps: 3 }).result;
    const bytes = await readFile(join(half.modelPath!, 'weights.safetensors'), 'latin1');
    assert.ok(bytes.includes('"encoder/kernel"') && !bytes.includes('"decoder/kernel"'));
    const resumed = await runLocal(program(), { ...options, resume: 'latest', epochs: 2 }).result;
    assert.equal(resumed.digest, whole.digest);
  });

  it('have the state of the optimizer once, under one name (caffe#1211, pytorch#129252)', async () => {
    const options = { workers: 0, checkpointDir: directory } as const;
    const { modelPath, parameters } = await runLocal(program(TWO_GROUPS), options).result;
    const { slots, parameters: stored } = await readCheckpoint(modelPath!);
    assert.deepEqual(
      slots.map(({ values }) => values.length),
      [parameters.length],
    );
    assert.deepEqual(
      stored.map(({ name }) => name).filter((name) => name.endsWith('kernel')),
      ['tower/kernel', 'encoder/kernel', 'output/kernel'],
    );
  });

  it('have one gradient, of all uses and all examples, when it is told (pytorch#46166, opacus#413, accelerate#4171)', async () => {
    const { training } = data();
    const weights = await valuesOf(TWO_GROUPS);
    const batchOf = (indices: readonly number[]) => training.read(Uint32Array.from(indices));
    const random = createRandom('once');
    const at = { epoch: 0, step: 0, shard: 0, random };
    for (const graph of [true, false]) {
      const computation = await program(TWO_GROUPS, { graph }).open();
      const told = new Map<string, Float32Array>();
      const microBatch = { ...at, batch: await batchOf([0, 1, 2, 3, 4]) };
      let early = 0;
      const { gradient } = await computation.gradient(weights, microBatch, (name, values, last) => {
        assert.ok(!told.has(name), `${name} was told twice`);
        const copy = new Float32Array(values.length);
        if (values instanceof Float32Array) copy.set(values);
        else values.copyTo(copy, 0);
        told.set(name, copy);
        if (!last) early++;
      });
      // A graph tells nothing early; without one there is something to hold.
      assert.equal(early > 0, !graph);
      const sums = new Map<string, Float64Array>();
      for (const example of [0, 1, 2, 3, 4]) {
        const alone = { ...at, batch: await batchOf([example]) };
        const { gradient: one } = await computation.gradient(weights, alone);
        for (const [name, values] of Object.entries(one))
          sums.set(
            name,
            Float64Array.from(values, (value, i) => value + (sums.get(name)?.[i] ?? 0)),
          );
      }
      assert.deepEqual(
        [...sums.keys()],
        [...computation.parameters].map(({ name }) => name),
      );
      for (const [name, sum] of sums) {
        const whole = told.get(name) ?? gradient[name]!;
        assert.equal(whole.length, weights[name]!.length, name);
        // Along the gradient itself, so that the difference of losses is well above what is rounded off.
        const norm = Math.hypot(...sum);
        const moved = async (by: number) => {
          const other = weights[name]!.map((value, i) => value + (by * sum[i]!) / norm);
          const { lossSum } = await computation.evaluate(
            { ...weights, [name]: other },
            microBatch.batch,
          );
          return lossSum;
        };
        const slope = ((await moved(0.01)) - (await moved(-0.01))) / 0.02;
        assert.ok(Math.abs(slope - norm) < 2e-3 * norm + 1e-4, `${name}: ${slope}, not ${norm}`);
        for (const [i, value] of whole.entries())
          assert.ok(Math.abs(value - sum[i]!) < 1e-5 * norm, `${name}[${i}]`);
      }
      await computation.close?.();
    }
  });

  it('are as many and the same in each copy of the program (pytorch#79788)', async () => {
    const { digest } = await runLocal(program(), { workers: 0 }).result;
    // Each worker opens a copy of its own.
    const { digest: copied, values } = await runLocal(program(), { workers: 2 }).result;
    assert.equal(copied, digest);
    const [one, two] = [await program().open(), await program().open()];
    await one!.close?.();
    const weights = trainedWeights(program(), values);
    const of = (name: string) => weights.find((weight) => weight.name === name)!.values;
    const turned = of('encoder/kernel').map(
      (_, i) => of('encoder/kernel')[(i % 6) * 4 + Math.floor(i / 6)]!,
    );
    assert.deepEqual(of('decoder/kernel'), turned);
    assert.deepEqual(two!.parameters, one!.parameters);
    await two!.close?.();
  });

  it('are not taken from a checkpoint of other ties (transformers#42612)', async () => {
    const other = [
      tie('encoder/kernel', 'decoder/kernel', { permute: [1, 0] }),
      hashed('tower/kernel', { stored: 36 }),
    ];
    const options = { workers: 0, checkpointDir: directory } as const;
    await runLocal(program(), { ...options, steps: 3 }).result;
    await assert.rejects(runLocal(program(other), { ...options, resume: 'latest' }).result, {
      code: 'BAD_CHECKPOINT',
    });
  });

  it('begin with what comes closest to the weights of an unshared run', async () => {
    const { values } = await runLocal(program([]), { workers: 0, checkpointDir: directory }).result;
    const from = await pretrained(directory);
    assert.deepEqual(from['tower/kernel'], values['tower/kernel']);
    const rule = lowRank('tower/kernel', { rank: 6, from });
    const computation = await program([rule]).open();
    const stored = await computation.initialize(9);
    await computation.close?.();
    const [left, right] = [stored['tower/kernel/left']!, stored['tower/kernel/right']!];
    // At full rank: the weights themselves.
    for (const [i, value] of values['tower/kernel']!.entries()) {
      const [r, c] = [Math.floor(i / 6), i % 6];
      const product = Array.from({ length: 6 }, (_, k) => left[r * 6 + k]! * right[k * 6 + c]!);
      const sum = product.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - value) < 1e-5, `${i}: ${sum}, not ${value}`);
    }
  });

  it('are exported in full, load again, and predict the same (tfjs#1538, tfjs#1721, keras#18419, transformers#33807)', async () => {
    const trained = await runLocal(program(), { workers: 0 }).result;
    const path = await exportLayersModel(program(), trained.values, join(directory, 'export'));
    const loaded = await tf.loadLayersModel(`file://${path}`);
    const kernelOf = (layer: string) => loaded.getLayer(layer).getWeights()[0]!;
    assert.deepEqual(kernelOf('decoder').dataSync(), kernelOf('encoder').transpose().dataSync());
    assert.equal(loaded.getWeights().length, 8);

    const { training } = data();
    const batch = await training.read(Uint32Array.from({ length: 24 }, (_, i) => i));
    const computation = await program().open();
    const { lossSum } = await computation.evaluate(trained.values, batch);
    await computation.close?.();
    const tensor = (name: string) => tf.tensor(batch[name]!.data, [...batch[name]!.shape]);
    const predicted = loaded.predict([tensor('left'), tensor('right')]) as tf.Tensor;
    const squares = predicted.sub(tensor('y')).square().mean(1).sum().dataSync()[0]!;
    assert.ok(Math.abs(squares - lossSum) < 1e-5, `${squares} and ${lossSum}`);
  });

  it('leave no tensors behind, neither at a step nor at the end (tfjs#8471)', async () => {
    const { training } = data();
    const batch = await training.read(Uint32Array.from({ length: 8 }, (_, i) => i));
    const before = tf.memory().numTensors;
    const rules = [...TRANSPOSED, hashed('tower/kernel', { ratio: 1 / 4 })];
    const computation = await program(rules).open();
    const weights = await computation.initialize(1);
    const once = async () => {
      const random = createRandom('once');
      await computation.gradient(weights, { batch, epoch: 0, step: 0, shard: 0, random });
      return tf.memory().numTensors;
    };
    const first = await once();
    for (let step = 0; step < 5; step++) assert.equal(await once(), first);
    await computation.close?.();
    assert.equal(tf.memory().numTensors, before);
  });
});
