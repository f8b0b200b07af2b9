import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestOf } from './packages.mjs';
import { startRegistry } from './rehearsal-registry.mjs';
import { run } from './run.mjs';

/** No release has it, so what is installed is what was published here. */
const VERSION = '99.0.0';

const PROGRAM = `
import { arrays } from '@tutti/data';
import { defineTraining, tf } from '@tutti/tensorflow';

const data = Float32Array.from({ length: 64 }, (_, at) => Math.sin(at));
const training = arrays({ x: { data, shape: [16, 4] }, y: { data: data.slice(0, 16), shape: [16] } });

export default defineTraining({
  data: () => ({ training }),
  model: () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] }),
  loss: 'meanSquaredError',
  optimizer: { name: 'adam', learningRate: 0.01 },
  batchSize: 8,
  epochs: 2,
  shards: 2,
  seed: 1,
});
`;

/**
 * Does in a clone all that a release does, publishes to a registry on loopback, and installs from
 * there into an empty folder, where a program trains with native TensorFlow. What is not committed
 * takes no part.
 *
 * @param {string} root the checkout
 * @throws Error naming the command that failed
 */
export async function rehearse(root) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-rehearsal-'));
  const at = (name) => join(folder, name);
  for (const name of ['registry', 'project']) mkdirSync(at(name));
  let registry;
  try {
    const must = async (cwd, command, ...args) => {
      process.stderr.write(`$ ${command} ${args.join(' ')}\n`);
      // Unnamed wait: the process shows what it does.
      const { code } = await run(command, args, { cwd, env: { ...process.env, ...environment } });
      if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}.`);
    };
    let environment = {};
    await must(folder, 'git', 'clone', '--quiet', '--depth', '1', `file://${root}`, at('checkout'));
    await must(at('checkout'), 'npm', 'run', 'release', '--', VERSION);

    const { output } = await run('npm', ['config', 'get', 'registry'], {
      cwd: folder,
      show: 'nothing',
    });
    registry = await startRegistry(at('registry'), output.trim());
    const userconfig = at('npmrc');
    // npm asks for a token before it publishes; this registry takes any.
    const token = `${registry.url.replace('http:', '')}:_authToken=none`;
    writeFileSync(userconfig, `registry=${registry.url}\n${token}\nloglevel=error\n`);
    environment = { npm_config_userconfig: userconfig, npm_config_registry: registry.url };
    await must(at('checkout'), 'npm', 'run', 'release', '--', '--publish');
    // After a release that broke off: what is there is left alone.
    await must(at('checkout'), 'npm', 'run', 'release', '--', '--publish');

    const project = at('project');
    const { devDependencies } = manifestOf(root, 'packages/tensorflow');
    const tfjsNode = `@tensorflow/tfjs-node@${devDependencies['@tensorflow/tfjs-node']}`;
    const { overrides } = manifestOf(root, '.');
    const manifest = {
      private: true,
      type: 'module',
      overrides: { '@tensorflow/tfjs-node': overrides },
    };
    writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(project, 'program.ts'), PROGRAM);
    const names = ['cli', 'data', 'tensorflow'].map((name) => `@tutti/${name}@${VERSION}`);
    await must(project, 'npm', 'install', '--ignore-scripts', ...names, tfjsNode);
    const train = ['tutti', 'train', 'program.ts', '--workers', '2'];
    // Unnamed wait: it ends at once, without a library to load.
    const early = await run('npx', train, { cwd: project, show: 'nothing' });
    if (early.code === 0 || !early.output.includes('`npx tutti setup`'))
      throw new Error(
        `A program without native TensorFlow does not name tutti setup: ${early.output}`,
      );
    await must(project, 'npx', 'tutti', 'setup');
    await must(project, 'npx', ...train);
    await must(project, 'npx', 'tutti', 'doctor');
  } finally {
    // Unnamed wait: a process that was told to end.
    await registry?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
