import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { oneDnnHere } from '@tutti/tensorflow-setup/internal';

/** Runs a program in a process of its own, which imports the sources. */
async function run(source: string, environment: Record<string, string> = {}): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', source],
    { cwd: new URL('..', import.meta.url), env: { ...process.env, ...environment } },
  );
  return JSON.parse(stdout);
}

const program = `
  const { createRequire } = await import('node:module');
  const { defineTraining, tf } = await import('./src/index.ts');
  const { classified, gradient } = await import('./src/testing.ts');
  const loaded = () =>
    Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('tfjs'));
  const program = defineTraining({
    model: () => tf.sequential({
      layers: [tf.layers.dense({ inputShape: [5], units: 3, activation: 'softmax' })],
    }),
    loss: 'sparseCategoricalCrossentropy',
    data: () => undefined,
    optimizer: { name: 'sgd', learningRate: 0.1 },
    batchSize: 8, epochs: 1, seed: 1,
  });
  const before = loaded();
  const computation = await program.open();
  const result = await gradient(computation, await computation.initialize(1), classified(8, [5], 3));
  console.log(JSON.stringify({
    before, after: loaded(), arithmetic: computation.arithmetic, loss: result.lossSum,
    kernel: [...result.gradient['dense_1/kernel']],
  }));`;

describe('tf', () => {
  it('is loaded when it is first used, and computes the same without native TensorFlow', async () => {
    type Result = {
      before: boolean;
      after: boolean;
      arithmetic: Record<string, string>;
      loss: number;
      kernel: number[];
    };
    const native = (await run(program)) as Result;
    const plain = (await run(program, { TUTTI_TF_BACKEND: 'cpu' })) as Result;
    for (const { before, after } of [native, plain])
      assert.deepEqual([before, after], [false, true]);
    assert.equal(native.arithmetic.backend, 'tensorflow');
    assert.equal(native.arithmetic.gradients, 'graph');
    // Other bits, so part of what tells workers apart.
    assert.equal(native.arithmetic.oneDnn, oneDnnHere().setting ?? 'default');
    assert.equal(plain.arithmetic.backend, 'cpu');
    assert.equal(plain.arithmetic.gradients, 'tfjs');
    assert.ok(Math.abs(native.loss - plain.loss) < 1e-5);
    native.kernel.forEach((value, i) => {
      assert.ok(Math.abs(value - plain.kernel[i]!) < 1e-5);
    });
    assert.deepEqual(((await run(program)) as Result).kernel, native.kernel);
  });

  it('computes the same bits in every process, whatever graphs it has had before', async () => {
    const digests = (before: string) => `
      const { createHash } = await import('node:crypto');
      const { gradient, open } = await import('./src/testing.ts');
      const { SPECIMENS } = await import('./src/graph/testing.ts');
      const { tf } = await import('./src/index.ts');
      const digestOf = async (name) => {
        const { batch, ...options } = SPECIMENS[name];
        const computation = await open(options);
        const result = await gradient(computation, await computation.initialize(1), batch);
        const hash = createHash('sha256').update(String(result.lossSum));
        for (const values of Object.values(result.gradient)) hash.update(values);
        return hash.digest('hex');
      };
      ${before}
      const names = ['the ConvNet', 'a masked LSTM', 'batch normalisation'];
      const digests = [];
      for (const name of names) digests.push(await digestOf(name));
      console.log(JSON.stringify([digests, tf.node.getNumOfSavedModels()]));`;
    const others = 'for (const name of Object.keys(SPECIMENS).reverse()) await digestOf(name);';
    const [first, alone] = (await run(digests(''))) as [string[], number];
    assert.equal(alone, 3);
    for (const before of [others, 'const ballast = new Float32Array(1e7).fill(1);'])
      assert.deepEqual(((await run(digests(before))) as [string[], number])[0], first);
  });

  it('computes with the backend of its process, or says that somebody has changed it', async () => {
    const source = (environment: string, other: string) => `
      process.env.TUTTI_TF_BACKEND = '${environment}';
      const { classified, gradient, open } = await import('./src/testing.ts');
      const { tf } = await import('./src/index.ts');
      const own = tf.getBackend();
      let augmenting = () => {};
      const augment = (batch) => {
        augmenting();
        return batch;
      };
      const layers = () => [tf.layers.dense({ inputShape: [5], units: 3, activation: 'softmax' })];
      const model = () => tf.sequential({ layers: layers() });
      const loss = 'sparseCategoricalCrossentropy';
      const opening = () => open({ model, loss, augment });
      const batch = classified(8, [5], 3);
      const computation = await opening();
      const weights = await computation.initialize(1);
      const differentiate = () => gradient(computation, weights, batch);
      const evaluate = async () => computation.evaluate(weights, batch);
      const before = [await differentiate(), await evaluate()];
      const passes = [opening, async () => computation.initialize(1), differentiate, evaluate];
      const codes = [];
      const codeOf = async (task) => {
        const error = await task().then(() => undefined, (error) => error);
        codes.push(error?.details?.expected === own ? error.code : 'none');
      };
      ${other}
      for (const pass of passes) await codeOf(pass);
      await tf.setBackend(own);
      const same = JSON.stringify(before) === JSON.stringify([await differentiate(), await evaluate()]);
      augmenting = () => void tf.setBackend('other');
      await codeOf(differentiate);
      await tf.setBackend(own);
      augmenting = () => {};
      const anew = tf.findBackendFactory(own);
      tf.removeBackend(own);
      tf.registerBackend(own, anew, 3);
      await tf.setBackend(own);
      await codeOf(differentiate);
      console.log(JSON.stringify({ codes, same }));`;
    const other = `
      const { createRequire } = await import('node:module');
      const require = createRequire(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node'));
      const { MathBackendCPU } = require('@tensorflow/tfjs-backend-cpu');
      tf.registerBackend('other', () => new MathBackendCPU());
      for (const kernel of tf.getKernelsForBackend('cpu'))
        tf.registerKernel({ ...kernel, backendName: 'other' });
      await tf.setBackend('other');`;
    for (const environment of ['', 'cpu'])
      assert.deepEqual(await run(source(environment, other)), {
        codes: new Array(6).fill('PROGRAM_FAILED'),
        same: true,
      });
  });

  it('gives every gradient memory of its own, also where the backend shares it', async () => {
    const shared = `
      const { open, classified, gradient } = await import('./src/testing.ts');
      const { tf } = await import('./src/index.ts');
      const computation = await open({
        model: {
          parameters: { a: [8], b: [8] },
          initialize: () => ({ a: tf.zeros([8]), b: tf.zeros([8]) }),
          apply: ({ a, b }) => a.add(b),
        },
        loss: (_yTrue, yPred) => yPred,
      });
      const batch = classified(8, [5], 3);
      const result = await gradient(computation, await computation.initialize(1), batch);
      result.gradient.a.fill(7);
      console.log(JSON.stringify([...result.gradient.b]));`;
    assert.deepEqual(await run(shared, { TUTTI_TF_BACKEND: 'cpu' }), new Array(8).fill(1));
  });
});
