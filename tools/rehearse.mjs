import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry } from './rehearsal-registry.mjs';
import { run } from './run.mjs';

/** No release has it, so what is installed is what was published here. */
const VERSION = '99.0.0';

/**
 * Does in a clone all that a release does, publishes to a registry on loopback, and makes a
 * project with what is there, whose program trains with native TensorFlow. What is not committed
 * takes no part.
 *
 * @param {string} root the checkout
 * @throws Error naming the command that failed
 */
export async function rehearse(root) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-rehearsal-'));
  const at = (name) => join(folder, name);
  mkdirSync(at('registry'));
  let registry;
  try {
    const must = async (cwd, command, ...args) => {
      process.stderr.write(`$ ${command} ${args.join(' ')}\n`);
      // Unnamed wait: the process shows what it does.
      const { code } = await run(command, args, { cwd, env: { ...process.env, ...environment } });
      if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}.`);
    };
    let environment = {};
    await must(folder, 'git', 'clone', '--quiet', '--depth', '1', `file://${root}`, at('checkout'));
    await must(at('checkout'), 'npm', 'run', 'release', '--', VERSION);

    const { output } = await run('npm', ['config', 'get', 'registry'], {
      cwd: folder,
      show: 'nothing',
    });
    registry = await startRegistry(at('registry'), output.trim());
    const userconfig = at('npmrc');
    // npm asks for a token before it publishes; this registry takes any.
    const token = `${registry.url.replace('http:', '')}:_authToken=none`;
    writeFileSync(userconfig, `registry=${registry.url}\n${token}\nloglevel=error\n`);
    environment = { npm_config_userconfig: userconfig, npm_config_registry: registry.url };
    await must(at('checkout'), 'npm', 'run', 'release', '--', '--publish');
    // After a release that broke off: what is there is left alone.
    await must(at('checkout'), 'npm', 'run', 'release', '--', '--publish');

    const project = at('project');
    const once = environment;
    // npm keeps what it has run of a version; that of an earlier rehearsal is not this one.
    environment = { ...once, npm_config_cache: at('npm-cache') };
    await must(folder, 'npm', 'create', '--yes', `tutti@${VERSION}`, 'project');
    environment = once;
    await must(project, 'npm', 'install');
    // Has native TensorFlow set up first.
    await must(project, 'npx', 'tutti', 'train', 'program.ts', '--workers', '2', '--steps', '30');
    await must(project, 'npm', 'test');
    await must(project, 'npx', 'tutti', 'doctor');
  } finally {
    // Unnamed wait: a process that was told to end.
    await registry?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
