import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTuttiError } from '@tutti/runtime';
import { digestOfFile, writeDigests } from './digests.js';
import { runProcess } from './run-process.js';
import { createSetupMonitor } from './setup-monitor.js';
import type { WayContext } from './way.js';
import { LIBRARIES } from './wheel.js';

export const ADDON = 'tfjs_binding.node';

const LIMIT_MS = 600_000;

/** What is included before the sources. Beside this file in `src`, also for what runs from `dist`. */
const INCLUDED = ['signals-blocked.h', 'unfilled-results.h', 'copied-values.h'].map((name) =>
  fileURLToPath(new URL(`../src/${name}`, import.meta.url)),
);

/** @throws Error if there is no C++ compiler; worth knowing before a long download. */
export async function findCompiler(context: WayContext): Promise<string> {
  const monitor = createSetupMonitor(context);
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  for (const command of candidates) {
    const asking = runProcess(command, ['--version'], { limitMs: 30_000, signal: context.signal });
    const found = await monitor.race(asking.catch(unlessAborted), {
      who: `the compiler ${command}`,
      what: 'tell its version',
      remedy: 'CXX names another one.',
    });
    if (found !== undefined) return command;
  }
  throw new Error(`there is no C++ compiler (tried ${candidates.join(', ')})`);
}

/**
 * Compiles tfjs-node's addon from the sources in its npm package into `folder`.
 *
 * Its calls into TensorFlow block signals, what it gives is not filled with zeros first, and it copies values to
 * memory that it is given: see signals-blocked.h, unfilled-results.h and copied-values.h.
 * Node's C headers come from the npm package node-api-headers, so neither node-gyp nor a download of
 * Node's own headers is needed; N-API 8 makes one addon fit all Node versions.
 *
 * @param libraries the folder of the cache that holds `tensorflow/`; its name, not its place, goes
 *   into the addon, so the cache as a whole can be moved.
 */
export async function buildAddon(
  sources: string,
  libraries: { readonly folder: string; readonly name: string },
  folder: string,
  context: WayContext,
): Promise<void> {
  const compiler = await findCompiler(context);
  context.report('Compiling the TensorFlow addon (about 20 s).');
  const require = createRequire(import.meta.url);
  const nodeHeaders = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const tensorflow = join(libraries.folder, 'tensorflow');
  const binding = join(sources, 'binding');
  const addon = join(folder, ADDON);
  const args = [
    ...['-shared', '-fPIC', '-std=c++17', '-O2', '-DNAPI_VERSION=8'],
    ...['-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DBUILDING_NODE_EXTENSION'],
    ...['-I', nodeHeaders, '-I', join(tensorflow, 'include'), '-I', binding],
    ...INCLUDED.flatMap((header) => ['-include', header]),
    join(binding, 'tfjs_backend.cc'),
    join(binding, 'tfjs_binding.cc'),
    ...LIBRARIES.map((name) => join(tensorflow, name)),
    `-Wl,-rpath,$ORIGIN/../${libraries.name}/tensorflow`,
    ...['-o', addon],
  ];
  const compiling = runProcess(compiler, args, { limitMs: LIMIT_MS, signal: context.signal });
  const monitor = createSetupMonitor(context);
  await monitor.race(compiling, {
    who: `the compiler ${compiler}`,
    what: 'compile the TensorFlow addon',
    remedy: `It needs about 20 s of one core and 1 GB of memory; it is given up after ${LIMIT_MS / 60_000} minutes.`,
  });
  await writeDigests(folder, { [ADDON]: await digestOfFile(addon) });
}

/** A compiler that does not answer is none; but who stops the set-up wants no other one tried. */
function unlessAborted(error: unknown): undefined {
  if (isTuttiError(error)) throw error;
}
