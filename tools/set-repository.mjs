/**
 * `node tools/set-repository.mjs https://github.com/somebody/tutti`: writes where the sources are
 * into the manifests of the workspace and of every package that is published.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, root } from './setup.mjs';

await main(async () => {
  const [address] = process.argv.slice(2);
  if (address === undefined || !URL.canParse(address))
    throw Object.assign(new Error('The address of the repository is missing.'), {
      remedy: 'Give it: node tools/set-repository.mjs https://github.com/somebody/tutti',
    });
  const url = `git+${address.replace(/^git\+|\.git$|\/$/g, '')}.git`;
  const folders = ['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => `${kind}/${name}`),
  );
  for (const folder of ['.', ...folders]) {
    const file = join(root, folder, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    if (manifest.private && folder !== '.') continue;
    manifest.repository = { type: 'git', url, ...(folder === '.' ? {} : { directory: folder }) };
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
});
