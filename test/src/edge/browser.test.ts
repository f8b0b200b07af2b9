import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type ModelSpec, type PartSpec, writeModel } from '@tutti/compress';
import { readModel } from '@tutti/edge';
import { sharing } from '@tutti/edge/sharing';
import { createRandom, randomState } from '@tutti/runtime';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

const random = createRandom('browser');
const weights = (size: number) => Float32Array.from({ length: size }, () => random.next() - 0.5);

/** An image that is read row by row: convolution, pooling, a recurrent layer and a dense one that is hashed. */
const model: ModelSpec = {
  input: [8, 8, 1],
  layers: [
    {
      kind: 'conv2d',
      numbers: [4, 3, 3, 1, 1, 1, 1, 1],
      activations: [{ name: 'swish' }],
      weights: [weights(36), weights(4)],
    },
    { kind: 'maxPool', numbers: [2, 2, 2, 2, 0] },
    { kind: 'reshape', numbers: [4, 16] },
    {
      kind: 'lstm',
      numbers: [5, 0, 0],
      activations: [{ name: 'tanh' }, { name: 'sigmoid' }],
      weights: [weights(320), weights(100), weights(20)],
    },
    {
      kind: 'dense',
      numbers: [3],
      activations: [{ name: 'softmax' }],
      weights: [
        { stored: weights(6), block: 2, sign: true, state: randomState('browser'), turned: false },
        weights(3),
      ],
    },
  ],
};

/** The same image, read by a kernel that is Kronecker, and one that is the transpose of part of it. */
const left: PartSpec = { shape: [8, 2], values: weights(16) };
const right: PartSpec = { shape: [8, 3], values: weights(24) };
const whole: PartSpec = { kind: 'kronecker', operands: [left, right] };
const part: PartSpec = { kind: 'slice', operands: [whole], numbers: [3, 0, 5, 6] };
const partsModel: ModelSpec = {
  input: [64],
  layers: [
    {
      kind: 'dense',
      numbers: [6],
      activations: [{ name: 'tanh' }],
      weights: [{ part: whole, alone: weights(384) }, weights(6)],
    },
    {
      kind: 'dense',
      numbers: [5],
      activations: [{ name: 'softmax' }],
      weights: [{ part, byColumns: true, alone: weights(30) }, weights(5)],
    },
  ],
};

/** A module of the reader, minified. */
async function minified(name: string): Promise<Uint8Array> {
  const entry = new URL(`../../../packages/edge/src/${name}.ts`, import.meta.url);
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  return outputFiles[0]!.contents;
}

/** What a web server would have: the page, the reader, and the files of two models. */
async function serve(bytes: Uint8Array, ofParts: Uint8Array) {
  const files: Record<string, [type: string, content: string | Uint8Array]> = {
    '/': ['text/html', '<!doctype html><title>Tutti</title>'],
    '/edge.js': ['text/javascript', await minified('index')],
    '/sharing.js': ['text/javascript', await minified('sharing')],
    '/model.tutti': ['application/octet-stream', bytes],
    '/parts.tutti': ['application/octet-stream', ofParts],
  };
  const server = createServer(({ url }, response) => {
    const file = files[url!];
    if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': file[0] }).end(file[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

describe('a browser', () => {
  it('fetches a model, predicts as Node.js does, and refuses a damaged file', async function () {
    this.timeout(120_000);
    if (!existsSync(CHROMIUM)) {
      // In CI it must be there, so that this does not go untested.
      assert.notEqual(process.env.CI, 'true', `there is no ${CHROMIUM}`);
      console.warn(`      skipped: there is no ${CHROMIUM} (apt-get install chromium)`);
      this.skip();
    }
    const { bytes } = writeModel(model, { kernels: 'int8' });
    const examples = Array.from({ length: 20 }, () => Array.from(weights(64)));
    const ofParts = writeModel(partsModel, { kernels: 'int8' }).bytes;
    const server = await serve(bytes, ofParts);
    let browser: Browser | undefined;
    try {
      browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox'],
        timeout: 0,
      });
      const page = await browser.newPage();
      await page.goto(server.address, { timeout: 0 });
      const found = (await page.evaluate(`(async () => {
        const { readModel } = await import('/edge.js');
        const load = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
        const examples = ${JSON.stringify(examples)};
        const predicted = (model) => examples.map((example) => [...model.predict(example)]);
        const bytes = await load('/model.tutti');
        const predictions = predicted(readModel(bytes));
        const { sharing } = await import('/sharing.js');
        const ofParts = predicted(readModel(await load('/parts.tutti'), { sharing }));
        bytes[40] ^= 1;
        let code;
        try { readModel(bytes); } catch (error) { code = error.code; }
        return { predictions, ofParts, code, agent: navigator.userAgent };
      })()`)) as Record<'predictions' | 'ofParts', number[][]> & { code: string; agent: string };
      assert.match(found.agent, /Chrome/);
      assert.equal(found.code, 'BAD_MODEL');
      const expected = [readModel(bytes), readModel(ofParts, { sharing })];
      // Math.exp and Math.tanh may differ in the last bit.
      for (const [which, predictions] of [found.predictions, found.ofParts].entries())
        for (const [at, example] of examples.entries())
          for (const [i, value] of expected[which]!.predict(example).entries())
            assert.ok(Math.abs(predictions[at]![i]! - value) < 1e-6);
    } finally {
      await browser?.close();
      server.close();
    }
  });
});
