import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { OURS } from './manifest.js';

/**
 * Where a project has Tutti from: a registry, in the version of this package; where this package lies in
 * a checkout, all packages of that, as they are built there.
 *
 * @param own the folder of this package
 * @param project that of the project
 * @returns what stands in its package.json, by name
 */
export async function ourPackages(own: string, project: string): Promise<Record<string, string>> {
  const read = async (folder: string) =>
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const checkout = join(own, '..', '..');
  if (!existsSync(join(checkout, 'packages', 'launch', 'package.json'))) {
    const { version } = await read(own);
    return Object.fromEntries(OURS.map((name) => [name, `^${version}`]));
  }
  const packages = await readdir(join(checkout, 'packages'));
  const folders = ['apps/cli', ...packages.map((name) => `packages/${name}`)];
  const links = folders.map(async (folder) => {
    const path = join(checkout, folder);
    return [(await read(path)).name, `file:${relative(project, path)}`];
  });
  return Object.fromEntries(await Promise.all(links));
}
