import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { run } from './run.mjs';

/** The last version for Node.js 20. Installed for a rehearsal only, as it has 300 packages. */
const VERDACCIO = '6.2.9';

/** Whoever may reach it may publish: it listens on loopback and ends with the rehearsal. */
const configOf = (storage, upstream) => ({
  storage,
  auth: {},
  uplinks: { upstream: { url: upstream } },
  packages: {
    '@tutti/*': { access: '$all', publish: '$all' },
    'create-tutti': { access: '$all', publish: '$all' },
    '**': { access: '$all', proxy: 'upstream' },
  },
  log: { type: 'stdout', format: 'pretty', level: 'error' },
});

/**
 * Starts a registry on loopback that takes packages of Tutti and passes on what is asked of others.
 *
 * @param {string} folder for its program and what is published; the caller removes it
 * @param {string} upstream the registry that others' packages come from
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function startRegistry(folder, upstream) {
  const manifest = {
    private: true,
    dependencies: { verdaccio: VERDACCIO },
    // Verdaccio asks for a dist-tag, which not every mirror of a registry has.
    overrides: { 'node-fetch': '2.7.0', 'node-fetch-cjs': 'npm:node-fetch@2.7.0' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund'];
  // Unnamed wait: npm shows what it does.
  const { code } = await run('npm', install, { cwd: folder });
  if (code !== 0) throw new Error(`npm install verdaccio@${VERDACCIO} ended with ${code}.`);
  const config = join(folder, 'config.yaml');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(configOf(join(folder, 'storage'), upstream)));
  // Unnamed wait: the system gives a port at once.
  const port = await freePort();
  const program = join(folder, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
  const args = [program, '--listen', `127.0.0.1:${port}`, '--config', config];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Unnamed wait: the process ends by itself, or is told to.
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}/`;
  // Unnamed wait: it answers, or it has ended.
  if (!(await answers(url, ended))) throw new Error('The registry of the rehearsal ended.');
  child.stdout.resume();
  return {
    url,
    async close() {
      child.kill();
      // Unnamed wait: it was told to end.
      await ended;
    },
  };
}

async function answers(url, ended) {
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!over) {
    // Unnamed wait: loopback answers at once.
    const response = await fetch(`${url}-/ping`).catch(() => undefined);
    if (response?.ok) return true;
    // Unnamed wait: the pause between two questions.
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

function freePort() {
  // Unnamed wait: the system gives a port at once.
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
