import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A package as `npm pack` has made it. */
export interface Packed {
  /** Its folder in the checkout. */
  readonly folder: string;
  readonly name: string;
  readonly filename: string;
  readonly integrity: string;
  readonly files: readonly { readonly path: string }[];
}

type Manifest = Readonly<Record<string, unknown>> & { readonly private?: boolean };
const manifestOf = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));

/** Packs all that is published into a folder. */
export async function packPublished(into: string): Promise<readonly Packed[]> {
  const folders: string[] = [];
  for (const kind of ['packages', 'apps'])
    for (const name of await readdir(join(root, kind)))
      if ((await manifestOf(`${kind}/${name}`)).private !== true) folders.push(`${kind}/${name}`);
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', into];
  const { stdout } = await run('npm', [...args, ...folders.map((folder) => `./${folder}`)], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  const packed: Omit<Packed, 'folder'>[] = Object.values(JSON.parse(stdout));
  return packed.map((each, at) => ({ ...each, folder: folders[at]! }));
}

/**
 * Installs what is packed in the folder above a project, and the rest from where the checkout has it.
 *
 * @param manifest what its package.json says; dependencies of ours are taken from the tarballs
 */
export async function installPublished(
  cwd: string,
  manifest: Readonly<Record<string, unknown>>,
  packed: readonly Packed[],
): Promise<void> {
  const ours = packed.map(({ name, filename }) => [name, `file:../${filename}`]);
  const linked = LINKED.map((name) => [name, `file:${join(root, 'node_modules', name)}`]);
  const { devDependencies, ...rest } = manifest;
  const { overrides } = await manifestOf('.');
  const whole = {
    ...{ name: 'own', private: true, type: 'module', ...rest, overrides },
    dependencies: {
      ...(manifest.dependencies as object),
      ...(devDependencies as object),
      ...Object.fromEntries([...ours, ...linked]),
    },
  };
  const lock = await lockOf(whole, packed);
  await writeFile(join(cwd, 'package.json'), JSON.stringify(whole));
  await writeFile(join(cwd, 'package-lock.json'), JSON.stringify(lock));
  const install = ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', install, { cwd });
}

/** Large, and the user's own: linked, as a copy would take most of a minute. */
const LINKED = ['@tensorflow/tfjs-node', '@types/node'];
const isLinked = (path: string) => /^node_modules\/(?:@tensorflow\/|@types\/node$)/.test(path);

/**
 * A lock that asks for the tarballs, and for what others publish in the versions of the checkout: so
 * npm needs no network after the checkout has, and takes away what no package asks for.
 */
async function lockOf(manifest: object, packed: readonly Packed[]): Promise<object> {
  const { packages: installed } = JSON.parse(
    await readFile(join(root, 'package-lock.json'), 'utf8'),
  ) as { packages: Record<string, { link?: boolean; dev?: boolean }> };
  const packages: Record<string, unknown> = { '': manifest };
  for (const [path, entry] of Object.entries(installed))
    if (path.includes('node_modules/') && !entry.link && !isLinked(path))
      packages[path.replace(/^(?:packages|apps)\//, 'node_modules/@tutti/')] = entry;
  for (const { folder, name, filename, integrity } of packed) {
    const { version, dependencies, peerDependencies, peerDependenciesMeta, bin } =
      await manifestOf(folder);
    const asked = { version, dependencies, peerDependencies, peerDependenciesMeta, bin };
    packages[`node_modules/${name}`] = { ...asked, resolved: `file:../${filename}`, integrity };
  }
  return { name: 'own', lockfileVersion: 3, requires: true, packages };
}
