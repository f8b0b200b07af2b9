import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import type { ParameterValues } from '@tutti/worker';
import { assertClose, gradient, open } from '../testing.js';
import { tf } from '../tf.js';

type Cell = 'lstm' | 'gru' | 'simpleRNN';
type Vector = readonly number[];
type Matrix = readonly Vector[];

interface Spec {
  readonly cell: Cell;
  readonly units: number;
  readonly returnSequences?: boolean;
  readonly goBackwards?: boolean;
  readonly useBias?: boolean;
  readonly both?: boolean;
}

const WORDS = 7;
const WIDTH = 3;

/** In doubles and one number at a time: nothing of it comes from tfjs. */
const sum = (...vectors: readonly Vector[]) =>
  vectors.reduce((one, other) => one.map((value, at) => value + other[at]!));
const times = (vector: Vector, matrix: Matrix): number[] =>
  matrix[0]!.map((_, to) =>
    vector.reduce((dot, value, from) => dot + value * matrix[from]![to]!, 0),
  );
const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

interface CellWeights {
  readonly kernel: Matrix;
  readonly recurrent: Matrix;
  readonly bias: Vector;
}

const STEPS: Readonly<
  Record<Cell, (x: Vector, states: readonly Vector[], weights: CellWeights) => Vector[]>
> = {
  simpleRNN: (x, [h], { kernel, recurrent, bias }) => [
    sum(times(x, kernel), times(h!, recurrent), bias).map(Math.tanh),
  ],
  lstm(x, [h, c], { kernel, recurrent, bias }) {
    const { length } = h!;
    const all = sum(times(x, kernel), times(h!, recurrent), bias);
    const gate = (at: number) => all.slice(at * length, (at + 1) * length);
    const next = c!.map(
      (value, at) =>
        sigmoid(gate(1)[at]!) * value + sigmoid(gate(0)[at]!) * Math.tanh(gate(2)[at]!),
    );
    return [next.map((value, at) => sigmoid(gate(3)[at]!) * Math.tanh(value)), next];
  },
  gru(x, [h], { kernel, recurrent, bias }) {
    const { length } = h!;
    const columns = (from: number, to: number) =>
      recurrent.map((row) => row.slice(from * length, to * length));
    const given = sum(times(x, kernel), bias);
    const gates = sum(given.slice(0, 2 * length), times(h!, columns(0, 2))).map(sigmoid);
    const reset = h!.map((value, at) => value * gates[length + at]!);
    const candidate = sum(given.slice(2 * length), times(reset, columns(2, 3))).map(Math.tanh);
    return [h!.map((value, at) => gates[at]! * value + (1 - gates[at]!) * candidate[at]!)];
  },
};

/** All states, in the order in which they were made. */
function statesOf(
  { cell, units, goBackwards = false }: Spec,
  inputs: Matrix,
  counts: readonly boolean[],
  weights: CellWeights,
): Vector[] {
  let states: Vector[] = Array.from({ length: cell === 'lstm' ? 2 : 1 }, () =>
    Array(units).fill(0),
  );
  const times = [...inputs.keys()];
  return (goBackwards ? times.reverse() : times).map((time) => {
    if (counts[time]) states = STEPS[cell](inputs[time]!, states, weights);
    return states[0]!;
  });
}

/** The sum of the losses of words. */
function lossOf(specs: readonly Spec[], masked: boolean, values: readonly Vector[], batch: Batch) {
  const rest = [...values];
  const matrix = (width: number): Matrix => {
    const flat = rest.shift()!;
    return Array.from({ length: flat.length / width }, (_, row) =>
      flat.slice(row * width, (row + 1) * width),
    );
  };
  const gates = { lstm: 4, gru: 3, simpleRNN: 1 };
  const cellWeights = ({ cell, units, useBias = true }: Spec): CellWeights => {
    const width = gates[cell] * units;
    const [kernel, recurrent] = [matrix(width), matrix(width)];
    return { kernel, recurrent, bias: useBias ? rest.shift()! : Array(width).fill(0) };
  };
  const embedding = matrix(WIDTH);
  const layers = specs.map((spec) => ({
    spec,
    forward: cellWeights(spec),
    backward: spec.both ? cellWeights(spec) : undefined,
  }));
  const kernel = matrix(1);
  const [bias] = rest.shift()!;
  const [n, steps] = batch.x!.shape as [number, number];
  let loss = 0;
  for (let example = 0; example < n; example++) {
    const words = [...batch.x!.data.slice(example * steps, (example + 1) * steps)].map(Number);
    const counts = words.map((word) => !masked || word !== 0);
    let sequence: Matrix = words.map((word) => embedding[word]!);
    for (const { spec, forward, backward } of layers) {
      const there = statesOf(spec, sequence, counts, forward);
      if (backward === undefined) sequence = spec.returnSequences ? there : [there.at(-1)!];
      else {
        const back = statesOf({ ...spec, goBackwards: true }, sequence, counts, backward);
        sequence = spec.returnSequences
          ? there.map((state, at) => [...state, ...back.at(-1 - at)!])
          : [[...there.at(-1)!, ...back.at(-1)!]];
      }
    }
    const predicted = times(sequence.flat(), kernel)[0]! + bias!;
    loss += (predicted - Number(batch.y!.data[example])) ** 2;
  }
  return loss;
}

/** Central differences of all weights. */
function differences(
  weights: ParameterValues,
  loss: (values: readonly Vector[]) => number,
): ParameterValues {
  const values = Object.values(weights).map((each) => [...each]);
  const epsilon = 1e-5;
  return Object.fromEntries(
    Object.keys(weights).map((name, at) => [
      name,
      Float32Array.from(values[at]!, (value, i) => {
        const moved = [epsilon, -epsilon].map((delta) => {
          values[at]![i] = value + delta;
          return loss(values);
        });
        values[at]![i] = value;
        return (moved[0]! - moved[1]!) / (2 * epsilon);
      }),
    ]),
  );
}

function build(specs: readonly Spec[], masked: boolean, steps: number): tf.LayersModel {
  const recurrent = ({ cell, both, ...config }: Spec) => {
    const layer =
      cell === 'simpleRNN'
        ? tf.layers.simpleRNN(config)
        : tf.layers[cell]({ ...config, recurrentActivation: 'sigmoid' });
    return both ? tf.layers.bidirectional({ layer: layer as never, mergeMode: 'concat' }) : layer;
  };
  return tf.sequential({
    layers: [
      tf.layers.embedding({
        inputShape: [steps],
        inputDim: WORDS,
        outputDim: WIDTH,
        maskZero: masked,
      }),
      ...specs.map(recurrent),
      ...(specs.at(-1)!.returnSequences ? [tf.layers.flatten()] : []),
      tf.layers.dense({ units: 1 }),
    ],
  });
}

const units = 4;
const CASES: Readonly<Record<string, readonly Spec[]>> = {
  'an LSTM': [{ cell: 'lstm', units }],
  'a GRU': [{ cell: 'gru', units }],
  'a simpleRNN': [{ cell: 'simpleRNN', units }],
  'an LSTM without biases that goes backwards': [
    { cell: 'lstm', units, useBias: false, goBackwards: true },
  ],
  'a GRU that gives all steps': [{ cell: 'gru', units, returnSequences: true }],
  'LSTM, GRU and simpleRNN one above the other': [
    { cell: 'lstm', units, returnSequences: true },
    { cell: 'gru', units: 3, returnSequences: true },
    { cell: 'simpleRNN', units: 2 },
  ],
  'LSTMs in both directions below a GRU': [
    { cell: 'lstm', units: 3, both: true, returnSequences: true },
    { cell: 'gru', units },
  ],
  'GRUs in both directions': [{ cell: 'gru', units, both: true }],
};

describe('the gradient of recurrent layers is that of a plain loop:', () => {
  for (const [name, specs] of Object.entries(CASES))
    for (const masked of [false, true])
      it(masked ? `${name}, masked` : name, async () => {
        const [n, steps] = [3, 9];
        const random = createRandom('recurrent', name);
        const computation = await open({
          model: () => build(specs, masked, steps),
          loss: 'meanSquaredError',
        });
        const initial = await computation.initialize(2);
        // Zeros would hide what biases do.
        const weights = Object.fromEntries(
          Object.entries(initial).map(([key, values]) => [
            key,
            values.map((value) => value + 0.2 * (random.next() - 0.5)),
          ]),
        );
        const batch: Batch = {
          x: {
            data: Int32Array.from({ length: n * steps }, () => random.below(WORDS)),
            shape: [n, steps],
          },
          y: { data: Float32Array.from({ length: n }, () => random.next()), shape: [n, 1] },
        };
        const loss = (values: readonly Vector[]) => lossOf(specs, masked, values, batch);
        const before = tf.node.getNumOfSavedModels();
        const actual = await gradient(computation, weights, batch);
        assert.equal(tf.node.getNumOfSavedModels(), before + 1);
        const expected = loss(Object.values(weights).map((each) => [...each]));
        assert.ok(Math.abs(actual.lossSum - expected) < 1e-5 * expected, `${expected}`);
        assertClose(actual.gradient, differences(weights, loss), 2e-5);
        await computation.close?.();
      });
});
