import { arrays } from '@tutti/data';
import type { OptimizerSpec } from '@tutti/protocol';
import { createRandom } from '@tutti/runtime';
import {
  basis,
  circulant,
  codebook,
  defineTraining,
  frozen,
  hankel,
  hashed,
  kronecker,
  lora,
  lowRank,
  pruned,
  rotated,
  type SharingRule,
  shared,
  skewSymmetric,
  symmetric,
  tf,
  tie,
  toeplitz,
  vera,
} from '@tutti/tensorflow';

/** A rule for each kind, on the kernel of a dense layer [8, 8] of that name. */
const DENSE: Record<string, (kernel: string) => SharingRule> = {
  hashed: (kernel) => hashed(kernel, { ratio: 1 / 4 }),
  blocks: (kernel) => hashed(kernel, { stored: 16, block: 4, sign: false }),
  given: (kernel) => shared(kernel, (r, c) => ((r * 3 + c) % 9) - 1),
  factors: (kernel) =>
    shared(kernel, {
      index: (r, c) => (r + c) % 7,
      factor: Array.from({ length: 64 }, (_, i) => Math.cos(i)),
    }),
  sparse: (kernel) =>
    shared(kernel, {
      rows: Array.from({ length: 150 }, (_, i) => (i * 5) % 64),
      columns: Array.from({ length: 150 }, (_, i) => (i * 7) % 10),
      values: Array.from({ length: 150 }, (_, i) => Math.sin(i)),
    }),
  circulant: (kernel) => circulant(kernel),
  block_circulant: (kernel) => circulant(kernel, { block: 4 }),
  toeplitz: (kernel) => toeplitz(kernel),
  hankel: (kernel) => hankel(kernel),
  symmetric: (kernel) => symmetric(kernel),
  skew_symmetric: (kernel) => skewSymmetric(kernel),
  kronecker: (kernel) => kronecker(kernel, { left: [2, 4] }),
  low_rank: (kernel) => lowRank(kernel, { rank: 2 }),
  lora: (kernel) => lora(kernel, { rank: 1, alpha: 2 }),
  vera: (kernel) => vera(kernel, { rank: 3 }),
  pruned: (kernel) => pruned(kernel, { ratio: 1 / 3 }),
  codebook: (kernel) => codebook(kernel, { values: 5 }),
  vectors: (kernel) => codebook(kernel, { values: 4, dimension: 4 }),
  frozen: (kernel) => frozen(kernel),
};

/** Two groups of ties, one transposed, and a first weight that is hashed itself. */
const TIED = ['tied_1', 'tied_2', 'tied_3', 'turned_1', 'turned_2', 'copied_1', 'copied_2'];
const LAYERS = [...Object.keys(DENSE), 'basis_1', 'basis_2', ...TIED];

export const SHARING: readonly SharingRule[] = [
  ...Object.entries(DENSE).map(([layer, rule]) => rule(`${layer}/kernel`)),
  basis('basis_*/kernel', { rank: 3 }),
  tie('tied_*/kernel'),
  tie('turned_1/kernel', 'turned_2/kernel', { transpose: true }),
  hashed('copied_1/kernel', { stored: 9 }),
  tie('copied_1/kernel', 'copied_2/kernel'),
  hashed('words/embeddings', { stored: 20, block: 2 }),
  rotated('plane/*', { group: 'p4', input: 'plane' }),
  rotated('turning/*', { group: 'p4', input: 'group' }),
];

/** Every kind of sharing beside each other, convolutions and an embedding among them, two layers deep. */
function model(): tf.LayersModel {
  const vector = tf.input({ shape: [8], name: 'vector' });
  const words = tf.input({ shape: [3], name: 'ids' });
  const image = tf.input({ shape: [5, 5, 1], name: 'image' });
  const on = (layer: unknown, input: tf.SymbolicTensor) =>
    (layer as { apply(x: tf.SymbolicTensor): tf.SymbolicTensor }).apply(input);
  const dense = (name: string) =>
    tf.layers.dense({ units: 8, activation: 'tanh', useBias: false, name });
  const embedded = on(tf.layers.embedding({ inputDim: 12, outputDim: 4, name: 'words' }), words);
  const conv = (name: string) =>
    tf.layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', padding: 'same', name });
  const seen = on(
    tf.layers.globalAveragePooling2d({}),
    on(conv('turning'), on(conv('plane'), image)),
  );
  // The second layer of a chain hands gradients on to the first.
  const branches = LAYERS.map((name, at) =>
    on(dense(name), at % 2 === 0 ? vector : on(tf.layers.activation({ activation: 'tanh' }), seen)),
  );
  const joined = tf.layers
    .concatenate()
    .apply([
      tf.layers.add().apply(branches) as tf.SymbolicTensor,
      on(tf.layers.flatten(), embedded),
    ]) as tf.SymbolicTensor;
  const output = on(tf.layers.dense({ units: 3, name: 'output' }), joined);
  return tf.model({ inputs: [vector, words, image], outputs: output });
}

const EXAMPLES = 42;

function data() {
  const random = createRandom('every-kind');
  const floats = (size: number) =>
    Float32Array.from({ length: EXAMPLES * size }, () => random.next() - 0.5);
  return {
    training: arrays({
      vector: { data: floats(8), shape: [EXAMPLES, 8] },
      ids: {
        data: Int32Array.from({ length: EXAMPLES * 3 }, () => random.below(12)),
        shape: [EXAMPLES, 3],
      },
      image: { data: floats(25), shape: [EXAMPLES, 5, 5, 1] },
      y: { data: floats(3), shape: [EXAMPLES, 3] },
    }),
  };
}

export function everyKind(options: {
  readonly optimizer: OptimizerSpec;
  readonly graph: boolean;
  readonly sharing: readonly SharingRule[];
}) {
  return defineTraining({
    ...options,
    name: 'every-kind',
    data,
    model,
    loss: 'meanSquaredError',
    batchSize: 14,
    epochs: 1,
    seed: 4,
    shards: 3,
  });
}
