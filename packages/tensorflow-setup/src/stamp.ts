import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { bindingPath } from './paths.js';
import { LIBRARIES } from './wheel.js';

/** What the last successful set-up of this checkout left, so that the next one is instant. */
export interface Stamp {
  readonly tensorflow: string;
  readonly way: string;
  /** Platform, architecture and Node's ABI under which the binding was tried. */
  readonly runtimes: readonly string[];
  /** Sizes in bytes of the binding and of the files it needs, by path. */
  readonly files: Readonly<Record<string, number>>;
}

export function runtimeName(): string {
  return `${process.platform}-${process.arch}-${process.versions.modules}`;
}

/** The cache folder that holds the libraries; undefined if they came with the package. */
export function cacheOf({ files }: Pick<Stamp, 'files'>): string | undefined {
  const names: readonly string[] = LIBRARIES;
  const library = Object.keys(files).find((path) => names.includes(basename(path)));
  // <cache>/<entry>/tensorflow/<library>
  return library && dirname(dirname(dirname(library)));
}

/** Whether the libraries lie in another folder than the one that was asked for. */
export function liesElsewhere(
  stamp: Pick<Stamp, 'files'>,
  { TUTTI_CACHE: asked }: Readonly<Record<string, string | undefined>>,
): boolean {
  const cache = cacheOf(stamp);
  return Boolean(asked) && cache !== undefined && cache !== resolve(asked!);
}

const stampPath = (tfjsNode: string) => join(tfjsNode, 'lib', 'tutti-native.json');

/** @returns the stamp if all its files are in place with their sizes. */
// Unnamed wait: small files of this machine.
export async function readStamp(tfjsNode: string): Promise<Stamp | undefined> {
  try {
    const stamp = JSON.parse(await readFile(stampPath(tfjsNode), 'utf8')) as Stamp;
    if (!Array.isArray(stamp.runtimes)) return undefined;
    for (const [path, bytes] of Object.entries(stamp.files)) {
      if ((await stat(path)).size !== bytes) return undefined;
    }
    return stamp;
  } catch {
    return undefined;
  }
}

// Unnamed wait: small files of this machine.
export async function writeStamp(
  tfjsNode: string,
  found: {
    readonly tensorflow: string;
    readonly way: string;
    readonly files: readonly string[];
    readonly runtimes: readonly string[];
  },
): Promise<Stamp> {
  const files: Record<string, number> = {};
  for (const path of [bindingPath(tfjsNode), ...found.files]) files[path] = (await stat(path)).size;
  const { tensorflow, way, runtimes } = found;
  const stamp: Stamp = { tensorflow, way, runtimes, files };
  await writeFile(stampPath(tfjsNode), `${JSON.stringify(stamp, null, 2)}\n`);
  return stamp;
}
