import type { SharingRule } from '@tutti/tensorflow';

const SIZE = 256;

/**
 * The bytes of `.tutti` files of two dense layers of 256 x 256, or of a convolution [3, 3, 32, 64] behind one: by kind of
 * sharing and precision, with all elements and as they are written.
 */
export async function benchFileSizes(): Promise<Record<string, number>> {
  const kinds = await import('@tutti/tensorflow');
  const { untrained } = await import('../edge/untrained.js');
  const { tf } = kinds;
  const both = ['first/kernel', 'second/kernel'];
  const rules: Record<string, readonly SharingRule[]> = {
    tie: [kinds.tie('first/kernel', 'second/kernel', { transpose: true })],
    'hashed 1/8': [kinds.hashed(both, { ratio: 1 / 8 })],
    'hashed 1/8, tied': [
      kinds.hashed('first/kernel', { ratio: 1 / 8 }),
      kinds.tie('first/kernel', 'second/kernel'),
    ],
    'circulant, block 16': [kinds.circulant(both, { block: 16 })],
    toeplitz: [kinds.toeplitz(both)],
    symmetric: [kinds.symmetric(both)],
    skewSymmetric: [kinds.skewSymmetric(both)],
    kronecker: [kinds.kronecker(both)],
    'lowRank 16': [kinds.lowRank(both, { rank: 16 })],
    'basis 16': [kinds.basis(both, { rank: 16 })],
    'lora 4': [kinds.lora(both, { rank: 4 })],
    'vera 64': [kinds.vera(both, { rank: 64 })],
    'pruned 1/10': [kinds.pruned(both, { ratio: 1 / 10 })],
    'codebook 16': [kinds.codebook(both, { values: 16 })],
    'codebook 256 x 8': [kinds.codebook(both, { values: 256, dimension: 8 })],
    'shared 1/8': [kinds.shared(both, (row, column) => (31 * row + column) % 8191)],
  };
  const filters = {
    'rotated p4': [kinds.rotated('filters/kernel', { group: 'p4', input: 'group' })],
    'rotated p4m': [kinds.rotated('filters/kernel', { group: 'p4m', input: 'group' })],
  };
  const dense = () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [SIZE], units: SIZE, useBias: false, name: 'first' }),
        tf.layers.dense({ units: SIZE, useBias: false, name: 'second' }),
      ],
    });
  const convolution = () =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({
          ...{ inputShape: [4, 4, 32], filters: 64, kernelSize: 3, useBias: false },
          name: 'filters',
        }),
      ],
    });
  const figures: Record<string, number> = {};
  for (const [name, sharing] of Object.entries(rules)) await add(name, dense, sharing);
  for (const [name, sharing] of Object.entries(filters)) await add(name, convolution, sharing);
  return figures;

  async function add(name: string, model: typeof dense, sharing: readonly SharingRule[]) {
    const [shared, plain] = [untrained(model, sharing), untrained(model, [])];
    const computation = await shared.open();
    const values = await computation.initialize(3);
    computation.close?.();
    const whole = Object.fromEntries(
      kinds.trainedWeights(shared, values).map((each) => [each.name, each.values]),
    );
    for (const kernels of ['exact', 'float16', 'int8', 'int4'] as const) {
      const bytesOf = (program: typeof shared, stored: typeof values) =>
        kinds.edgeModel(program, stored, { kernels, biases: 'float16' }).bytes.length;
      figures[`${name}, ${kernels}, all elements`] = bytesOf(plain, whole);
      figures[`${name}, ${kernels}`] = bytesOf(shared, values);
    }
  }
}
