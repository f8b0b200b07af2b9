/** A training, and what becomes of it: the settings of its program, and how `tutti compress` goes on. */
interface Variant {
  readonly label: string;
  readonly program: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly compress?: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly options: readonly string[];
  };
}

/** A figure of a paper, and the trainings that are to meet it. */
export interface Row {
  readonly name: string;
  readonly paper: string;
  readonly variants: readonly Variant[];
}

const hashedNets = (label: string, environment: Record<string, string>): Variant => ({
  label,
  program: 'papers/hashed-nets.ts',
  environment,
});

const languageModel = (label: string, environment: Record<string, string>): Variant => ({
  label,
  program: 'papers/tied-embeddings.ts',
  environment: { DIMENSION: '128', DROPOUT: '0.4', ...environment },
});

/**
 * @param after settings of the program while it is compressed
 * @param before those of the training before
 */
const deepCompression = (
  program: string,
  options: string,
  after: Record<string, string> = {},
  before: Record<string, string> = {},
): Variant => ({
  label: 'compressed',
  program,
  environment: before,
  compress: { environment: after, options: options.split(' ') },
});

/** Each with its hyperparameters: docs/PAPERS.md says how they were chosen. */
export const rows: readonly Row[] = [
  {
    name: 'hashed-nets-8',
    paper: 'HashedNets 784-1000-10 at 1/8: 98.5 % of the test digits',
    variants: [
      hashedNets('hashed', { RATIO: '8', LEARNING_RATE: '0.003', DROPOUT: '0.25', EPOCHS: '25' }),
      hashedNets('dense', {
        RATIO: '1',
        HIDDEN: '126',
        LEARNING_RATE: '0.003',
        DROPOUT: '0.25',
        EPOCHS: '25',
      }),
    ],
  },
  {
    name: 'hashed-nets-64',
    paper: 'HashedNets 784-1000-10 at 1/64: 97.3 % of the test digits',
    variants: [
      hashedNets('hashed', { RATIO: '64', LEARNING_RATE: '0.003', EPOCHS: '15' }),
      hashedNets('dense', { RATIO: '1', HIDDEN: '17', LEARNING_RATE: '0.003', EPOCHS: '15' }),
    ],
  },
  {
    name: 'lenet-300-100',
    paper: 'Deep Compression of LeNet-300-100: 27 KB, 1.58 % error',
    variants: [
      deepCompression(
        'papers/lenet-300-100.ts',
        '--epochs 12 --rounds 3 --learning-rate 0.0015 --values 16 --keep hidden_1=0.088,hidden_2=0.12,output=0.5',
        { DROPOUT: '0.2', EPOCHS: '12' },
        { EPOCHS: '40', WEIGHT_DECAY: '0.1' },
      ),
    ],
  },
  {
    name: 'lenet-5',
    paper: 'Deep Compression of LeNet-5: 44 KB, 0.74 % error',
    variants: [
      deepCompression(
        'papers/lenet-5.ts',
        '--epochs 2 --rounds 3 --values 16 --keep conv_1=0.66,conv_2=0.12,hidden=0.08,output=0.19',
        { DROPOUT: '0.1' },
      ),
    ],
  },
  {
    name: 'convnet',
    paper: 'the ConvNet of examples/src: at most 16 KB, at least 99.1 %',
    variants: [
      deepCompression(
        'papers/convnet.ts',
        '--epochs 2 --rounds 3 --learning-rate 0.001 --values 16 --keep conv2d_1=0.8,conv2d_2=0.25,dense_1=0.043,dense_2=0.4',
        { DROPOUT: '0.1' },
      ),
    ],
  },
  {
    name: 'recommender',
    paper: "RecBole's BPR on MovieLens 100k: recall@10 0.2368, NDCG@10 0.2768 with 168,128 values",
    variants: [
      { label: 'unshared', program: 'papers/recommender.ts', environment: { EPOCHS: '16' } },
      {
        label: 'hashed (16 columns)',
        program: 'papers/recommender.ts',
        environment: { RATIO: '2.78', BLOCK: '1', DIMENSION: '16' },
      },
      { label: 'rank 5', program: 'papers/recommender.ts', environment: { RANK: '5' } },
    ],
  },
  {
    name: 'tied-embeddings',
    paper: 'Press and Wolf: tied embeddings have the lower perplexity',
    variants: [
      languageModel('tied', { TIED: '1', EPOCHS: '24' }),
      languageModel('untied', { TIED: '0', EPOCHS: '15' }),
    ],
  },
  {
    name: 'group-convolutions',
    paper: 'p4 on turned digits: 0.6 of the error of a plain net of the same stored size',
    variants: [
      { label: 'p4', program: 'papers/group-convolutions.ts', environment: { P4: '1' } },
      {
        label: 'plain',
        program: 'papers/group-convolutions.ts',
        environment: { P4: '0', CHANNELS: '32' },
      },
    ],
  },
];
