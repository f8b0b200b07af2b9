import { arrays, slice, take } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import { defineProgram, type Program } from '@tutti/worker';

/**
 * Linear regression in plain TypeScript, with as many parameters as wanted: small enough to train
 * hundreds of times in a test. Its sums have many roundings, so that any other order shows.
 */
export function regression(
  options: {
    readonly features?: number;
    readonly examples?: number;
    readonly seed?: number;
    /** How many examples it is evaluated on; it is not trained on them. */
    readonly evaluated?: number;
  } & Partial<
    Pick<
      Program,
      | 'batchSize'
      | 'epochs'
      | 'shards'
      | 'optimizer'
      | 'earlyStopping'
      | 'reduceOnPlateau'
      | 'gradientCompression'
    >
  > = {},
): Program {
  const { features = 7, examples = 103, seed = 1, evaluated, ...settings } = options;
  const random = createRandom('regression data');
  const x = Float32Array.from({ length: examples * features }, () => random.next() - 0.5);
  const y = Float32Array.from(
    { length: examples },
    (_, i) => 3 * x[i * features]! - x[i * features + 1]! + 0.1 * random.next(),
  );
  const dataset = () =>
    arrays({ x: { data: x, shape: [examples, features] }, y: { data: y, shape: [examples] } });

  /** Errors of the prediction, and the sum of their squares. */
  function residuals(w: Float32Array, b: Float32Array, X: ArrayLike<number>, Y: ArrayLike<number>) {
    const errors = new Float64Array(Y.length);
    let lossSum = 0;
    for (let i = 0; i < Y.length; i++) {
      let sum = b[0]!;
      for (let j = 0; j < features; j++) sum += w[j]! * X[i * features + j]!;
      errors[i] = sum - Y[i]!;
      lossSum += errors[i]! ** 2;
    }
    return { errors, lossSum };
  }

  return defineProgram({
    name: 'regression',
    batchSize: 16,
    epochs: 2,
    shards: 8,
    optimizer: { name: 'adam', learningRate: 0.05 },
    ...settings,
    seed,
    data: () => ({
      training: evaluated === undefined ? dataset() : take(dataset(), examples - evaluated),
      evaluation: evaluated === undefined ? dataset() : slice(dataset(), examples - evaluated),
    }),
    parameters: [
      { name: 'w', shape: [features] },
      { name: 'b', shape: [1], decay: false },
    ],
    initialize(of) {
      const draw = createRandom('regression', of);
      const w = Float32Array.from({ length: features }, () => draw.next() - 0.5);
      return { w, b: new Float32Array(1) };
    },
    gradient({ w, b }, { batch }) {
      const [X, Y] = [batch.x!.data, batch.y!.data];
      const { errors, lossSum } = residuals(w!, b!, X, Y);
      const gradient = { w: new Float32Array(features), b: new Float32Array(1) };
      for (let i = 0; i < Y.length; i++) {
        for (let j = 0; j < features; j++)
          gradient.w[j] = gradient.w[j]! + 2 * errors[i]! * X[i * features + j]!;
        gradient.b[0] = gradient.b[0]! + 2 * errors[i]!;
      }
      return { gradient, lossSum, count: Y.length };
    },
    evaluate({ w, b }, batch) {
      const [X, Y] = [batch.x!.data, batch.y!.data];
      return { lossSum: residuals(w!, b!, X, Y).lossSum, count: Y.length };
    },
  });
}
