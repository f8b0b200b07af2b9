import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportLayersModel } from '../export/export-layers-model.js';
import type { FunctionModel } from '../model/function-model.js';
import { assertFiniteDifferences, classified, gradient, open, training } from '../testing.js';
import { tf } from '../tf.js';
import type { TrainingOptions } from '../training/training-options.js';
import type { LayerVariable } from './layers-internals.js';

const batch = classified(6, [5], 3);
const loss = 'sparseCategoricalCrossentropy';
const first = (inputs: tf.Tensor | tf.Tensor[]) => (Array.isArray(inputs) ? inputs[0]! : inputs);

/** Two layers of tfjs in one of the program's own, which tfjs does not know of. */
class Block extends tf.layers.Layer {
  static className = 'Block';
  readonly one = tf.layers.dense({ units: 4, activation: 'tanh' });
  readonly two = tf.layers.dense({ units: 5 });
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.two.apply(this.one.apply(first(inputs))) as tf.Tensor;
  }
}

class BuiltBlock extends Block {
  static override className = 'BuiltBlock';
  override build(): void {
    this.one.build([null, 5]);
    this.two.build([null, 4]);
    this.built = true;
  }
}

/** Counts what it saw, beside its weights. */
class Counting extends tf.layers.Layer {
  static className = 'Counting';
  readonly seen = tf.variable(tf.scalar(0), false);
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    this.seen.assign(this.seen.add(1));
    return first(inputs);
  }
}

/** Reads its weight past `read`, so it would always see the first values. */
class Past extends tf.layers.Layer {
  static className = 'Past';
  override build(): void {
    this.addWeight('scale', [5], 'float32', tf.initializers.ones());
    this.built = true;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return first(inputs).mul((this.weights[0] as unknown as LayerVariable).val);
  }
}

/** The same as `Block`, with weights of its own, and a count that is one of them. */
class Declared extends tf.layers.Layer {
  static className = 'Declared';
  private own: LayerVariable[] = [];
  override build(): void {
    const weight = (
      name: string,
      shape: number[],
      initializer = tf.initializers.glorotNormal({}),
    ) => this.addWeight(name, shape, 'float32', initializer) as unknown as LayerVariable;
    const seen = this.addWeight('seen', [1], 'float32', tf.initializers.zeros(), undefined, false);
    this.own = [
      weight('one/kernel', [5, 4]),
      weight('two/kernel', [4, 5]),
      seen as unknown as LayerVariable,
    ];
    this.built = true;
  }
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    const [one, two, seen] = this.own.map((weight) => weight.read());
    if (kwargs.training) this.own[2]!.write(seen!.add(1));
    return first(inputs)
      .matMul(one as tf.Tensor2D)
      .tanh()
      .matMul(two as tf.Tensor2D);
  }
}

const withLayer = (make: () => tf.layers.Layer) => () =>
  tf.sequential({
    layers: [
      tf.layers.activation({ activation: 'linear', inputShape: [5] }),
      make(),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
const plain = withLayer(() => tf.layers.reLU());

describe('state beside the stored parameters', () => {
  type Options = Partial<TrainingOptions> & Pick<TrainingOptions, 'model' | 'loss'>;
  const outside = () => tf.variable(tf.scalar(2));
  const cases: Record<string, () => [Options, message: RegExp, remedy: RegExp]> = {
    'layers within an own layer': () => [
      { model: withLayer(() => new BuiltBlock({})), loss },
      /^The model reads the variable ".*kernel.*" \[5, 4\], which is no stored parameter/,
      /in `model` itself.*addWeight/,
    ],
    'layers within an own layer, built when they are used': () => [
      { model: withLayer(() => new Block({})), loss },
      /^The model makes the variable ".*dense.*kernel.*" \[5, 4\]/,
      /addWeight/,
    ],
    'a variable of an own layer that changes': () => [
      { model: withLayer(() => new Counting({})), loss },
      /^The model reads the variable ".*" \[\]/,
      /addWeight/,
    ],
    'a weight that is read past read()': () => [
      { model: withLayer(() => new Past({})), loss },
      /^The model reads the variable ".*scale.*" \[5\]/,
      /with read\(\)/,
    ],
    'a variable in a loss': () => {
      const temperature = outside();
      return [
        { model: plain, loss: (_yTrue, yPred) => yPred.sum(1).div(temperature) },
        /^The loss function reads the variable ".*" \[\]/,
        /belongs to the model.*tf\.variable\(value, false\)/,
      ];
    },
    'a variable in a loss that has a graph': () => {
      const temperature = outside();
      return [
        { model: plain, graph: true, loss: (_yTrue, yPred) => yPred.sum(1).div(temperature) },
        /^The loss function reads/,
        /belongs to the model/,
      ];
    },
    'a variable whose values are read out in a metric': () => {
      const factor = outside();
      function scaled(_yTrue: tf.Tensor, yPred: tf.Tensor) {
        return yPred.sum(1).mul(factor.dataSync()[0]!);
      }
      return [
        { model: plain, loss, metrics: [scaled] },
        /^Metric "scaled" reads the variable/,
        /belongs to the model/,
      ];
    },
    'a constant that a metric changes': () => {
      const best = tf.variable(tf.scalar(0), false);
      function record(_yTrue: tf.Tensor, yPred: tf.Tensor) {
        best.assign(yPred.max());
        return yPred.max(1);
      }
      return [
        { model: plain, loss, metrics: [record] },
        /^Metric "record" changes the variable/,
        /belongs to the model/,
      ];
    },
    'a variable that augment makes': () => [
      {
        model: plain,
        loss,
        augment: ({ x, y }) => ({ x: x!.mul(tf.variable(tf.scalar(1))), y: y! }),
      },
      /^`augment` makes the variable "" \[\]/,
      /A constant is a tensor/,
    ],
    'a variable in a model that is a function': () => {
      const bias = tf.variable(tf.zeros([3]));
      const model: FunctionModel<'kernel'> = {
        parameters: { kernel: [5, 3] },
        initialize: () => ({ kernel: tf.zeros([5, 3]) }),
        apply: ({ kernel }, { x }) => x!.matMul(kernel).add(bias),
      };
      return [
        {
          model,
          loss: { name: loss, fromLogits: true },
        },
        /^`model.apply` reads the variable ".*" \[3\]/,
        /to the parameters of a model that is a function/,
      ];
    },
  };

  for (const [what, make] of Object.entries(cases))
    it(`is refused: ${what}`, async () => {
      const [options, message, remedy] = make();
      const computation = await open(options);
      const weights = await computation.initialize(1);
      const expected = { code: 'PROGRAM_FAILED', message, remedy };
      await assert.rejects(gradient(computation, weights, batch), expected);
      // What is half built says something else the second time; augment is for training.
      if (!message.source.includes('makes'))
        await assert.rejects(async () => computation.evaluate(weights, batch), expected);
      await computation.close?.();
    });

  it('may be a constant, which is left as it was', async () => {
    const base = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [3], units: 2, kernelInitializer: 'ones' })],
    });
    base.trainable = false;
    const scale = tf.variable(tf.scalar(2), false);
    const computation = await open({
      model: plain,
      loss: (_yTrue, yPred) => (base.apply(yPred) as tf.Tensor).sum(1).mul(scale),
    });
    // The probabilities of an example add up to 1: twice that, for two units.
    const weights = await computation.initialize(1);
    const { lossSum } = await computation.evaluate(weights, batch);
    assert.ok(Math.abs(lossSum - 6 * 4) < 1e-4, String(lossSum));
    scale.assign(tf.scalar(3));
    assert.equal(scale.dataSync()[0], 3);
    assert.ok(Math.abs((await computation.evaluate(weights, batch)).lossSum - 6 * 6) < 1e-4);
  });

  it('is none where the weights are declared: they are trained, stored, exported, loaded', async () => {
    tf.serialization.registerClass(Declared as never);
    const program = training({ model: withLayer(() => new Declared({})), loss });
    const computation = await program.open();
    assert.deepEqual(
      computation.parameters.slice(0, 3).map(({ name, update }) => [name, update]),
      [
        ['declared_1/one/kernel', 'gradient'],
        ['declared_1/two/kernel', 'gradient'],
        ['declared_1/seen', 'average'],
      ],
    );
    const weights = await computation.initialize(1);
    await assertFiniteDifferences(computation, weights, batch);
    const { gradient: sums, count } = await gradient(computation, weights, batch);
    assert.equal(sums['declared_1/seen']![0], count);
    const directory = await mkdtemp(join(tmpdir(), 'tutti-state-'));
    try {
      const path = await exportLayersModel(program, weights, directory);
      const loaded = await tf.loadLayersModel(`file://${path}`);
      const predicted = loaded.predict(tf.tensor(batch.x!.data, [6, 5])) as tf.Tensor;
      const labels = tf.oneHot(tf.tensor1d(batch.y!.data, 'int32'), 3);
      const expected = tf.metrics.categoricalCrossentropy(labels, predicted).sum().dataSync()[0]!;
      const { lossSum } = await computation.evaluate(weights, batch);
      assert.ok(Math.abs(lossSum - expected) < 1e-4, `${lossSum} and ${expected}`);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
