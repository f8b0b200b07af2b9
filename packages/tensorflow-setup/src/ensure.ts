import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, isTuttiError } from '@tutti/runtime';
import { addonOrigin } from './addon-entry.js';
import { FOUND_IN_PLACE, type Found, firstThatWorks } from './first-that-works.js';
import { foreignInstall, maySetUp, notForThisUser } from './foreign-install.js';
import { withLock } from './lock.js';
import { createOwnDownloadWay } from './own-download.js';
import { bindingPath, cacheFolder, tfjsNodeFolder } from './paths.js';
import { setupCommand } from './setup-command.js';
import { cacheOf, liesElsewhere, readStamp, runtimeName, type Stamp, writeStamp } from './stamp.js';
import { tryBinding } from './try-binding.js';
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
  const fits = (stamp: Stamp | undefined): stamp is Stamp =>
    stamp?.runtimes.includes(runtimeName()) === true &&
    !liesElsewhere(stamp, process.env) &&
    addonOrigin(tfjsNode) !== 'outdated';
  if (fits(before)) return done(before);
  if (!(await maySetUp(tfjsNode))) return asItIs(tfjsNode, before, context);
  // Unnamed wait: it is done at once.
  await ensureFolder(join(tfjsNode, 'lib'));
  return withLock(join(tfjsNode, 'lib', 'tutti-native.lock'), context, async () => {
    const stamp = await readStamp(tfjsNode);
    if (fits(stamp)) return done(stamp);
    return done(await setUp(tfjsNode, stamp, context));
  });
}

/** What another user has set up, if it works for this one, who may not set it up. */
async function asItIs(
  tfjsNode: string,
  stamp: Stamp | undefined,
  context: WayContext,
): Promise<TensorflowSetup> {
  try {
    const { tensorflow } = await tryBinding(context);
    return { tensorflow, way: stamp?.way ?? FOUND_IN_PLACE, bindingPath: bindingPath(tfjsNode) };
  } catch (error) {
    if (isTuttiError(error)) throw error;
    throw await notForThisUser(tfjsNode, (error as Error).message);
  }
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
  const wheel = createWheelWay(tfjsNode, cacheFolder(process.env), before && cacheOf(before));
  const moves = before !== undefined && liesElsewhere(before, process.env);
  const replaces = moves || addonOrigin(tfjsNode) === 'outdated';
  const found: Found = replaces
    ? await firstThatWorks([wheel], tryBinding, context, { inPlace: moves ? 'never' : 'last' })
    : await firstThatWorks([createOwnDownloadWay(tfjsNode), wheel], tryBinding, context);
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
  /** Why it does not load. */
  readonly problem?: string;
  /** What mends it. */
  readonly remedy?: string;
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
    ...(way === undefined ? {} : { way }),
  };
  try {
    const tried = await tryBinding({ report: () => {}, signal: options.signal });
    return { ready: true, ...known, ...tried };
  } catch (error) {
    const foreign = await foreignInstall(folder);
    const problem =
      foreign === undefined ? (error as Error).message : `it does not load: ${foreign.reason}`;
    const remedy = foreign?.remedy ?? `Have it set up: ${setupCommand()}.`;
    return { ready: false, ...known, problem, remedy };
  }
}
