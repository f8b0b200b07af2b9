import assert from 'node:assert/strict';
import { arrays } from '@tutti/data';
import { runLocal } from '@tutti/launch';
import type { JobResult } from '@tutti/run';
import { createRandom } from '@tutti/runtime';
import { defineTraining, type TrainingOptions, tf } from '@tutti/tensorflow';
import { simulate } from '../simulation/cluster.js';

const FEATURES = 3;
const [TRAINED, EVALUATED] = [40, 61];
const random = createRandom('metrics');
const numbers = (length: number, next: () => number) => Float32Array.from({ length }, next);

/** Inputs, and labels of many kinds that have something to do with them. */
function examples(count: number) {
  const x = numbers(count * FEATURES, () => 2 * random.next() - 1);
  const at = (example: number, feature: number) => x[example * FEATURES + feature]!;
  const noisy = (value: number) => value + random.next() - 0.5;
  const each = <T>(make: (example: number) => T) =>
    Array.from({ length: count }, (_, i) => make(i));
  const label = (columns: number, make: (example: number, column: number) => number) => ({
    data: Float32Array.from(
      each((i) => Array.from({ length: columns }, (_, column) => make(i, column))).flat(),
    ),
    shape: [count, columns],
  });
  return {
    x: { data: x, shape: [count, FEATURES] },
    yes: label(1, (i) => (noisy(at(i, 0)) > 0 ? 1 : 0)),
    tags: label(3, (i, column) => (noisy(at(i, column)) > 0 ? 1 : 0)),
    kind: { data: Int32Array.from(each(() => random.below(4))), shape: [count] },
    number: label(2, (i, column) => noisy(at(i, column))),
  };
}

const [training, evaluation] = [examples(TRAINED), examples(EVALUATED)];
type Field = keyof typeof training;

const model = (units: number, activation: 'sigmoid' | 'softmax' | 'linear') => () =>
  tf.sequential({
    layers: [tf.layers.dense({ inputShape: [FEATURES], units, activation, name: 'only' })],
  });

const program = (options: Pick<TrainingOptions, 'model' | 'loss'> & Partial<TrainingOptions>) =>
  defineTraining({
    data: () => ({ training: arrays(training), evaluation: arrays(evaluation) }),
    optimizer: { name: 'sgd', learningRate: 0.3 },
    batchSize: 16,
    shards: 4,
    epochs: 2,
    seed: 1,
    evaluationBatchSize: 9,
    ...options,
  });

/** What the trained weights predict for the evaluation set, by rows. */
function predictions(result: JobResult, activation: 'sigmoid' | 'softmax' | 'linear'): number[][] {
  const { 'only/kernel': kernel, 'only/bias': bias } = result.values;
  const units = bias!.length;
  const trained = model(units, activation)();
  trained.setWeights([tf.tensor(kernel!, [FEATURES, units]), tf.tensor(bias!)]);
  return (
    trained.predict(tf.tensor(evaluation.x.data, [EVALUATED, FEATURES])) as tf.Tensor2D
  ).arraySync();
}

const labels = (field: Field): number[][] => {
  const { data, shape } = evaluation[field];
  const columns = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, i) => [
    ...data.subarray(i * columns, (i + 1) * columns),
  ]);
};

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** As Keras has it: the confusion matrix at each of so many thresholds, then trapezoids. */
function aucOfKeras(scores: readonly number[], meant: readonly number[], count = 200): number {
  const thresholds = Array.from({ length: count }, (_, i) => i / (count - 1));
  thresholds[0] = -1e-7;
  thresholds[count - 1] = 1 + 1e-7;
  const rate = (of: number) =>
    thresholds.map((threshold) => {
      const those = scores.filter((_, i) => meant[i] === of);
      return those.filter((score) => score > threshold).length / those.length;
    });
  const [found, wrong] = [rate(1), rate(0)];
  let area = 0;
  for (let i = 0; i + 1 < count; i++)
    area += ((wrong[i]! - wrong[i + 1]!) * (found[i]! + found[i + 1]!)) / 2;
  return area;
}

function confusion(said: readonly boolean[], meant: readonly boolean[]) {
  const count = (a: boolean, b: boolean) =>
    said.filter((each, i) => each === a && meant[i] === b).length;
  return { hits: count(true, true), wrong: count(true, false), missed: count(false, true) };
}

interface Case {
  readonly name: string;
  readonly options: Pick<TrainingOptions, 'model' | 'loss'> & Partial<TrainingOptions>;
  readonly activation: 'sigmoid' | 'softmax' | 'linear';
  readonly field: Field;
  readonly expected: (predicted: number[][], labels: number[][]) => Record<string, number>;
}

const CASES: readonly Case[] = [
  {
    name: 'of a yes or no',
    activation: 'sigmoid',
    field: 'yes',
    options: {
      model: model(1, 'sigmoid'),
      loss: 'binaryCrossentropy',
      labels: 'yes',
      metrics: [
        'accuracy',
        'precision',
        'recall',
        'f1',
        'auc',
        { name: 'recall', threshold: 0.3, as: 'sensitivity' },
        { name: 'auc', thresholds: 11, as: 'coarse' },
      ],
    },
    expected(predicted, meant) {
      const [scores, truth] = [predicted.flat(), meant.flat()];
      const at = (threshold: number) =>
        confusion(
          scores.map((score) => score > threshold),
          truth.map((label) => label === 1),
        );
      const { hits, wrong, missed } = at(0.5);
      const low = at(0.3);
      return {
        accuracy: mean(scores.map((score, i) => (score > 0.5 === (truth[i] === 1) ? 1 : 0))),
        precision: hits / (hits + wrong),
        recall: hits / (hits + missed),
        f1: (2 * hits) / (2 * hits + wrong + missed),
        auc: aucOfKeras(scores, truth),
        sensitivity: low.hits / (low.hits + low.missed),
        coarse: aucOfKeras(scores, truth, 11),
      };
    },
  },
  {
    name: 'of several labels, from logits',
    activation: 'sigmoid',
    field: 'tags',
    options: {
      model: model(3, 'linear'),
      loss: { name: 'binaryCrossentropy', fromLogits: true },
      labels: 'tags',
      metrics: ['binaryAccuracy', 'exactMatch', 'precision', { name: 'auc', class: 2 }],
    },
    expected(predicted, meant) {
      const right = predicted.map((row, i) => row.map((p, k) => p > 0.5 === (meant[i]![k] === 1)));
      const { hits, wrong } = confusion(
        predicted.flat().map((p) => p > 0.5),
        meant.flat().map((label) => label === 1),
      );
      return {
        binaryAccuracy: mean(right.flat().map(Number)),
        exactMatch: mean(right.map((row) => Number(row.every(Boolean)))),
        precision: hits / (hits + wrong),
        auc: aucOfKeras(
          predicted.map((row) => row[2]!),
          meant.map((row) => row[2]!),
        ),
      };
    },
  },
  {
    name: 'of classes',
    activation: 'softmax',
    field: 'kind',
    options: {
      model: model(4, 'softmax'),
      loss: 'sparseCategoricalCrossentropy',
      labels: 'kind',
      metrics: [
        'accuracy',
        { name: 'topKAccuracy', k: 2 },
        { name: 'precision', class: 1 },
        { name: 'recall', class: 1 },
        'perplexity',
      ],
    },
    expected(predicted, meant) {
      const truth = meant.flat();
      const rank = predicted.map((row, i) => row.filter((p) => p > row[truth[i]!]!).length);
      const { hits, wrong, missed } = confusion(
        predicted.map((row) => row.indexOf(Math.max(...row)) === 1),
        truth.map((label) => label === 1),
      );
      return {
        accuracy: mean(rank.map((each) => Number(each === 0))),
        topKAccuracy: mean(rank.map((each) => Number(each < 2))),
        precision: hits === 0 ? 0 : hits / (hits + wrong),
        recall: hits / (hits + missed),
        perplexity: Math.exp(mean(predicted.map((row, i) => -Math.log(row[truth[i]!]!)))),
      };
    },
  },
  {
    name: 'of numbers, and of the program',
    activation: 'linear',
    field: 'number',
    options: {
      model: model(2, 'linear'),
      loss: 'meanSquaredError',
      labels: 'number',
      metrics: [
        'meanAbsoluteError',
        'rootMeanSquaredError',
        'r2',
        {
          name: 'relativeError',
          ratio: (yTrue, yPred) => [yPred.sub(yTrue).abs().sum(1), yTrue.abs().sum(1)],
        },
      ],
    },
    expected(predicted, meant) {
      const errors = predicted.map((row, i) => row.map((p, k) => p - meant[i]![k]!));
      const explained = [0, 1].map((k) => {
        const column = meant.map((row) => row[k]!);
        const squares = (values: readonly number[]) => mean(values.map((value) => value * value));
        return (
          1 - squares(errors.map((row) => row[k]!)) / squares(column.map((v) => v - mean(column)))
        );
      });
      const absolute = (rows: readonly number[][]) => mean(rows.flat().map(Math.abs));
      return {
        meanAbsoluteError: absolute(errors),
        rootMeanSquaredError: Math.sqrt(mean(errors.flat().map((error) => error * error))),
        r2: mean(explained),
        relativeError: absolute(errors) / absolute(meant),
      };
    },
  },
];

describe('metrics', () => {
  for (const { name, options, activation, field, expected } of CASES)
    it(`${name} are those of all examples together, for any number of workers`, async () => {
      const alone = await runLocal(program(options), { workers: 0 }).result;
      const wanted = expected(predictions(alone, activation), labels(field));
      assert.deepEqual(Object.keys(alone.metrics).sort(), Object.keys(wanted).sort());
      for (const [metric, value] of Object.entries(wanted))
        assert.ok(
          Math.abs(alone.metrics[metric]! - value) < 1e-5,
          `${metric}: ${alone.metrics[metric]}, by a loop ${value}`,
        );
      for (const workers of [1, 3]) {
        const { result } = await simulate({
          program: program(options),
          workers,
          servers: 2,
          verify: 0.3,
          seed: workers,
        });
        assert.equal(result.digest, alone.digest);
        assert.deepEqual(result.metrics, alone.metrics);
        assert.equal(result.loss, alone.loss);
      }
    });
});
