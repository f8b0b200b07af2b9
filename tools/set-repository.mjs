/**
 * `node tools/set-repository.mjs https://github.com/somebody/tutti`: writes where the sources are
 * into the manifests of the workspace and of every package that is published.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestOf, publishedFolders } from './packages.mjs';
import { main, root } from './setup.mjs';

await main(async () => {
  const [address] = process.argv.slice(2);
  if (address === undefined || !URL.canParse(address))
    throw Object.assign(new Error('The address of the repository is missing.'), {
      remedy: 'Give it: node tools/set-repository.mjs https://github.com/somebody/tutti',
    });
  const url = `git+${address.replace(/^git\+|\.git$|\/$/g, '')}.git`;
  for (const folder of ['.', ...publishedFolders(root)]) {
    const manifest = manifestOf(root, folder);
    manifest.repository = { type: 'git', url, ...(folder === '.' ? {} : { directory: folder }) };
    writeFileSync(join(root, folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
});
