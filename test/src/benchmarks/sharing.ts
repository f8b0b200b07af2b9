import type { Batch } from '@tutti/data';
import { createRandom } from '@tutti/runtime';
import type { SharingRule } from '@tutti/tensorflow';
import type { Computation } from '@tutti/worker';
import { median } from './median.js';

const SIZE = 1024;
const EXAMPLES = 128;
const ROWS = 1_000_000;
const IDS = 20;

/**
 * The processor time of a micro-batch of a dense layer of 1024 x 1024 whose kernel is shared, over
 * that of the layer that is not, one thread each; the same of two dense layers that are tied, and of a convolution
 * [3, 3, 64, 64] whose filters are turned; an embedding of a million rows in milliseconds.
 * All are measured in turn, `rounds` times, and the median counts: others may be busy on the machine.
 */
export async function benchSharing(rounds: number): Promise<Record<string, number>> {
  process.env.TF_NUM_INTRAOP_THREADS ??= '1';
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
  const kinds = await import('@tutti/tensorflow');
  const kernel = 'layer/kernel';
  const random = createRandom('benchmark');
  const three = SIZE * SIZE * 3;
  const rules: Record<string, SharingRule> = {
    'hashed 1/8': kinds.hashed(kernel, { ratio: 1 / 8 }),
    'hashed 1/64': kinds.hashed(kernel, { ratio: 1 / 64 }),
    'hashed 1/8, block 16': kinds.hashed(kernel, { ratio: 1 / 8, block: 16 }),
    'shared (indices)': kinds.shared(kernel, (row, column) => (row * 31 + column) % 99_991),
    'shared (3 entries a row)': kinds.shared(kernel, {
      rows: Int32Array.from({ length: three }, (_, i) => i % (SIZE * SIZE)),
      columns: Int32Array.from({ length: three }, () => random.below(131_072)),
      values: Float32Array.from({ length: three }, () => random.next() - 0.5),
    }),
    circulant: kinds.circulant(kernel),
    'circulant, block 64': kinds.circulant(kernel, { block: 64 }),
    toeplitz: kinds.toeplitz(kernel),
    hankel: kinds.hankel(kernel),
    symmetric: kinds.symmetric(kernel),
    skewSymmetric: kinds.skewSymmetric(kernel),
    kronecker: kinds.kronecker(kernel),
    'lowRank 32': kinds.lowRank(kernel, { rank: 32 }),
    'lowRank 128': kinds.lowRank(kernel, { rank: 128 }),
    'basis 32': kinds.basis(kernel, { rank: 32 }),
    'lora 8': kinds.lora(kernel, { rank: 8 }),
    'vera 32': kinds.vera(kernel, { rank: 32 }),
    'pruned 1/10': kinds.pruned(kernel, { ratio: 1 / 10 }),
    'codebook 32': kinds.codebook(kernel, { values: 32 }),
    'codebook 256 x 8': kinds.codebook(kernel, { values: 256, dimension: 8 }),
  };
  const cases: Record<string, () => Promise<number>> = {
    none: await dense([]),
    ...Object.fromEntries(
      await Promise.all(
        Object.entries(rules).map(async ([name, rule]) => [name, await dense([rule])] as const),
      ),
    ),
    ...(await pairs()),
    'embeddingMs hashed': await embedding([
      kinds.hashed('table/embeddings', { stored: 100_000, block: 16 }),
    ]),
    'embeddingMs none': await embedding([]),
  };
  const times: Record<string, number[]> = Object.fromEntries(
    Object.keys(cases).map((name) => [name, []]),
  );
  for (let round = -1; round < rounds; round++)
    for (const [name, measure] of Object.entries(cases)) {
      const ms = await measure();
      if (round >= 0) times[name]!.push(ms);
    }
  const [base, two, filters] = [times.none!, times.twoLayers!, times.convolution!].map(median);
  const over: Record<string, number> = {
    tie: two!,
    'rotated p4': filters!,
    'rotated p4m': filters!,
  };
  return Object.fromEntries(
    Object.entries(times).map(([name, values]) => [
      BASES[name] ?? name,
      name in BASES || name.startsWith('embedding')
        ? median(values)
        : median(values) / (over[name] ?? base!),
    ]),
  );

  /** With something to train before it, so that its input has a gradient, too. */
  function dense(sharing: readonly SharingRule[]) {
    const { tf } = kinds;
    return measured(
      kinds.defineTraining({
        ...COMMON,
        model: () =>
          tf.sequential({
            layers: [
              tf.layers.prelu({ inputShape: [SIZE] }),
              tf.layers.dense({ units: SIZE, useBias: false, name: 'layer' }),
            ],
          }),
        sharing,
      }),
      {
        x: { data: floats(EXAMPLES * SIZE), shape: [EXAMPLES, SIZE] },
        y: { data: floats(EXAMPLES * SIZE), shape: [EXAMPLES, SIZE] },
      },
    );
  }

  /** Two dense layers, tied, and a convolution whose filters are turned, over their like unshared. */
  async function pairs(): Promise<Record<string, () => Promise<number>>> {
    const { rotated, tie, tf } = kinds;
    const layers = (sharing: readonly SharingRule[]) =>
      measured(
        kinds.defineTraining({
          ...COMMON,
          model: () =>
            tf.sequential({
              layers: [
                tf.layers.dense({ inputShape: [SIZE], units: SIZE, useBias: false, name: 'layer' }),
                tf.layers.dense({ units: SIZE, useBias: false, name: 'second' }),
              ],
            }),
          sharing,
        }),
        {
          x: { data: floats(EXAMPLES * SIZE), shape: [EXAMPLES, SIZE] },
          y: { data: floats(EXAMPLES * SIZE), shape: [EXAMPLES, SIZE] },
        },
      );
    const image = [14, 14, 64];
    const size = 14 * 14 * 64;
    const filters = (sharing: readonly SharingRule[]) =>
      measured(
        kinds.defineTraining({
          ...COMMON,
          model: () =>
            tf.sequential({
              layers: [
                tf.layers.prelu({ inputShape: image }),
                tf.layers.conv2d({
                  filters: 64,
                  kernelSize: 3,
                  padding: 'same',
                  useBias: false,
                  name: 'layer',
                }),
              ],
            }),
          sharing,
        }),
        {
          x: { data: floats(EXAMPLES * size), shape: [EXAMPLES, ...image] },
          y: { data: floats(EXAMPLES * size), shape: [EXAMPLES, ...image] },
        },
      );
    return {
      twoLayers: await layers([]),
      tie: await layers([tie(kernel, 'second/kernel')]),
      convolution: await filters([]),
      'rotated p4': await filters([rotated(kernel, { group: 'p4', input: 'group' })]),
      'rotated p4m': await filters([rotated(kernel, { group: 'p4m', input: 'group' })]),
    };
  }

  function embedding(sharing: readonly SharingRule[]) {
    const { tf } = kinds;
    return measured(
      kinds.defineTraining({
        ...COMMON,
        model: () =>
          tf.sequential({
            layers: [
              tf.layers.embedding({
                inputDim: ROWS,
                outputDim: 16,
                inputLength: IDS,
                embeddingsInitializer: 'zeros',
                name: 'table',
              }),
              tf.layers.globalAveragePooling1d({}),
            ],
          }),
        sharing,
      }),
      {
        x: {
          data: Int32Array.from({ length: EXAMPLES * IDS }, () => random.below(ROWS)),
          shape: [EXAMPLES, IDS],
        },
        y: { data: floats(EXAMPLES * 16), shape: [EXAMPLES, 16] },
      },
    );
  }

  function floats(length: number): Float32Array {
    return Float32Array.from({ length }, () => random.next() - 0.5);
  }
}

/** What others are over, in milliseconds. */
const BASES: Readonly<Record<string, string>> = {
  none: 'noneMs',
  twoLayers: 'twoLayersMs',
  convolution: 'convolutionMs',
};

const COMMON = {
  loss: 'meanSquaredError',
  data: () => {
    throw new Error('The benchmark gives its batch itself.');
  },
  optimizer: { name: 'sgd', learningRate: 0.1 },
  batchSize: EXAMPLES,
  epochs: 1,
  seed: 1,
} as const;

/** Processor milliseconds of one gradient, whose values are read. */
async function measured(
  program: { open(): Computation | Promise<Computation> },
  batch: Batch,
): Promise<() => Promise<number>> {
  const computation = await program.open();
  const weights = await computation.initialize(1);
  return async () => {
    const random = createRandom('micro-batch');
    const before = process.cpuUsage();
    await computation.gradient(weights, { batch, epoch: 0, step: 0, shard: 0, random });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}
