import assert from 'node:assert/strict';
import type { Tensor } from '@tutti/checkpoint';
import { isTuttiError } from '@tutti/runtime';
import { fitWeights } from './fit-weights.js';

const tensor = (name: string, shape: readonly number[], ...values: number[]): Tensor => ({
  name,
  shape,
  values: Float32Array.from(values),
});

const PARAMETERS = [
  { name: 'hidden/kernel', shape: [2, 2] },
  { name: 'head/bias', shape: [1] },
  { name: 'mean', shape: [2], update: 'average' },
] as const;

const KERNEL = tensor('hidden/kernel', [2, 2], 1, 2, 3, 4);
const BIAS = tensor('head/bias', [1], 5);
const MEAN = tensor('mean', [2], 6, 7);

function refused(tensors: readonly Tensor[], message: RegExp, remedy = /tf\.loadLayersModel/) {
  assert.throws(
    () => fitWeights('a.safetensors', tensors, PARAMETERS),
    (error) => {
      assert.ok(isTuttiError(error));
      assert.equal(error.code, 'BAD_CHECKPOINT');
      assert.match(error.message, message);
      assert.match(error.remedy, remedy);
      return true;
    },
  );
}

describe('weights for another run', () => {
  it('are taken by their names, in whatever order they come', () => {
    const flat = fitWeights('a.safetensors', [MEAN, BIAS, KERNEL], PARAMETERS);
    assert.deepEqual(flat, Float32Array.of(1, 2, 3, 4, 5, 6, 7));
  });

  it('of another shape are named with both', () => {
    refused(
      [tensor('hidden/kernel', [4], 1, 2, 3, 4), BIAS, MEAN],
      /^a\.safetensors cannot be used: it does not fit the program: "hidden\/kernel" is \[4\], in the program \[2, 2\]\.$/,
    );
  });

  it('that are missing or too many are named, with the nearest name', () => {
    refused(
      [KERNEL, tensor('heed/bias', [1], 5), MEAN, tensor('other', [1], 0)],
      /it lacks "head\/bias" \[1\] \(the nearest is "heed\/bias" \[1\]\); the program has no "heed\/bias" \[1\] \(the nearest is "head\/bias" \[1\]\); the program has no "other" \[1\]\.$/,
    );
  });

  it('that differ in many are told in part, with how many more there are', () => {
    const many = Array.from({ length: 9 }, (_, at) => tensor(`layer_${at}`, [1], at));
    refused([KERNEL, BIAS, MEAN, ...many], /"layer_5" \[1\]; and 3 more\.$/);
  });

  it('in one of the files of several servers say where the others are', () => {
    refused(
      [tensor('hidden/kernel[0:3]', [3], 1, 2, 3)],
      /lacks "hidden\/kernel"/,
      /name the step-\.\.\. folder that holds them/,
    );
  });

  it('that are not finite are refused, with their place', () => {
    for (const [value, text] of [
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [Number.NEGATIVE_INFINITY, '-Infinity'],
    ] as const)
      refused(
        [KERNEL, BIAS, tensor('mean', [2], 6, value)],
        new RegExp(`its "mean" is ${text} in element 1 of 2`),
        /earlier checkpoint/,
      );
  });
});
