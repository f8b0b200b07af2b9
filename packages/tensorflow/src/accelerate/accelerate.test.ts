import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import fc from 'fast-check';
import { tf } from '../tf.js';
import { createAcceleration } from './index.js';
import { plainSoftmaxCrossEntropy } from './softmax-cross-entropy.js';

type Maths = (...inputs: tf.Tensor[]) => tf.Tensor;

function normal(shape: number[], ...key: (string | number)[]): tf.Tensor {
  const random = createRandom('normal', ...key, ...shape);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((n, each) => n * each, 1) }, () =>
      Math.round(random.next() * 40 - 20),
    ),
    shape,
  );
}

/** Value and gradients of `maths`, weighted with random factors. */
function differentiate(maths: Maths, shapes: number[][]): number[][] {
  return tf.tidy(() => {
    const inputs = shapes.map((shape, at) => normal(shape, at));
    const weighted = (...args: tf.Tensor[]) => {
      const value = maths(...args);
      return value.mul(normal(value.shape, 'factors'));
    };
    const { value, grads } = tf.valueAndGrads(weighted)(inputs);
    // In one array of numbers each: tidy walks through what it returns.
    return [value, ...grads].map((each) => [...each.dataSync()]);
  });
}

function assertSame(maths: Maths, shapes: number[][]): void {
  const expected = differentiate(maths, shapes);
  const actual = createAcceleration(tf).run(() => differentiate(maths, shapes));
  expected.forEach((values, at) => {
    const scale = values.reduce((most, each) => Math.max(most, Math.abs(each)), 1e-9);
    assert.equal(actual[at]!.length, values.length);
    values.forEach((value, i) => {
      const difference = Math.abs(actual[at]![i]! - value);
      assert.ok(difference <= 1e-5 * scale, `${at}[${i}]: ${actual[at]![i]}, expected ${value}`);
    });
  });
}

const extent = fc.integer({ min: 1, max: 5 });

describe('accelerated operations give the values and gradients of tfjs:', () => {
  it('relu', () => {
    fc.assert(
      fc.property(fc.array(extent, { minLength: 1, maxLength: 4 }), (shape) =>
        assertSame((x) => tf.relu(x), [shape]),
      ),
      { numRuns: 20 },
    );
  });

  it('sigmoid and tanh, also where they hardly rise', () => {
    fc.assert(
      fc.property(
        fc.array(extent, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(tf.sigmoid, tf.tanh),
        fc.constantFrom(1, 0.1),
        (shape, maths, steepness) => assertSame((x) => maths(x!.mul(steepness)), [shape]),
      ),
      { numRuns: 20 },
    );
  });

  it('add, broadcast in any way', () => {
    const shapes = fc
      .array(extent, { minLength: 1, maxLength: 4 })
      .chain((shape) =>
        fc.constantFrom(
          [shape, shape] as number[][],
          [shape, shape.slice(-1)],
          [shape.slice(-1), shape],
          [shape, [1]],
          [shape, [...shape.slice(0, -1), 1]],
        ),
      );
    fc.assert(
      fc.property(shapes, (pair) => assertSame((a, b) => tf.add(a, b), pair)),
      { numRuns: 40 },
    );
  });

  it('maxPool, also where windows overlap, reach over the edge or hold nothing positive', () => {
    const options = fc.tuple(
      fc.integer({ min: 4, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('same' as const, 'valid' as const),
      fc.integer({ min: 0, max: 20 }),
    );
    fc.assert(
      fc.property(options, ([size, window, stride, padding, shift]) => {
        // Distinct values: where two are largest, either may get the gradient.
        const distinct = (x: tf.Tensor) =>
          x
            .mul(1e-3)
            .add(tf.range(0, x.size).mul(0.37).sin().reshape(x.shape))
            .sub(shift / 10);
        assertSame(
          (x) => tf.maxPool(distinct(x) as tf.Tensor4D, window, stride, padding),
          [[2, size, size, 3]],
        );
      }),
      { numRuns: 30 },
    );
  });

  it('1 x 1 convolutions with strides, which oneDNN does not compute safely', () => {
    type Attributes = { name: string; value: unknown }[];
    const backend = tf.backend() as unknown as {
      executeSingleOutput(name: string, attributes: Attributes, ...rest: unknown[]): unknown;
    };
    const original = backend.executeSingleOutput;
    const strides: unknown[] = [];
    backend.executeSingleOutput = function (name, attributes, ...rest) {
      if (name === 'Conv2DBackpropFilter')
        strides.push(attributes.find((each) => each.name === 'strides')?.value);
      return original.call(this, name, attributes, ...rest);
    };
    const differentiated = (channels: number, maths: Maths) =>
      differentiate(maths, [
        [2, 6, 7, channels],
        [1, 1, channels, 5],
      ]);
    const { run } = createAcceleration(tf);
    try {
      for (const channels of [1, 3, 15])
        for (const padding of ['same', 'valid'] as const) {
          const actual = run(() =>
            differentiated(channels, (x, kernel) =>
              tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, [3, 2], padding),
            ),
          );
          const expected = differentiated(channels, (x, kernel) =>
            tf.conv2d(
              x!.gather([0, 3], 1).gather([0, 2, 4, 6], 2) as tf.Tensor4D,
              kernel as tf.Tensor4D,
              1,
              padding,
            ),
          );
          assert.deepEqual(actual, expected);
        }
      assert.ok(strides.length > 0);
      for (const each of strides) assert.deepEqual(each, [1, 1, 1, 1]);
    } finally {
      // It is on the prototype.
      delete (backend as Partial<typeof backend>).executeSingleOutput;
    }
  });

  it('softmax cross-entropy', () => {
    const labels = tf.softmax(normal([6, 4], 'labels').mul(0.1)) as tf.Tensor2D;
    const { softmaxCrossEntropy } = createAcceleration(tf);
    const of = (loss: typeof softmaxCrossEntropy) =>
      differentiate((logits) => loss(labels, logits as tf.Tensor2D), [[6, 4]]);
    const expected = of(plainSoftmaxCrossEntropy(tf));
    of(softmaxCrossEntropy).forEach((values, at) => {
      values.forEach((value, i) => {
        assert.ok(Math.abs(value - expected[at]![i]!) < 1e-4, `${value}, ${expected[at]![i]}`);
      });
    });
  });

  it('largest and smallest values, none of them equal', () => {
    // Six whole numbers, of which no two are equal.
    const apart = (x: tf.Tensor) => x.mul(6).add(tf.range(0, x.size).reshape(x.shape));
    for (const axes of [undefined, 0, 1, -1, [0, 2]])
      for (const keep of [false, true])
        for (const reduce of [tf.max, tf.min])
          assertSame((x) => reduce(apart(x!), axes, keep), [[2, 3, 1]]);
  });

  it('gradients of gradients', () => {
    assertSame(
      (x, w, b) => {
        const energy = (x: tf.Tensor) => tf.relu(x.matMul(w!).add(b!)).square().sum();
        return tf.grad(energy)(x!).square().sum(1);
      },
      [[3, 4], [4, 5], [5]],
    );
    for (const maths of [tf.sigmoid, tf.tanh]) {
      const slope = tf.grad((x: tf.Tensor) => maths(x.mul(0.1)).square().sum());
      assertSame((x) => slope(x!), [[3, 4]]);
    }
  });
});

describe('accelerated operations give the gradients of TensorFlow where tfjs has others:', () => {
  const { run } = createAcceleration(tf);
  const gradient = (of: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor) => [
    ...run(() => tf.grad(of)(x)).dataSync(),
  ];

  it('equal largest values share one gradient', () => {
    const x = tf.tensor2d([
      [2, 5, 5, 1],
      [3, 3, 3, 3],
    ]);
    const factors = tf.tensor1d([8, 4]);
    const shares = [0, 4, 4, 0, 1, 1, 1, 1];
    assert.deepEqual(
      gradient((each) => each.max(1).mul(factors), x),
      shares,
    );
    assert.deepEqual(
      gradient((each) => each.min(1).mul(factors), x.neg()),
      shares,
    );
    const pooled = (each: tf.Tensor) =>
      tf.layers.globalMaxPooling1d().apply(each.expandDims(-1)) as tf.Tensor;
    assert.deepEqual(gradient(pooled, x), [0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25]);
  });

  it('an error of 0 has no gradient', () => {
    assert.deepEqual(
      gradient((each) => each.abs(), tf.tensor1d([-2, 0, 3])),
      [-1, 0, 1],
    );
  });

  it('a logit of 0 has that of its sigmoid', () => {
    const labels = tf.tensor2d([[0], [0.25], [1], [1]]);
    const logits = tf.tensor2d([[0], [0], [0], [3]]);
    const { NONE } = tf.Reduction;
    const slopes = (of: (logits: tf.Tensor) => tf.Tensor, at: tf.Tensor) =>
      gradient(of, at).map((slope) => Number(slope.toFixed(5)));
    assert.deepEqual(
      slopes((x) => tf.losses.sigmoidCrossEntropy(labels, x, undefined, 0, NONE), logits),
      [0.5, 0.25, -0.5, -0.04743],
    );
    assert.deepEqual(
      slopes((x) => tf.losses.sigmoidCrossEntropy(labels, x, 2, 0.5, NONE), logits),
      [0.5, 0.25, -0.5, 0.40515],
    );
    // By the probability, 1 / (p - p²) times that.
    assert.deepEqual(
      slopes((p) => tf.metrics.binaryCrossentropy(labels, p), tf.fill([4, 1], 0.5)),
      [2, 1, -2, -2],
    );
  });
});

describe('acceleration', () => {
  const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid');

  it('uses native operations inside of run only', () => {
    const acceleration = createAcceleration(tf);
    const backend = tf.backend() as unknown as {
      executeMultipleOutputs: (name: string, ...rest: unknown[]) => unknown;
    };
    const original = backend.executeMultipleOutputs;
    const called: string[] = [];
    backend.executeMultipleOutputs = function (name, ...rest) {
      called.push(name);
      return original.call(this, name, ...rest);
    };
    try {
      differentiate(pool, [[1, 4, 4, 1]]);
      assert.deepEqual(called, []);
      acceleration.run(() => differentiate(pool, [[1, 4, 4, 1]]));
      assert.deepEqual(called, ['_MklNativeMaxPool']);
    } finally {
      // It is on the prototype.
      delete (backend as Partial<typeof backend>).executeMultipleOutputs;
    }
  });

  it('of one copy of the package is what it was after another copy has come into the process', async () => {
    const calledBy = (task: () => void) => {
      const backend = tf.backend() as unknown as {
        executeSingleOutput: (name: string, ...rest: unknown[]) => unknown;
      };
      const original = backend.executeSingleOutput;
      const called: string[] = [];
      backend.executeSingleOutput = function (name, ...rest) {
        called.push(name);
        return original.call(this, name, ...rest);
      };
      try {
        task();
      } finally {
        // It is on the prototype.
        delete (backend as Partial<typeof backend>).executeSingleOutput;
      }
      return called;
    };
    const rectified: Maths = (x, b) => tf.relu(x.add(b!)).sigmoid().gather([1, 0]);
    const task = () => differentiate(rectified, [[2, 3], [3]]);
    const { run } = createAcceleration(tf);
    const before = calledBy(() => run(task));
    for (const name of ['ReluGrad', 'SigmoidGrad']) assert.ok(before.includes(name), name);
    const other = (await import(`./index.js?${'copy'}`)) as typeof import('./index.js');
    assert.notEqual(other.createAcceleration, createAcceleration);
    const copy = other.createAcceleration(tf);
    assert.deepEqual(
      calledBy(() => run(task)),
      before,
    );
    assert.deepEqual(
      calledBy(() => copy.run(task)),
      before,
    );
  });

  it('uses the same operations after a first one that failed', async () => {
    const copy = (await import(`./index.js?${'failing'}`)) as typeof import('./index.js');
    const { run } = copy.createAcceleration(tf);
    const backend = tf.backend() as unknown as {
      executeMultipleOutputs: (name: string, ...rest: unknown[]) => unknown;
    };
    const original = backend.executeMultipleOutputs;
    const called: string[] = [];
    backend.executeMultipleOutputs = function (name, ...rest) {
      if (called.push(name) === 1) throw new Error('on purpose');
      return original.call(this, name, ...rest);
    };
    try {
      const task = () => run(() => differentiate(pool, [[1, 4, 4, 1]]));
      assert.throws(task, /on purpose/);
      task();
      assert.deepEqual(called, ['_MklNativeMaxPool', '_MklNativeMaxPool']);
    } finally {
      // It is on the prototype.
      delete (backend as Partial<typeof backend>).executeMultipleOutputs;
    }
  });

  it('keeps no tensors, also where a gradient is not asked for or something throws', () => {
    const acceleration = createAcceleration(tf);
    const unused = (x: tf.Tensor) => {
      pool(x);
      return x.sum();
    };
    const broken = () => {
      throw new Error('on purpose');
    };
    acceleration.run(() => differentiate(pool, [[1, 4, 4, 1]]));
    const before = tf.memory().numTensors;
    acceleration.run(() => differentiate(pool, [[1, 4, 4, 1]]));
    acceleration.run(() => differentiate(unused, [[1, 4, 4, 1]]));
    assert.throws(() => acceleration.run(broken), /on purpose/);
    assert.equal(tf.memory().numTensors, before);
  });
});
