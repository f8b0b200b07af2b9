import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ARM = process.arch === 'arm64';

/** What we compare with, and how much of it is downloaded. */
const PEERS = {
  tensorflow: { version: '2.21.0', project: ARM ? 'tensorflow' : 'tensorflow-cpu', size: '300 MB' },
  torch: {
    version: '2.15.0',
    project: 'torch',
    size: ARM ? '200 MB' : '3 GB, most of it for GPUs',
  },
} as const;

/**
 * The Python of an environment with a peer; set up once, in the cache.
 * @throws Error if there is no python3 with venv, or no package index
 */
export async function pythonWith(peer: keyof typeof PEERS): Promise<string> {
  const { version, project, size } = PEERS[peer];
  const cache = process.env.TUTTI_CACHE || join(homedir(), '.cache', 'tutti');
  const folder = join(cache, `bench-${peer}-${version}`);
  const python = join(folder, 'bin', 'python');
  const ready = await run(python, ['-c', `import ${peer}, numpy`]).then(
    () => true,
    () => false,
  );
  if (ready) return python;
  console.error(`Setting up ${peer} ${version} for Python in ${folder} (once, about ${size}).`);
  await access(folder).catch(() => run('python3', ['-m', 'venv', folder]));
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', '--disable-pip-version-check'];
  await run(python, [...pip, `${project}==${version}`, 'numpy']);
  return python;
}

/** Scripts stand in src: they are run as they are. */
export const scriptPath = (name: string) =>
  fileURLToPath(new URL(`../../src/benchmarks/${name}`, import.meta.url));

/** Runs a script that prints one number. */
export async function figureOf(
  python: string,
  script: string,
  args: readonly (string | number)[],
  environment: NodeJS.ProcessEnv = {},
): Promise<number> {
  const env = { ...process.env, ...environment };
  const { stdout } = await run(python, [scriptPath(script), ...args.map(String)], { env });
  return Number(stdout);
}
