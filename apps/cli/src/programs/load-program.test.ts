import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMonitor, systemClock } from '@tutti/runtime';
import { inTemporaryFolder } from '../testing.js';
import { loadProgram } from './load-program.js';

const setting = { name: 'sgd', learningRate: 1 };
const PROGRAM = `export default {
  data() {}, open() {}, optimizer: ${JSON.stringify(setting)}, batchSize: 1, epochs: 1, seed: 1,
};\n`;

describe('the program of a command', () => {
  /** The lines that are reported when a program that begins with this is loaded, in their order. */
  async function lines(imports: string, environment: NodeJS.ProcessEnv = {}): Promise<string[]> {
    const said: string[] = [];
    const renderer = Object.assign(() => {}, {
      note: (line: string) => said.push(line),
      close() {},
    });
    const { signal } = new AbortController();
    const context = { environment, signal, clock: systemClock };
    const monitor = createMonitor({ clock: systemClock, signal, onWaiting() {} });
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'program.mjs');
      await writeFile(join(folder, 'model.mjs'), imports);
      await writeFile(path, `import './model.mjs';\n${PROGRAM}`);
      const loading = loadProgram(path, context, { monitor, renderer }, async ({ report }) => {
        report('set up');
        return { tensorflow: '2', way: 'a test', bindingPath: '/' };
      });
      await loading.catch((error: Error) => said.push(error.message));
    });
    return said;
  }

  it('has TensorFlow set up before it is imported, if any of its sources imports it', async () => {
    const [first, then] = await lines(`import '@tutti/tensorflow';`);
    assert.equal(first, 'set up');
    // A folder without packages.
    assert.match(then!, /imports @tutti\/tensorflow, which is not installed where the program is/);
  });

  it('has nothing set up for one without it, or on the backend in plain JavaScript', async () => {
    assert.deepEqual(await lines(`import 'node:fs';`), []);
    const [first] = await lines(`import '@tutti/tensorflow';`, { TUTTI_TF_BACKEND: 'cpu' });
    assert.match(first!, /is not installed/);
  });
});
