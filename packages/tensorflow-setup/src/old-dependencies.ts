import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tfjsNodeFolder } from './paths.js';

/**
 * What tfjs-node 4.22 asks for in versions with known vulnerabilities, and the versions it works with
 * instead. npm takes overrides from the project that installs, never from a package: so every project
 * needs them in its own package.json.
 */
export const OVERRIDES: Readonly<Record<string, string>> = {
  '@mapbox/node-pre-gyp': '2.0.3',
  'adm-zip': '0.6.1',
  tar: '7.5.23',
};

export interface OldDependency {
  readonly name: string;
  readonly version: string;
  readonly wanted: string;
}

/**
 * Those of them that are installed in an older version, for tfjs-node or for what it asks for.
 * @param tfjsNode its folder; default: the one that is loaded
 * @throws TuttiError NO_TENSORFLOW if tfjs-node is not installed
 */
export async function oldDependencies(tfjsNode = tfjsNodeFolder()): Promise<OldDependency[]> {
  const seen = new Map<string, OldDependency>();
  const visit = async (from: string): Promise<void> => {
    // Unnamed wait: a small file of this machine.
    const { dependencies = {} } = await manifestIn(from);
    for (const [name, wanted] of Object.entries(OVERRIDES)) {
      // Unnamed wait: small files of this machine.
      const found = name in dependencies ? await installed(from, name) : undefined;
      if (found === undefined || seen.has(found.folder)) continue;
      const { folder, version } = found;
      seen.set(folder, { name, version, wanted });
      // Unnamed wait: small files of this machine.
      await visit(folder);
    }
  };
  // Unnamed wait: small files of this machine.
  await visit(tfjsNode);
  return [...seen.values()].filter(({ version, wanted }) => isOlder(version, wanted));
}

/** What a project writes into its package.json. */
export function overridesBlock(): string {
  return `"overrides": ${JSON.stringify({ '@tensorflow/tfjs-node': OVERRIDES }, null, 2)}`;
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

async function manifestIn(folder: string): Promise<Manifest> {
  // Unnamed wait: a small file of this machine.
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}

/** As Node resolves it, without the exports of the package, which may hide its manifest. */
async function installed(from: string, name: string) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    // Unnamed wait: a small file of this machine.
    const manifest = await manifestIn(folder).catch(() => undefined);
    if (manifest !== undefined) return { folder, version: manifest.version };
    if (dirname(at) === at) return undefined;
  }
}

function isOlder(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((text) => text.split(/[.-]/, 3).map(Number));
  const at = a!.findIndex((part, i) => part !== b![i]);
  return at >= 0 && a![at]! < b![at]!;
}
