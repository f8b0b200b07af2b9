import { readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { bindingPath } from './paths.js';

/** The version of tfjs-node whose addon is built. */
const TFJS_NODE = '4.22.0';

/** Counts how the addon is built: raise it whenever that changes, so that existing set-ups follow. */
const BUILD = 4;

/** @returns the name in the cache of the addon that is built against these libraries */
export function addonEntry(libraries: string): string {
  return `tfjs-node-${TFJS_NODE}-build-${BUILD}-${libraries}`;
}

/**
 * Whose addon a package has: one that was built as it is built today (`own`), before (`outdated`), or
 * one that we did not build (`foreign`), which may take signals while it computes.
 */
export type AddonOrigin = 'own' | 'outdated' | 'foreign';

export function addonOrigin(tfjsNode: string): AddonOrigin {
  let target: string;
  try {
    target = readlinkSync(bindingPath(tfjsNode));
  } catch {
    return 'foreign';
  }
  const entry = basename(dirname(target));
  if (entry.startsWith(addonEntry(''))) return 'own';
  return entry.startsWith('tfjs-node-') ? 'outdated' : 'foreign';
}
