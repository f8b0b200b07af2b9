import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkDigests, type Digests, digestOfFile, parseRecord, writeDigests } from './digests.js';
import { runProcess } from './run-process.js';
import { createSetupMonitor, readingFolder } from './setup-monitor.js';
import type { WayContext } from './way.js';

/**
 * One wheel for each platform, whatever Python the machine has: only its C library is used, so the
 * tag of one Python version serves them all. The digests are those of the package index.
 */
export interface PinnedWheel {
  readonly project: string;
  readonly version: string;
  readonly platform: string;
  readonly sha256: string;
}

export const PINNED_WHEELS: Readonly<Record<string, PinnedWheel>> = {
  'linux-x64': {
    project: 'tensorflow-cpu',
    version: '2.21.0',
    platform: 'manylinux_2_27_x86_64',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  },
  'linux-arm64': {
    project: 'tensorflow',
    version: '2.21.0',
    platform: 'manylinux_2_27_aarch64',
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
  },
};

export const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

const PYTHON_TAG = '3.11';
/** What the addon's sources include, directly and indirectly, and the libraries. */
const MEMBERS = [
  ...LIBRARIES.map((name) => `tensorflow/${name}`),
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/',
  'tensorflow/include/xla/tsl/',
];
const UNZIP = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = [n for n in wheel.namelist() if n.startswith(tuple(sys.argv[3:])) or n.endswith('.dist-info/RECORD')]
    wheel.extractall(sys.argv[2], wanted)
    print(next(n for n in wanted if n.endswith('.dist-info/RECORD')))
`;
/** The wheel and what is unpacked of it lie side by side for a moment. */
const NEEDED_BYTES = 1.3e9;
const DOWNLOAD_LIMIT_MS = 1_800_000;
const UNPACK_LIMIT_MS = 600_000;

export type FetchWheel = (
  wheel: PinnedWheel,
  folder: string,
  context: WayContext,
) => Promise<string>;

/**
 * Gets the wheel and unpacks its C library and headers into `folder/tensorflow`.
 *
 * @throws Error if the disk is too small, the wheel cannot be had, or a digest differs.
 */
export async function unpackWheel(
  wheel: PinnedWheel,
  folder: string,
  context: WayContext,
  fetchWheel: FetchWheel = downloadWithPip,
): Promise<void> {
  const monitor = createSetupMonitor(context);
  // Unnamed wait: what it awaits names its own waits.
  const file = await fetchWheel(wheel, folder, context);
  const found = await monitor.race(digestOfFile(file), readingFolder(file));
  if (found !== wheel.sha256) {
    throw new Error(`${file} has SHA-256 ${found}, expected ${wheel.sha256}`);
  }
  context.report('Unpacking the TensorFlow library.');
  const unpacking = runProcess('python3', ['-c', UNZIP, file, folder, ...MEMBERS], {
    limitMs: UNPACK_LIMIT_MS,
    signal: context.signal,
  });
  const record = await monitor.race(unpacking, {
    who: 'python3 and the disk',
    what: `unpack 1 GB into ${folder}`,
    remedy: `See whether the disk is slow (TUTTI_CACHE names another folder); it is given up after ${UNPACK_LIMIT_MS / 60_000} minutes.`,
  });
  // Unnamed wait: it is done at once.
  await rm(file);
  // Unnamed wait: it is done at once.
  const all = parseRecord(await readFile(join(folder, record.trim()), 'utf8'));
  const digests: Digests = Object.fromEntries(
    Object.entries(all).filter(([path]) => MEMBERS.some((member) => path.startsWith(member))),
  );
  for (const name of LIBRARIES) {
    if (!(`tensorflow/${name}` in digests)) throw new Error(`${file} holds no ${name}`);
  }
  await monitor.race(checkDigests(folder, digests), readingFolder(folder));
  await writeDigests(folder, digests);
}

async function downloadWithPip(
  wheel: PinnedWheel,
  folder: string,
  context: WayContext,
): Promise<string> {
  const { project, version, platform, sha256 } = wheel;
  // Unnamed wait: the file system answers at once.
  const disk = await statfs(folder);
  const free = disk.bavail * disk.bsize;
  if (free < NEEDED_BYTES) {
    throw new Error(`${folder} has ${gigabytes(free)} free, needed are ${gigabytes(NEEDED_BYTES)}`);
  }
  context.report(`Downloading the wheel ${project} ${version} with pip (about 270 MB).`);
  const requirements = join(folder, 'requirements.txt');
  // Unnamed wait: it is done at once.
  await writeFile(requirements, `${project}==${version} --hash=sha256:${sha256}\n`);
  const options = [
    ...['--no-deps', '--no-input', '--no-cache-dir', '--quiet', '--disable-pip-version-check'],
    ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', PYTHON_TAG],
    ...['--abi', `cp${PYTHON_TAG.replace('.', '')}`, '--platform', platform],
    ...['--require-hashes', '--requirement', requirements, '--dest', folder],
  ];
  const downloading = runProcess('python3', ['-m', 'pip', 'download', ...options], {
    limitMs: DOWNLOAD_LIMIT_MS,
    signal: context.signal,
  });
  const monitor = createSetupMonitor(context);
  await monitor.race(downloading, {
    who: 'pip and its package index',
    what: `deliver ${project} ${version} (about 270 MB)`,
    remedy: `See how fast the network is, and which index pip asks (pip config list); it is given up after ${DOWNLOAD_LIMIT_MS / 60_000} minutes.`,
  });
  // Unnamed wait: it is done at once.
  await rm(requirements);
  const tag = `cp${PYTHON_TAG.replace('.', '')}`;
  return join(folder, `${project.replace('-', '_')}-${version}-${tag}-${tag}-${platform}.whl`);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
