import { createRandom, randomState } from '@tutti/runtime';
import type { DrawnWeight } from './encode-tensor.js';
import { gatherPart } from './index-part.js';
import type { LayerSpec, ModelSpec } from './model-spec.js';
import type { MadeWeight, PartSpec, Weight } from './parts.js';

/** Values around 0; of each `sparsity` share is 0, and `distinct` of them differ. */
export function sampleWeights(
  seed: string,
  size: number,
  { sparsity = 0, distinct }: { sparsity?: number; distinct?: number } = {},
): Float32Array {
  const random = createRandom('weights', seed);
  const choices = Array.from({ length: distinct ?? 0 }, () => random.next() - 0.5);
  return Float32Array.from({ length: size }, () => {
    if (random.next() < sparsity) return 0;
    return distinct === undefined
      ? random.next() - 0.5
      : choices[Math.floor(random.next() * distinct)]!;
  });
}

/** A small model that has a convolution, pooling, a merge, dense layers, and every encoding of tensors. */
export function sampleModel(): ModelSpec {
  const relu = { name: 'relu' } as const;
  const layers: LayerSpec[] = [
    {
      kind: 'conv2d',
      numbers: [4, 3, 3, 1, 1, 1, 1, 1],
      activations: [relu],
      weights: [sampleWeights('a', 72), sampleWeights('b', 4)],
    },
    { kind: 'maxPool', numbers: [2, 2, 2, 2, 0] },
    {
      kind: 'depthwiseConv2d',
      numbers: [1, 3, 3, 1, 1, 1, 1, 1],
      activations: [{ name: 'leakyRelu', argument: 0.1 }],
      weights: [sampleWeights('c', 36, { distinct: 5 }), new Float32Array(4)],
    },
    { kind: 'add', inputs: [2, 3] },
    { kind: 'reshape', numbers: [36] },
    {
      kind: 'dense',
      numbers: [12],
      activations: [{ name: 'tanh' }],
      weights: [
        sampleWeights('d', 432, { sparsity: 0.9, distinct: 6 }),
        sampleWeights('e', 12, { sparsity: 0.5 }),
      ],
    },
    {
      kind: 'dense',
      numbers: [3],
      activations: [{ name: 'softmax' }],
      weights: [sampleWeights('f', 36, { sparsity: 0.5 }), sampleWeights('g', 3)],
    },
  ];
  return { input: [6, 6, 2], layers };
}

/** A small model that looks words up in a drawn table, and multiplies by drawn kernels, by rows and by columns. */
export function sampleDrawnModel(): ModelSpec {
  const drawn = (name: string, size: number, block: number, turned: boolean): DrawnWeight => ({
    stored: sampleWeights(name, size, { sparsity: 0.3 }),
    block,
    sign: !turned,
    state: randomState(name),
    turned,
  });
  const layers: LayerSpec[] = [
    { kind: 'embedding', numbers: [600, 4], weights: [drawn('a', 24, 4, false)] },
    { kind: 'reshape', numbers: [12] },
    {
      kind: 'dense',
      numbers: [5],
      activations: [{ name: 'relu' }],
      weights: [drawn('b', 9, 1, true), drawn('c', 2, 2, false)],
    },
    {
      kind: 'dense',
      numbers: [3],
      activations: [{ name: 'softmax' }],
      weights: [drawn('d', 14, 7, false), sampleWeights('e', 3)],
    },
  ];
  return { input: [3], layers };
}

/** A small model whose weights are made of others, in every way that there is; those of several layers have tensors in common. */
export function samplePartsModel(): ModelSpec {
  const tensor = (name: string, ...shape: number[]): PartSpec => ({
    shape,
    values: sampleWeights(
      name,
      shape.reduce((a, b) => a * b),
      { distinct: 7 },
    ),
  });
  const made = (part: PartSpec, size: number, byColumns = false): MadeWeight => ({
    part,
    byColumns,
    alone: new Float32Array(size),
  });
  const drawn: PartSpec = {
    shape: [4, 6],
    values: {
      ...{ stored: sampleWeights('drawn', 6), block: 2, sign: true },
      ...{ state: randomState('parts'), turned: false },
    },
  };
  const factor = tensor('factor', 2, 3);
  const index = Int32Array.from({ length: 12 }, (_, at) => ((at * 5) % 13) - 6);
  const runs = Int32Array.from({ length: 18 }, (_, at) => ((at * 5) % 7) - 3);
  const table = gatherPart(factor, 3, runs, [9, 2], 2);
  const gathered = gatherPart(factor, 6, index, [3, 4], 1);
  const bent: PartSpec = {
    kind: 'shear',
    operands: [tensor('bent', 5)],
    numbers: [4, 3, 1, 1],
  };
  const sliced: PartSpec = { kind: 'slice', operands: [drawn], numbers: [0, 1, 4, 3] };
  const summed: PartSpec = {
    kind: 'add',
    operands: [{ kind: 'concat', operands: [bent, sliced], numbers: [1] }, drawn],
  };
  const scaled: PartSpec = { kind: 'scale', operands: [summed, tensor('by', 4, 1)] };
  const product: PartSpec = {
    kind: 'matmul',
    operands: [{ kind: 'transpose', operands: [scaled], numbers: [1, 0] }, tensor('right', 4, 2)],
  };
  const grown: PartSpec = { kind: 'kronecker', operands: [factor, product] };
  const triangle: PartSpec = { kind: 'triangle', operands: [factor], numbers: [3, 0] };
  const sum: PartSpec = { kind: 'sum', operands: [{ shape: [3, 2], of: factor }] };
  const dense = (units: number, ...weights: Weight[]): LayerSpec => ({
    ...{ kind: 'dense', numbers: [units], activations: [{ name: 'tanh' }], weights },
  });
  const layers: LayerSpec[] = [
    { kind: 'embedding', numbers: [9, 4], weights: [made(table, 36)] },
    dense(6, made(drawn, 24), new Float32Array(6)),
    dense(4, made(drawn, 24, true), sampleWeights('bias', 4)),
    dense(6, made(scaled, 24), new Float32Array(6)),
    dense(4, made({ shape: [6, 4], of: drawn, byColumns: true }, 24), new Float32Array(4)),
    dense(3, made(gathered, 12, true), made(sum, 3)),
    dense(3, made(triangle, 9), new Float32Array(3)),
    { kind: 'reshape', numbers: [6] },
    dense(12, made(grown, 72, true), made(product, 12)),
    dense(9, sampleWeights('last', 108), new Float32Array(9)),
  ];
  return { input: [2], layers };
}
