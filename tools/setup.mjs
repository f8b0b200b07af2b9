/** Sets up everything that a fresh clone needs; does nothing, and says nothing, when all is there. */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isBuilt, rememberBuilt } from './build-stamp.mjs';
import { firstDifference } from './dependencies.mjs';
import { createMonitor } from './monitor.mjs';
import { run } from './run.mjs';
import { writeFault } from './write-fault.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Nx without its background process, its terminal interface and its questions. */
export const nxEnvironment = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_TUI: 'false',
  NX_NO_CLOUD: 'true',
};
export const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');

/** Set-up talk goes to stderr: stdout belongs to what the user asked for. */
const say = (line) => process.stderr.write(`${line}\n`);
const monitor = createMonitor(say);

/**
 * @param {{ native?: boolean }} options `native: false` leaves out TensorFlow's library, which a
 *   look at the options does not need.
 */
export async function setUp({ native = true } = {}) {
  checkNode(process.versions.node);
  await installDependencies();
  await buildPackages();
  if (native) await setUpTensorflow();
}

/** Runs a tool's main function; an error ends the process with its message, not its stack. */
export async function main(task) {
  try {
    // Unnamed wait: what it awaits names its own waits.
    await task();
  } catch (error) {
    say(error.remedy ? `${error.message}\n${error.remedy}` : error.message);
    process.exitCode = error.code === 'ABORTED' ? 130 : 1;
  }
}

function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(
    `Tutti needs Node.js 20.19 or newer; this is ${version}. See https://nodejs.org.`,
  );
}

async function installDependencies() {
  const difference = firstDifference(root);
  if (difference === undefined) return;
  refuseUnlessOwner(`The dependencies are not those of package-lock.json (${difference})`);
  say(`Installing the dependencies with npm (${difference}).`);
  // Development tools also where NODE_ENV is production: they build and test.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const [command, before] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { code, output } = await monitor.race(
    run(command, [...before, ...args], { cwd: root, show: 'nothing' }),
    {
      who: 'npm and its registry',
      what: 'install the dependencies',
      remedy:
        'See how fast the network is, and which registry npm asks (npm config get registry). Stopped with Ctrl-C and started again, it goes on from its cache.',
    },
  );
  stopUnless(code === 0, `npm ci failed with code ${code}`, output, code);
}

async function buildPackages() {
  if (isBuilt(root)) return;
  refuseUnlessOwner('The packages are not built from the sources that are there');
  say('Building all packages with Nx.');
  const building = run(process.execPath, [nx, 'run-many', '-t', 'build'], {
    cwd: root,
    env: nxEnvironment,
    show: 'nothing',
  });
  const { code, output } = await monitor.race(building, {
    who: 'Nx',
    what: 'build all packages',
    remedy:
      'It takes about half a minute of two cores. Stopped with Ctrl-C and started again, it keeps what it has built.',
  });
  stopUnless(code === 0, `The build failed with code ${code}`, output, code);
  rememberBuilt(root);
}

/** Another user of a shared checkout is told whom to ask, before npm or Nx fail at its files. */
function refuseUnlessOwner(what) {
  const fault = writeFault(root);
  if (fault === undefined) return;
  throw Object.assign(new Error(`${what}, and this user may not write into ${root} (${fault}).`), {
    remedy: `Have its owner run \`npm run setup\` there, with TUTTI_CACHE=/opt/tutti or another folder that all may read.`,
  });
}

function stopUnless(fine, message, output, code) {
  if (fine) return;
  // 130 and 143: the user stopped it.
  const stopped = code === 130 || code === 143;
  throw Object.assign(new Error(stopped ? 'Stopped.' : `${output}\n${message}.`), {
    code: stopped ? 'ABORTED' : 'FAILED',
  });
}

async function setUpTensorflow() {
  const native = pathToFileURL(join(root, 'packages/tensorflow-setup/dist/index.js'));
  // Unnamed wait: a module of this machine.
  const { ensureTensorflow } = await import(native);
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  try {
    await ensureTensorflow({ report: say, signal: stop.signal });
  } finally {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(() => setUp());
