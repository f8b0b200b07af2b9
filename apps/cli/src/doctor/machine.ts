import type { OneDnnChoice } from '@tutti/tensorflow-setup/internal';
import { OWN_FILES } from '../tunables.js';
import { type Finding, fail, ok, warn } from './check.js';

const GIB = 2 ** 30;

/** Node 20.19 is the first that Tutti's tools run on; even versions are the supported ones. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const found = `Node.js ${version}`;
  if (major < 20 || (major === 20 && minor < 19)) {
    return fail('node', found, 'Install Node.js 20.19 or newer: https://nodejs.org');
  }
  if (major % 2 === 1 || major > 26) {
    return warn('node', found, 'Tested are Node.js 20, 22, 24 and 26: use one of them.');
  }
  return ok('node', found);
}

/**
 * @param features the flags of the processor, or undefined where the system does not tell
 * @param oneDnn what is chosen for this machine; undefined without tfjs-node
 */
export function checkCpu(
  features: ReadonlySet<string> | undefined,
  model: string,
  oneDnn: OneDnnChoice | undefined,
): Finding {
  if (features === undefined) {
    return ok('cpu', `${model}; its features are not told by this system`);
  }
  const known = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'amx_bf16'];
  const [has, lacks] = [true, false].map((there) =>
    known.filter((feature) => features.has(feature) === there).join(', '),
  );
  const found = [model, has, lacks && `lacks ${lacks}`, oneDnn && oneDnnOf(oneDnn, features)]
    .filter(Boolean)
    .join('; ');
  if (!features.has('avx')) {
    return fail('cpu', found, 'TensorFlow needs a CPU with AVX: use another machine.');
  }
  if (!features.has('avx2') || !features.has('fma')) {
    return warn('cpu', found, 'Without AVX2 and FMA training is several times slower.');
  }
  if (oneDnn && !usesOneDnn(oneDnn, features)) {
    const fix =
      oneDnn.by === 'user'
        ? 'Unset TF_ENABLE_ONEDNN_OPTS: convolutions take 30 to 40 % longer without oneDNN.'
        : 'Convolutions take 30 to 40 % longer without oneDNN. Tutti switches it on with an addon that it has built: remove the folder lib/napi-v8 of @tensorflow/tfjs-node, then run `TFJS_NODE_CDN_STORAGE=http://127.0.0.1:9 npx tutti setup`.';
    return warn('cpu', found, fix);
  }
  return ok('cpu', found);
}

/** TensorFlow decides by itself by the newest instructions. */
function usesOneDnn({ setting }: OneDnnChoice, features: ReadonlySet<string>): boolean {
  return setting === undefined ? features.has('avx512_vnni') : setting !== '0';
}

function oneDnnOf(choice: OneDnnChoice, features: ReadonlySet<string>): string {
  const { by, setting, reason } = choice;
  const state = usesOneDnn(choice, features) ? 'on' : 'off';
  if (by === 'user') return `oneDNN ${state} (TF_ENABLE_ONEDNN_OPTS=${setting})`;
  return by === 'tutti' ? `oneDNN ${state}` : `oneDNN ${state}, by TensorFlow's choice: ${reason}`;
}

export function checkCores(cores: number): Finding {
  const found = `${cores} core${cores === 1 ? '' : 's'} for this process`;
  return cores >= 2
    ? ok('cores', found)
    : warn('cores', found, 'Workers beyond the number of cores do not train faster.');
}

export function checkMemory(freeBytes: number, totalBytes: number): Finding {
  const size = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
  const found = `${size(freeBytes)} of ${size(totalBytes)} free`;
  if (freeBytes < 0.5 * GIB) {
    return fail('memory', found, 'A worker with TensorFlow needs about 0.5 GiB: free some.');
  }
  return freeBytes < 1.5 * GIB
    ? warn('memory', found, 'Two workers with TensorFlow need about 1 GiB: use one, or free some.')
    : ok('memory', found);
}

/** @param most how many this process may have; undefined where the system does not tell */
export function checkOpenFiles(most: number | undefined): Finding {
  const name = 'open files';
  if (most === undefined) return ok(name, 'this system does not tell how many there may be');
  const found = most === Number.POSITIVE_INFINITY ? 'no limit' : `at most ${most}`;
  const fix = 'Raise the limit: ulimit -n 1024. A coordinator has 4 for each worker.';
  if (most < OWN_FILES) return fail(name, found, fix);
  return most < 1024 ? warn(name, found, fix) : ok(name, found);
}

/** @param shared free and all bytes of /dev/shm, or undefined where there is none. */
export function checkSharedMemory(
  shared: { readonly freeBytes: number; readonly totalBytes: number } | undefined,
): Finding {
  const fix = 'In a container, start it with --shm-size=1g. Tutti trains without it.';
  if (shared === undefined) return warn('/dev/shm', 'not there', fix);
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  const found = `${mib(shared.freeBytes)} of ${mib(shared.totalBytes)} free`;
  return shared.freeBytes < 2 ** 28 ? warn('/dev/shm', found, fix) : ok('/dev/shm', found);
}
