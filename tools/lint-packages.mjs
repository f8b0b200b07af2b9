/**
 * Looks at all packages as those see them who install them: publint at their manifests and files,
 * @arethetypeswrong at their types. One npm packs them all, and one process looks at them: a command
 * of each tool for each package takes minutes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { manifestOf, publishedFolders } from './packages.mjs';
import { run } from './run.mjs';
import { main, root } from './setup.mjs';
import { typeFaults } from './type-faults.mjs';

await main(async () => {
  const folders = publishedFolders(root);
  const into = mkdtempSync(join(tmpdir(), 'tutti-pack-'));
  const faults = [];
  try {
    const options = ['--json', '--ignore-scripts', '--pack-destination', into];
    const packing = ['pack', ...options, ...folders.map((folder) => `./${folder}`)];
    // Unnamed wait: it takes seconds, of this machine alone.
    const { code, output } = await run('npm', packing, { cwd: root, show: 'nothing' });
    if (code !== 0) throw new Error(`npm pack ended with ${code}: ${output}`);
    for (const folder of folders) {
      const { name, version } = manifestOf(root, folder);
      const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
      const tarball = new Uint8Array(readFileSync(join(into, file)));
      // Unnamed wait: it computes.
      const { messages, pkg } = await publint({
        pack: { tarball: tarball.buffer },
        strict: true,
      });
      for (const message of messages) faults.push(`${name}: ${formatMessage(message, pkg)}`);
      // Unnamed wait: it computes.
      const result = await checkPackage(createPackageFromTarballData(tarball));
      const isModule = manifestOf(root, folder).exports !== undefined;
      for (const fault of typeFaults(result, isModule)) faults.push(`${name}: ${fault}`);
    }
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  if (faults.length > 0) throw new Error(`${faults.length} faults of packages, see above.`);
  process.stdout.write(`${folders.length} packages are as their users need them.\n`);
});
