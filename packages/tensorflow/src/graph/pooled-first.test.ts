import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import { createAcceleration } from '../accelerate/index.js';
import { tf } from '../tf.js';
import { tidied } from '../tfjs/tidied.js';
import { pooledFirst } from './pooled-first.js';
import { type Recording, record } from './recording.js';
import { type GraphBackend, openSession } from './session.js';
import { simplified } from './simplified.js';

const backend = () => tf.backend() as unknown as GraphBackend;

describe('pooledFirst', () => {
  const random = createRandom('pooled-first');
  const drawn = (shape: number[]): tf.Tensor =>
    tf.tensor(
      Float32Array.from(
        { length: shape.reduce((a, b) => a * b) },
        () => Math.round(8 * (random.next() - 0.5)) / 4,
      ),
      shape,
    );
  let x: tf.Tensor4D;
  let bias: tf.Tensor;
  before(() => {
    x = drawn([2, 6, 8, 3]) as tf.Tensor4D;
    bias = drawn([3]);
  });
  after(() => tf.dispose([x, bias]));

  type Values = (x: tf.Tensor4D, bias: tf.Tensor) => tf.Tensor;
  /** The values, and the gradients of their product with numbers that differ. */
  function recorded(values: Values): Recording {
    const acceleration = createAcceleration(tf);
    return tidied(() =>
      acceleration.run(() =>
        acceleration.recording(() =>
          record(backend(), [x, bias], () => {
            let y: tf.Tensor | undefined;
            const { grads } = tf.engine().gradients(
              () => {
                y = tf.keep(values(x, bias));
                const weights = tf.range(0, y.size).reshape(y.shape).sin();
                return y.mul(weights).sum() as tf.Scalar;
              },
              [x, bias],
              undefined,
              true,
            );
            return [y!, ...grads.filter(Boolean)];
          }),
        ),
      ),
    );
  }
  function run(recording: Recording): Float32Array[] {
    const session = openSession(backend(), recording, []);
    const given = [x, bias, ...(recording.captured as unknown as tf.Tensor[])];
    const outputs = tidied(() =>
      session.run(given).map((tensor) => tensor.dataSync().slice() as Float32Array),
    );
    session.close();
    return outputs;
  }
  /** Where each operation of a name has its input from. */
  const sources = ({ nodes }: Recording, name: string) =>
    nodes.flatMap((node) => {
      if (node.kind !== 'operation' || node.name !== name) return [];
      const from = nodes[node.inputs[0]!.node]!;
      return from.kind === 'operation' ? from.name : from.kind;
    });

  const convolved = (input: tf.Tensor4D, kernel = tf.ones([1, 1, 3, 3]) as tf.Tensor4D) =>
    tf.conv2d(input, kernel, 1, 'valid');
  const biasedAndPooled: Values = (input, b) =>
    tf.maxPool(tf.relu(tf.add(convolved(input), b)) as tf.Tensor4D, 2, 2, 'valid');

  const moved: [string, string[], Values][] = [
    ['a bias', ['Conv2D'], biasedAndPooled],
    ['no bias', ['Mul'], (input) => tf.maxPool(tf.relu(input.mul(0.5)), 2, 2, 'valid')],
    [
      'windows that overlap, and padding',
      ['Conv2D'],
      (input, b) => tf.maxPool(tf.relu(tf.add(convolved(input), b)) as tf.Tensor4D, 3, 2, 'same'),
    ],
    [
      'one pooling after the other',
      ['Conv2D', 'Conv2D'],
      (input, b) => biasedAndPooled(biasedAndPooled(input, b) as tf.Tensor4D, b),
    ],
    [
      'one pooling right after the other',
      ['Conv2D', 'Relu'],
      (input, b) => tf.maxPool(tf.relu(biasedAndPooled(input, b) as tf.Tensor4D), 2, 1, 'valid'),
    ],
  ];
  for (const [what, from, values] of moved)
    it(`gives the same with ${what}`, () => {
      const recording = simplified(recorded(values));
      const changed = pooledFirst(recording);
      assert.deepEqual(sources(changed, 'MaxPool'), from);
      const [[y, ...gradients], [expectedY, ...expected]] = [run(changed), run(recording)];
      assert.deepEqual(y, expectedY);
      assert.equal(gradients.length, expected.length);
      for (const [at, gradient] of gradients.entries())
        for (const [i, value] of gradient.entries())
          assert.ok(Math.abs(value - expected[at]![i]!) <= 1e-5, `${at}[${i}]`);
    });

  it('adds up what comes before the pooling, not after it, for the bias', () => {
    const recording = simplified(recorded(biasedAndPooled));
    assert.deepEqual(sources(recording, 'BiasAddGrad'), ['ReluGrad']);
    assert.deepEqual(sources(pooledFirst(recording), 'BiasAddGrad'), ['ReluGrad']);
    const sizeOf = ({ nodes }: Recording) =>
      nodes.flatMap((node) =>
        node.kind === 'operation' && node.name === 'ReluGrad' ? [node.types[0]!.shape] : [],
      );
    assert.deepEqual(sizeOf(recording), [[2, 6, 8, 3]]);
    assert.deepEqual(sizeOf(pooledFirst(recording)), [[2, 3, 4, 3]]);
  });

  const left: [string, Values][] = [
    ['there is no ReLU', (input, b) => tf.maxPool(tf.add(input, b) as tf.Tensor4D, 2, 2, 'valid')],
    [
      'somebody else reads what the ReLU gives',
      (input, b) => {
        const rectified = tf.relu(tf.add(convolved(input), b)) as tf.Tensor4D;
        return tf.maxPool(rectified, 2, 2, 'valid').mul(rectified.mean());
      },
    ],
    [
      'it gives its own gradient to two',
      (input) => {
        const rectified = tf.relu(input);
        return tf.concat([
          tf.maxPool(rectified, 2, 2, 'valid'),
          tf.maxPool(rectified, 2, 2, 'valid').mul(2),
        ]);
      },
    ],
  ];
  for (const [what, values] of left)
    it(`changes nothing where ${what}`, () => {
      const recording = simplified(recorded(values));
      assert.deepEqual(pooledFirst(recording), recording);
    });

  it('pools before a bias that others read, but after them', () => {
    const recording = simplified(
      recorded((input, b) => {
        const biased = tf.add(convolved(input), b) as tf.Tensor4D;
        return tf.maxPool(tf.relu(biased), 2, 2, 'valid').mul(biased.mean());
      }),
    );
    const changed = pooledFirst(recording);
    assert.deepEqual(sources(changed, 'MaxPool'), ['BiasAdd']);
    assert.deepEqual(run(changed)[0], run(recording)[0]);
  });

  it('leaves values alone that come without a gradient', () => {
    const recording = tidied(() =>
      record(backend(), [x], () => [tf.maxPool(tf.relu(x), 2, 2, 'valid')]),
    );
    assert.deepEqual(pooledFirst(recording), recording);
  });
});
