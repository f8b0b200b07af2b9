import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Batch } from '@tutti/data';
import type { ShardReport } from '@tutti/protocol';
import { meansOf, totalOf } from '@tutti/run';
import { createRandom } from '@tutti/runtime';
import {
  defineTraining,
  type FunctionModel,
  type Loss,
  type Metric,
  type TrainingOptions,
} from '@tutti/tensorflow';

interface Field {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly yTrue: Field;
  readonly yPred: Field;
  readonly mask?: Field;
  readonly classWeight?: Readonly<Record<number, number>>;
  readonly exampleWeight?: readonly number[];
  readonly numbers: Readonly<Record<string, number>>;
}

/** What keras/record.py has printed. */
const { cases } = JSON.parse(
  readFileSync(new URL('../../src/exact/keras/numbers.json', import.meta.url), 'utf8'),
) as { readonly cases: Readonly<Record<string, Case>> };

type Options = Partial<TrainingOptions> & { readonly loss: Loss };

const given: FunctionModel<'one'> = {
  parameters: { one: [1] },
  initialize: () => ({ one: [1] }),
  apply: ({ one }, { x }) => x!.mul(one),
};

/** A program that predicts what it is given, and the numbers of Keras as a batch of it. */
async function openCase(name: string, options: Options) {
  const { yTrue, yPred, mask, exampleWeight } = cases[name]!;
  const program = defineTraining({
    data: () => assert.fail('The batch is given.'),
    model: given,
    optimizer: { name: 'sgd', learningRate: 0.1 },
    ...{ batchSize: 8, epochs: 1, seed: 1 },
    ...(mask && { mask: 'there' }),
    ...options,
  });
  const isWhole = yTrue.data.every(Number.isInteger);
  const y = isWhole ? Int32Array.from(yTrue.data) : Float32Array.from(yTrue.data);
  const float = ({ shape, data }: Field) => ({ shape, data: Float32Array.from(data) });
  const batch: Batch = {
    x: float(yPred),
    y: { shape: yTrue.shape, data: y },
    ...(mask && { there: float(mask) }),
    ...(exampleWeight && { weight: float({ shape: [y.length], data: exampleWeight }) }),
  };
  const computation = await program.open();
  return { computation, batch, weights: await computation.initialize(1) };
}

/** Some examples of a batch. */
const part = (batch: Batch, from: number, to: number): Batch =>
  Object.fromEntries(
    Object.entries(batch).map(([name, { shape, data }]) => {
      const size = data.length / shape[0]!;
      const some = data.slice(from * size, to * size);
      return [name, { shape: [to - from, ...shape.slice(1)], data: some }];
    }),
  );

/** Loss and metrics of an evaluation in uneven parts, as several workers would have it. */
async function evaluated(name: string, options: Options): Promise<Record<string, number>> {
  const { computation, batch, weights } = await openCase(name, options);
  const reports: ShardReport[] = [];
  for (const [from, to] of [
    [0, 17],
    [17, 19],
    [19, 40],
  ] as const) {
    const some = part(batch, from, to);
    const { lossSum, metrics = {} } = await computation.evaluate(weights, some);
    reports.push({ shard: from, count: to - from, lossSum, metrics, computeMs: 0 });
  }
  await computation.close?.();
  const { loss, metrics } = meansOf(totalOf(reports), computation.metricForms);
  return { loss, ...metrics };
}

function assertClose(found: number | undefined, expected: number | undefined, what: string) {
  assert.ok(found !== undefined && expected !== undefined, what);
  assert.ok(
    Math.abs(found - expected) < 2e-6 * Math.max(1, expected),
    `${what}: ${found}, ${expected}`,
  );
}

/** By the name under which the number of Keras is recorded. */
const metrics = (named: Readonly<Record<string, Metric>>): Metric[] =>
  Object.entries(named).map(([as, metric]) =>
    typeof metric === 'string' ? { name: metric, as } : ({ ...metric, as } as Metric),
  );

const EVALUATED: Record<string, [Loss, Readonly<Record<string, Metric>>]> = {
  binary: [
    'binaryCrossentropy',
    {
      accuracy: 'accuracy',
      binaryAccuracy: { name: 'binaryAccuracy', threshold: 0.3 },
      precision: 'precision',
      precisionAt: { name: 'precision', threshold: 0.7 },
      recall: 'recall',
      f1: 'f1',
      auc: 'auc',
      aucOf20: { name: 'auc', thresholds: 20 },
    },
  ],
  labels: [
    'binaryCrossentropy',
    {
      accuracy: 'accuracy',
      precision: 'precision',
      precisionOf1: { name: 'precision', class: 1 },
      recall: 'recall',
      recallOf1: { name: 'recall', class: 1 },
      f1: 'f1',
      auc: 'auc',
    },
  ],
  classes: [
    'sparseCategoricalCrossentropy',
    {
      accuracy: 'accuracy',
      top2: { name: 'topKAccuracy', k: 2 },
      top5: 'topKAccuracy',
      precision: 'precision',
      precisionOf1: { name: 'precision', class: 1 },
      kerasPrecisionOf1: { name: 'precision', class: 1, threshold: 0.5 },
      recallOf1: { name: 'recall', class: 1 },
      perplexity: 'perplexity',
    },
  ],
  numbers: [
    'meanSquaredError',
    {
      meanAbsoluteError: 'meanAbsoluteError',
      meanSquaredError: 'meanSquaredError',
      rootMeanSquaredError: 'rootMeanSquaredError',
      r2: 'r2',
    },
  ],
  maskedAlike: [
    'sparseCategoricalCrossentropy',
    { accuracy: 'accuracy', perplexity: 'perplexity' },
  ],
};

describe('the numbers of Keras itself', () => {
  for (const [name, [loss, named]] of Object.entries(EVALUATED))
    it(`are ours: ${name}`, async () => {
      const found = await evaluated(name, { loss, metrics: metrics(named) });
      const { numbers } = cases[name]!;
      for (const each of ['loss', ...Object.keys(named)])
        assertClose(found[each], numbers[each], each);
    });

  it('are ours with weights of classes and of examples', async () => {
    const loss = 'sparseCategoricalCrossentropy';
    const { numbers, classWeight } = cases.weights!;
    const { computation, batch, weights } = await openCase('weights', {
      ...{ loss, classWeight: classWeight!, metrics: ['accuracy'] },
    });
    const { lossSum, metrics, count } = await computation.gradient(weights, {
      ...{ batch, epoch: 0, step: 0, shard: 0, random: createRandom('unused') },
    });
    assertClose(lossSum / count, numbers.byClass, 'byClass');
    assertClose(metrics!.accuracy! / count, numbers.accuracy, 'accuracy');
    await computation.close?.();
    const found = await evaluated('weights', { loss, exampleWeight: 'weight' });
    assertClose(found.loss, numbers.byExample, 'byExample');
  });

  describe('differ from ours, as docs/PROGRAMS.md says,', () => {
    it('in `accuracy` of several labels: Keras takes it for that of classes', async () => {
      const found = await evaluated('labels', {
        loss: 'binaryCrossentropy',
        metrics: ['accuracy'],
      });
      const { accuracy, kerasAccuracy } = cases.labels!.numbers;
      assertClose(found.accuracy, accuracy, 'that of BinaryAccuracy');
      assert.notEqual(accuracy, kerasAccuracy);
    });

    it('where examples have masks of several lengths: ours weigh all examples alike', async () => {
      const loss = 'sparseCategoricalCrossentropy';
      const found = await evaluated('masked', { loss, metrics: ['accuracy', 'perplexity'] });
      const { yTrue, yPred, mask, numbers } = cases.masked!;
      // Of all words, as Keras, is perplexity alone.
      assertClose(found.perplexity, numbers.perplexity, 'perplexity');
      const [examples, steps, classes] = yPred.shape as [number, number, number];
      let [ofExamples, losses, words] = [0, 0, 0];
      for (let i = 0; i < examples; i++) {
        let [own, length] = [0, 0];
        for (let step = 0; step < steps; step++) {
          const at = i * steps + step;
          if (mask!.data[at] === 0) continue;
          own -= Math.log(Math.max(1e-7, yPred.data[at * classes + yTrue.data[at]!]!));
          length++;
        }
        ofExamples += own / length / examples;
        losses += own;
        words += length;
      }
      const far = (a: number, b: number) => assert.ok(Math.abs(a - b) > 1e-3, `${a}, ${b}`);
      assert.ok(Math.abs(found.loss! - ofExamples) < 1e-3, `${found.loss}, ${ofExamples}`);
      assert.ok(Math.abs(losses / words - numbers.loss!) < 1e-3, `${losses / words}`);
      far(found.loss!, numbers.loss!);
      far(found.accuracy!, numbers.accuracy!);
    });
  });
});
