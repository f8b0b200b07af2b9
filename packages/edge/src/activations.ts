import { abs, exp, expm1, max, min } from './math.js';

/** Changes the values of a layer in place; `channels` is the last extent. */
export type Activation = (values: Float32Array, channels: number) => void;

/**
 * In the order of their numbers in the file, as `ACTIVATION_NAMES` calls them. An argument
 * follows as a float32: the slope of `leakyRelu`, the lowest value of `elu` with its sign turned, the
 * highest of `clippedRelu`.
 */
export const ACTIVATIONS: readonly (readonly [
  create: (argument: number) => Activation,
  takesArgument?: true,
])[] = [
  [() => () => {}],
  [each(() => (x) => max(x, 0))],
  [each((most) => (x) => min(max(x, 0), most)), true],
  [each((slope) => (x) => (x < 0 ? slope * x : x)), true],
  [each((alpha) => (x) => (x < 0 ? alpha * expm1(x) : x)), true],
  // Klambauer et al. 2017.
  [each(() => (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * expm1(x) : x))],
  [each(() => sigmoid)],
  [each(() => (x) => min(max(0.2 * x + 0.5, 0), 1))],
  [each(() => Math.tanh)],
  [each(() => (x) => max(x, 0) + Math.log1p(exp(-abs(x))))],
  [each(() => (x) => x / (1 + abs(x)))],
  [each(() => (x) => x * sigmoid(x))],
  [() => softmax],
];

function each(withArgument: (argument: number) => (value: number) => number) {
  return (argument: number): Activation => {
    const element = withArgument(argument);
    return (values) => {
      for (let i = 0; i < values.length; i++) values[i] = element(values[i]!);
    };
  };
}

function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

function softmax(values: Float32Array, channels: number): void {
  for (let at = 0; at < values.length; at += channels) {
    const row = values.subarray(at, at + channels);
    const most = row.reduce((a, b) => max(a, b));
    const powers = Float64Array.from(row, (value) => exp(value - most));
    const sum = powers.reduce((a, b) => a + b);
    for (let i = 0; i < channels; i++) row[i] = powers[i]! / sum;
  }
}
