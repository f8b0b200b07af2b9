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

/** @param cpuinfo the text of /proc/cpuinfo, or undefined where there is none. */
export function checkCpu(cpuinfo: string | undefined, model: string): Finding {
  const flags = /^flags\s*:\s*(.*)$/m.exec(cpuinfo ?? '')?.[1]?.split(/\s+/);
  if (flags === undefined) {
    return ok('cpu', `${model}; its features are not told by this system`);
  }
  const features = ['avx2', 'fma', 'avx512f'].filter((flag) => flags.includes(flag));
  const found = `${model}; ${features.join(', ') || 'no AVX2'}`;
  if (!flags.includes('avx')) {
    return fail('cpu', found, 'TensorFlow needs a CPU with AVX: use another machine.');
  }
  if (!flags.includes('avx2') || !flags.includes('fma')) {
    return warn('cpu', found, 'Without AVX2 and FMA training is several times slower.');
  }
  return ok('cpu', found);
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
