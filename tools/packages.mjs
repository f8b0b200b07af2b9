import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A package.json.
 *
 * @param {string} root
 * @param {string} folder relative to it
 * @returns {Record<string, any>}
 */
export const manifestOf = (root, folder) =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/**
 * The folders of all packages of the workspace, relative to its root.
 *
 * @param {string} root
 * @returns {string[]}
 */
export const packageFolders = (root) => [
  ...['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => `${kind}/${name}`),
  ),
  ...['examples', 'test', 'tools'],
];

/**
 * Those that are published.
 *
 * @param {string} root
 * @returns {string[]}
 */
export const publishedFolders = (root) =>
  packageFolders(root).filter((folder) => manifestOf(root, folder).private !== true);
