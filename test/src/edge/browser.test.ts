import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type ModelSpec, writeModel } from '@tutti/compress';
import { readModel } from '@tutti/edge';
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

const entry = fileURLToPath(new URL('../../../packages/edge/src/index.ts', import.meta.url));

/** What a web server would have: the page, the minified reader, and the file of a model. */
async function serve(bytes: Uint8Array) {
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  const files: Record<string, [type: string, content: string | Uint8Array]> = {
    '/': ['text/html', '<!doctype html><title>Tutti</title>'],
    '/edge.js': ['text/javascript', bundle.outputFiles[0]!.contents],
    '/model.tutti': ['application/octet-stream', bytes],
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
    const server = await serve(bytes);
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
        const bytes = new Uint8Array(await (await fetch('/model.tutti')).arrayBuffer());
        const model = readModel(bytes);
        const predictions = ${JSON.stringify(examples)}.map((example) => [...model.predict(example)]);
        bytes[40] ^= 1;
        let code;
        try { readModel(bytes); } catch (error) { code = error.code; }
        return { predictions, code, agent: navigator.userAgent };
      })()`)) as { predictions: number[][]; code: string; agent: string };
      assert.match(found.agent, /Chrome/);
      assert.equal(found.code, 'BAD_MODEL');
      const { predict } = readModel(bytes);
      // Math.exp and Math.tanh may differ in the last bit.
      for (const [at, example] of examples.entries())
        for (const [i, value] of predict(example).entries())
          assert.ok(Math.abs(found.predictions[at]![i]! - value) < 1e-6);
    } finally {
      await browser?.close();
      server.close();
    }
  });
});
