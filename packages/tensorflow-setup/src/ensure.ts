import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder } from '@tutti/runtime';
import { FOUND_IN_PLACE, type Found, firstThatWorks } from './first-that-works.js';
import { withLock } from './lock.js';
import { createOwnDownloadWay } from './own-download.js';
import { bindingPath, cacheFolder, tfjsNodeFolder } from './paths.js';
import { probeBinding } from './probe.js';
import { readStamp, runtimeName, type Stamp, writeStamp } from './stamp.js';
import type { WayContext } from './way.js';
import { createWheelWay } from './wheel-way.js';

/**
 * Makes sure that tfjs-node has a native binding that loads: one in place; else tfjs-node's own
 * download; else the addon built against the library of the Python wheel, kept in a folder of the
 * user's. Instant when it was done before.
 *
 * @throws TuttiError NO_TENSORFLOW that names the three ways and why each failed; ABORTED.
 */
export async function ensureTensorflow(context: WayContext): Promise<TensorflowSetup> {
  const tfjsNode = tfjsNodeFolder();
  const done = (stamp: Stamp): TensorflowSetup => {
    const { tensorflow, way } = stamp;
    return { tensorflow, way, bindingPath: bindingPath(tfjsNode) };
  };
  const before = await readStamp(tfjsNode);
  if (before?.runtimes.includes(runtimeName())) return done(before);
  // Unnamed wait: it is done at once.
  await ensureFolder(join(tfjsNode, 'lib'));
  return withLock(join(tfjsNode, 'lib', 'tutti-native.lock'), context, async () => {
    const stamp = await readStamp(tfjsNode);
    if (stamp?.runtimes.includes(runtimeName())) return done(stamp);
    return done(await setUp(tfjsNode, stamp, context));
  });
}

export interface TensorflowSetup {
  /** The version of the native library. */
  readonly tensorflow: string;
  /** How it was had. */
  readonly way: string;
  readonly bindingPath: string;
}

async function setUp(
  tfjsNode: string,
  before: Stamp | undefined,
  context: WayContext,
): Promise<Stamp> {
  context.report('Setting up native TensorFlow.');
  const found: Found = await firstThatWorks(
    [createOwnDownloadWay(tfjsNode), createWheelWay(tfjsNode, cacheFolder(process.env))],
    probeBinding,
    context,
  );
  context.report(`Native TensorFlow ${found.tensorflow} works (${found.way}).`);
  const runtime = runtimeName();
  if (before !== undefined && found.way === FOUND_IN_PLACE) {
    // Another Node version, the same binding.
    const { way, runtimes, files } = before;
    const others = Object.keys(files).filter((path) => path !== bindingPath(tfjsNode));
    return writeStamp(tfjsNode, { ...found, way, files: others, runtimes: [...runtimes, runtime] });
  }
  return writeStamp(tfjsNode, { ...found, runtimes: [runtime] });
}

export interface TensorflowStatus {
  readonly ready: boolean;
  readonly tfjsNode: string;
  /** The version of the native library, if it loads. */
  readonly tensorflow?: string;
  readonly way?: string;
  readonly bindingPath: string;
  readonly cacheFolder: string;
  /** Why it does not load. */
  readonly problem?: string;
}

/** Loads the binding in a child process and tells what came of it; changes nothing. */
export async function tensorflowStatus(
  options: { readonly signal?: AbortSignal } = {},
): Promise<TensorflowStatus> {
  const folder = tfjsNodeFolder();
  // Unnamed wait: it is done at once.
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const way = (await readStamp(folder))?.way;
  const known = {
    tfjsNode: manifest.version as string,
    bindingPath: bindingPath(folder),
    cacheFolder: cacheFolder(process.env),
    ...(way === undefined ? {} : { way }),
  };
  try {
    const probed = await probeBinding({ report: () => {}, signal: options.signal });
    return { ready: true, ...known, ...probed };
  } catch (error) {
    return { ready: false, ...known, problem: (error as Error).message };
  }
}
