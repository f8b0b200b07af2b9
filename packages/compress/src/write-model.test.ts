import assert from 'node:assert/strict';
import { readModel } from '@tutti/edge';
import { isTuttiError } from '@tutti/runtime';
import fc from 'fast-check';
import type { Precision } from './encode-tensor.js';
import type { ModelSpec } from './model-spec.js';
import { sampleModel, sampleWeights } from './testing.js';
import { type Precisions, writeModel } from './write-model.js';

/** A dense layer shows its kernel, row by row, to examples of a single 1. */
function kernelBack(values: Float32Array, rows: number, precisions: Precisions): Float32Array[] {
  const columns = values.length / rows;
  const model: ModelSpec = {
    input: [rows],
    layers: [
      {
        kind: 'dense',
        numbers: [columns],
        activations: [{ name: 'linear' }],
        weights: [values, new Float32Array(columns)],
      },
    ],
  };
  const { predict } = readModel(writeModel(model, precisions).bytes);
  return Array.from({ length: rows }, (_, row) =>
    predict(Float32Array.from({ length: rows }, (_, at) => (at === row ? 1 : 0))),
  );
}

const flat = (rows: readonly Float32Array[]) => Float32Array.from(rows.flatMap((row) => [...row]));

describe('a model that is written', () => {
  it('comes back bit for bit, however many of its values are zero or alike', () => {
    const sizes = {
      rows: fc.integer({ min: 1, max: 30 }),
      columns: fc.integer({ min: 1, max: 30 }),
    };
    fc.assert(
      fc.property(
        fc.record({
          ...sizes,
          seed: fc.string(),
          sparsity: fc.constantFrom(0, 0.3, 0.9, 1),
          distinct: fc.constantFrom(undefined, 1, 2, 16, 300),
        }),
        ({ rows, columns, seed, sparsity, distinct }) => {
          const options = distinct === undefined ? { sparsity } : { sparsity, distinct };
          const values = sampleWeights(seed, rows * columns, options);
          assert.deepEqual(flat(kernelBack(values, rows, {})), values);
        },
      ),
      { numRuns: 300 },
    );
  });

  for (const [kernels, bound] of [
    // Half a step of the largest of a group, and as much again as a scale is rounded up at most.
    ['int8', (largest: number) => (largest / 127 / 2) * (1 + 2 ** -7)],
    ['int4', (largest: number) => (largest / 7 / 2) * (1 + 2 ** -7)],
    ['float16', (largest: number) => largest * 2 ** -11],
  ] as [Precision, (largest: number) => number][])
    it(`comes back within the rounding of ${kernels}`, () => {
      for (const sparsity of [0, 0.95]) {
        const values = sampleWeights(kernels, 60 * 50, { sparsity });
        const back = flat(kernelBack(values, 60, { kernels }));
        const most = bound(0.5);
        let changed = 0;
        for (const [at, value] of values.entries()) {
          assert.ok(Math.abs(back[at]! - value) <= most, `${value} came back as ${back[at]}`);
          if (back[at] !== value) changed += 1;
        }
        assert.ok(changed > values.length * (1 - sparsity) * 0.8);
      }
    });

  it('has a scale for each unit: a small one beside a large one keeps its digits', () => {
    const values = sampleWeights('units', 64 * 8).map((value, at) => value * 10 ** (at % 8));
    for (const kernels of ['int8', 'int4'] as const) {
      const back = flat(kernelBack(values, 64, { kernels }));
      for (const [at, value] of values.entries())
        assert.ok(
          Math.abs(back[at]! - value) <= 0.5 * 10 ** (at % 8) * (kernels === 'int8' ? 0.005 : 0.08),
        );
    }
  });

  it('takes a fraction of the bytes', () => {
    const layer = (weights: Float32Array): ModelSpec => ({
      input: [100],
      layers: [
        {
          kind: 'dense',
          numbers: [100],
          activations: [{ name: 'linear' }],
          weights: [weights, new Float32Array(100)],
        },
      ],
    });
    const size = (weights: Float32Array, kernels: Precision = 'exact') =>
      writeModel(layer(weights), { kernels }).bytes.length;
    const all = sampleWeights('bytes', 10_000);
    // 4, 2, 1 + 2 / 100 and (4 + 16 / 32) / 8 bytes a value, and less than 50 of frame, layer and bias.
    for (const [kernels, bytes] of [
      ['exact', 40_000],
      ['float16', 20_000],
      ['int8', 10_200],
      ['int4', 5_626],
    ] as const) {
      assert.ok(size(all, kernels) >= bytes);
      assert.ok(size(all, kernels) < bytes + 50, `${kernels}: ${size(all, kernels)}`);
    }
    // 500 of 10,000 kept: log2 of 10,000 over 500 is 2,856 bits of places, and 4 bits for each of 16 values.
    const pruned = sampleWeights('pruned', 10_000, { sparsity: 0.95, distinct: 16 });
    const kept = pruned.filter((value) => value !== 0).length;
    const bits = 10_000 * entropy(kept / 10_000) + 4 * kept;
    assert.ok(size(pruned) < (1.05 * bits) / 8 + 16 * 4 + 100, `${size(pruned)} of ${bits / 8}`);
  });

  it('predicts the same in every encoding that keeps the bits', () => {
    const model = sampleModel();
    const { predict, input, output } = readModel(writeModel(model).bytes);
    assert.deepEqual([input, output], [[6, 6, 2], [3]]);
    const prediction = predict(sampleWeights('x', 72));
    assert.ok(Math.abs(prediction.reduce((a, b) => a + b) - 1) < 1e-6);
  });

  it('is refused where the file has no words for it', () => {
    const model = sampleModel();
    const with0 = (change: object): ModelSpec => ({
      ...model,
      layers: [{ ...model.layers[0]!, ...change }, ...model.layers.slice(1)],
    });
    for (const wrong of [
      with0({ weights: [] }),
      with0({ weights: [new Float32Array(71), new Float32Array(4)] }),
      with0({ weights: [new Float32Array(72).fill(Number.NaN), new Float32Array(4)] }),
      { ...model, input: [6, 6] },
      { ...model, input: [20_000, 20_000, 2] },
    ])
      assert.throws(
        () => writeModel(wrong),
        (error) => isTuttiError(error) && error.code === 'BAD_MODEL' && error.remedy !== '',
      );
  });
});

const entropy = (p: number) => -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
