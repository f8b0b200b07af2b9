/**
 * `npm run release -- 0.2.0` writes a version into all manifests, the lock and the changelog, and
 * builds everything anew. `npm run release -- --publish` gives what was built to the registry that
 * npm is configured for; more options go to `npm publish` (`--dry-run`, `--tag next`).
 * `npm run release -- --rehearse` does all of it with what is committed, in a temporary folder and with
 * a registry on loopback, installs from there, and trains. It takes minutes.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestOf, packageFolders, publishedFolders } from './packages.mjs';
import { rehearse } from './rehearse.mjs';
import { changelogAt, manifestAt } from './release-files.mjs';
import { run } from './run.mjs';
import { main, nx, nxEnvironment, root } from './setup.mjs';

const folders = packageFolders(root);
const read = (...path) => readFileSync(join(root, ...path), 'utf8');

async function must(command, args, options = {}) {
  const { code } = await run(command, args, { cwd: root, ...options });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}.`);
}

async function prepare(version) {
  const date = new Date().toISOString().slice(0, 10);
  const changelog = changelogAt(read('CHANGELOG.md'), version, date);
  for (const folder of folders) {
    const text = JSON.stringify(manifestAt(manifestOf(root, folder), version), null, 2);
    writeFileSync(join(root, folder, 'package.json'), `${text}\n`);
  }
  writeFileSync(join(root, 'CHANGELOG.md'), changelog);
  await must('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund']);
  // What was built of files that are gone would be published, too.
  for (const folder of folders)
    rmSync(join(root, folder, 'dist'), { recursive: true, force: true });
  const build = [nx, 'run-many', '-t', 'build', '--skip-nx-cache'];
  await must(process.execPath, build, { env: nxEnvironment });
}

/** What the registry has already is left alone: a release that broke off goes on. */
async function publish(options) {
  const missing = [];
  for (const folder of publishedFolders(root)) {
    const { name, version } = manifestOf(root, folder);
    // Unnamed wait: npm has limits of its own.
    const found = await run('npm', ['view', `${name}@${version}`, 'version'], {
      cwd: root,
      show: 'nothing',
    });
    if (found.code !== 0 || found.output.trim() !== version) missing.push(folder);
    else process.stdout.write(`${name}@${version} is published already.\n`);
  }
  if (missing.length === 0) return;
  const workspaces = missing.flatMap((folder) => ['-w', folder]);
  await must('npm', ['publish', ...workspaces, '--access', 'public', ...options]);
}

await main(async () => {
  const [first, ...more] = process.argv.slice(2);
  if (first === '--publish') await publish(more);
  // Unnamed wait: every command shows what it does.
  else if (first === '--rehearse') await rehearse(root);
  else if (/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(first ?? '')) await prepare(first);
  else
    throw Object.assign(new Error('A release has a version.'), {
      remedy: 'Give it: npm run release -- 0.2.0; then npm run release -- --publish',
    });
});
