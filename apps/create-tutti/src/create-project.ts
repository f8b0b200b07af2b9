import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestOf } from './manifest.js';
import { ourPackages } from './our-packages.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** npm leaves files of these names out of packages, or obeys them there. */
const HIDDEN = ['gitignore', 'npmrc'];

/** A mistake of whoever calls; the message ends with what to do. */
export class UsageError extends Error {}

/**
 * Writes a project into a folder that does not exist or is empty.
 *
 * @param folder its last part names the project
 * @returns the absolute path of the folder
 * @throws UsageError if there is something in the folder, or npm would not take its name
 */
export async function createProject(folder: string): Promise<string> {
  const path = resolve(folder);
  const name = packageName(basename(path));
  if (name === undefined)
    throw new UsageError(
      `npm takes no package of the name "${basename(path)}". Choose letters, digits and hyphens.`,
    );
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST' || error.code === 'ENOTDIR')
      throw new UsageError(`${path} lies where a file is. Choose another name.`);
    throw new UsageError(`${path} cannot be made: ${error.message}. Choose another place.`);
  });
  const [first] = await readdir(path);
  if (first !== undefined)
    throw new UsageError(`${path} is not empty: it holds ${first}. Choose another name.`);

  await cp(join(ROOT, 'template'), path, { recursive: true });
  for (const hidden of HIDDEN) await rename(join(path, `_${hidden}`), join(path, `.${hidden}`));
  const manifest = manifestOf(name, await ourPackages(ROOT, path));
  await writeFile(join(path, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const readme = join(path, 'README.md');
  await writeFile(readme, (await readFile(readme, 'utf8')).replace('NAME', name));
  return path;
}

/** As npm has them: https://docs.npmjs.com/cli/configuring-npm/package-json#name */
function packageName(folder: string): string | undefined {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._-]+/, '')
    .replace(/-+$/, '');
  return name === '' || name === 'node_modules' || name.length > 214 ? undefined : name;
}
