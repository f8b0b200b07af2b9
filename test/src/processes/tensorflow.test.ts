import assert from 'node:assert/strict';
import type { LocalOptions } from '@tutti/launch';
import { ownProcesses } from './own-processes.js';
import { createFolder, resolvePath } from './program-files.js';
import { runLocal } from './run-local.js';

const SHORT: LocalOptions = { shards: 8, steps: 3, batchSize: 32 };

const train = (path: string, options: LocalOptions) =>
  runLocal(path, { ...SHORT, ...options }).result;

const example = (name: string) => resolvePath(`@tutti/examples/src/${name}`);

for (const [name, clusters, storedParameters] of [
  ['mnist-dense.ts', [{ workers: 3 }], 25_000 + 256 + 2_560 + 10],
  ['text-lstm.ts', [{ workers: 3 }], 39 * 16 + 4 * 20 * (16 + 20 + 1) + 20 + 1],
  [
    'mnist-convnet.ts',
    [
      { workers: 1 },
      { workers: 2 },
      { workers: 3 },
      { workers: 4 },
      { workers: 8 },
      { workers: 2, servers: 2 },
      { workers: 2, servers: 3 },
    ],
    225_034,
  ],
] as const)
  describe(`examples/src/${name} on real processes`, () => {
    let expected: string;
    before(async () => {
      const { digest, parameters } = await train(example(name), { workers: 0 });
      expected = digest;
      assert.equal(parameters.length, storedParameters);
    });

    for (const cluster of clusters)
      it(`has the digest of the plain loop with ${describeCluster(cluster)}`, async () => {
        const { digest, examples } = await train(example(name), cluster);
        assert.equal(examples, 96);
        assert.equal(digest, expected);
      });
  });

function describeCluster({ workers, servers = 1 }: { workers: number; servers?: number }) {
  return `${workers} worker${workers > 1 ? 's' : ''} and ${servers} server${servers > 1 ? 's' : ''}`;
}

it('another seed gives the ConvNet another digest', async () => {
  const digests = [1, 2].map(
    async (seed) => (await train(example('mnist-convnet.ts'), { workers: 0, seed })).digest,
  );
  assert.notEqual(...((await Promise.all(digests)) as [string, string]));
});

/** The ConvNet of the examples, computed by the thread that gets the signals of its process. */
const WITHOUT_GRAPH = `
  import convnet from ${JSON.stringify(example('mnist-convnet.ts'))};
  import { defineTraining } from ${JSON.stringify(resolvePath('@tutti/tensorflow'))};
  export default defineTraining({ ...convnet.training, graph: false });
`;

/** With AVX2 alone, oneDNN multiplies matrices with the stack pointer on the heap. */
const PROCESSORS = [undefined, 'AVX2'];

for (const isa of PROCESSORS)
  for (const how of ['a graph', 'single operations'])
    it(`signals that arrive while TensorFlow computes ${how}${isa ? ` with ${isa}` : ''} change nothing`, async () => {
      const folder = await createFolder();
      const program =
        how === 'a graph' ? example('mnist-convnet.ts') : await folder.program(WITHOUT_GRAPH);
      const options = { workers: 1, shards: 1, steps: 25, batchSize: 128 };
      const before = process.env.ONEDNN_MAX_CPU_ISA;
      if (isa !== undefined) process.env.ONEDNN_MAX_CPU_ISA = isa;
      let sent = 0;
      let storm: NodeJS.Timeout | undefined;
      try {
        const { digest: expected } = await train(program, options);
        const { digest } = await train(program, {
          ...options,
          onEvent({ event }) {
            if (event === 'finished') clearInterval(storm);
            if (event !== 'started') return;
            const [worker] = ownProcesses('worker-process');
            // Workers leave Ctrl-C to the launcher.
            storm = setInterval(() => {
              try {
                for (let i = 0; i < 20; i++) if (process.kill(worker!, 'SIGINT')) sent++;
              } catch {
                // It is gone: the result tells how.
                clearInterval(storm);
              }
            }, 1);
          },
        });
        assert.equal(digest, expected);
        assert.ok(sent > 1000, `only ${sent} signals`);
      } finally {
        clearInterval(storm);
        if (before === undefined) delete process.env.ONEDNN_MAX_CPU_ISA;
        else process.env.ONEDNN_MAX_CPU_ISA = before;
        await folder.remove();
      }
    }).timeout(240_000);

describe('weights that share stored parameters', () => {
  /** An autoencoder of random examples, with or without rules. */
  const autoencoder = (sharing: string) => `
    import { arrays } from ${JSON.stringify(resolvePath('@tutti/data'))};
    import { defineTraining, hashed, tf, tie } from ${JSON.stringify(resolvePath('@tutti/tensorflow'))};
    const x = { data: Float32Array.from({ length: 64 * 256 }, (_, i) => Math.sin(i * i)), shape: [64, 256] };
    const dense = (name, units) => tf.layers.dense({ name, units, activation: 'tanh' });
    export default defineTraining({
      name: 'autoencoder',
      data: () => ({ training: arrays({ x, y: x }) }),
      model: () => {
        const input = tf.input({ shape: [256] });
        const layers = [dense('encoder', 256), dense('middle', 256), dense('decoder', 256)];
        return tf.model({ inputs: input, outputs: layers.reduce((at, layer) => layer.apply(at), input) });
      },
      loss: 'meanSquaredError',
      optimizer: { name: 'adam', learningRate: 0.01 },
      batchSize: 32, epochs: 1, seed: 1,
      sharing: [${sharing}],
    });
  `;
  const SHARED = `
    tie('encoder/kernel', 'decoder/kernel', { transpose: true }),
    hashed('middle/kernel', { stored: ${256 * 32} }),
  `;

  it('travel as what is stored, and have the digest of the plain loop', async () => {
    const folder = await createFolder();
    try {
      // With others one helps out who is late. What of the first step comes early is not counted.
      const alone = { workers: 1, steps: 21 };
      const whole = await train(await folder.program(autoencoder(''), 'whole.ts'), alone);
      assert.equal(whole.parameters.length, 3 * (256 * 256 + 256));
      const path = await folder.program(autoencoder(SHARED), 'shared.ts');
      const shared = await train(path, alone);
      assert.equal(shared.parameters.length, 256 * 256 + 256 * 32 + 3 * 256);
      const stored = shared.parameters.length / whole.parameters.length;
      const wire = shared.wireBytesPerStep / whole.wireBytesPerStep;
      assert.ok(Math.abs(wire / stored - 1) < 0.05, `${stored} stored, ${wire} on the wire`);
      for (const workers of [0, 2])
        assert.equal((await train(path, { ...alone, workers })).digest, shared.digest);
    } finally {
      await folder.remove();
    }
  });
});
