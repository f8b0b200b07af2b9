import { parseArgs } from 'node:util';
import { benchArrangements } from './arrangements.js';
import { benchCheckpoints } from './checkpoints.js';
import { benchCompression } from './compression.js';
import { benchEncryption } from './encryption.js';
import { benchFileSizes } from './file-sizes.js';
import { benchGradient } from './gradient.js';
import { benchKernels } from './kernels.js';
import { benchLostProcess } from './lost-process.js';
import { benchMemory } from './memory.js';
import { benchNetwork } from './network.js';
import { benchScale } from './scale.js';
import { benchSharing } from './sharing.js';
import { benchStep } from './step.js';
import { benchScaling, benchTraining, benchWorkerMemory } from './training.js';
import { benchUnderFaults } from './under-faults.js';
import { benchVerify } from './verify.js';
import { benchWatching } from './watching.js';

const USAGE = `npm run bench -- [--json] [--peers] [names]

Measures every figure of docs/BENCHMARKS.md anew, or the suites whose names begin so; all take about an hour.
  --json    one line for scripts
  --peers   beside TensorFlow and PyTorch, which are set up in the cache (4 GB, once)`;

const { values: options, positionals: wanted } = read(process.argv.slice(2));
const { peers, json } = options;
const suites: Record<string, () => Promise<Record<string, number>>> = {
  kernels: benchKernels,
  'arrangements, 225,034 floats': () => benchArrangements(225_034, 2000),
  'arrangements, 2.5 M floats': () => benchArrangements(2_500_000, 200),
  'step, 225,034 floats, 2 workers': () => benchStep(225_034, 2, 3000, peers),
  'step, 225,034 floats, 4 workers': () => benchStep(225_034, 4, 2000, peers),
  'step, 2.5 M floats, 2 workers': () => benchStep(2_500_000, 2, 400, peers),
  'step, 2.5 M floats, 4 workers': () => benchStep(2_500_000, 4, 200, peers),
  'step, 25.6 M floats, 2 workers': () => benchStep(25_600_000, 2, 40, peers),
  'step, 25.6 M floats, 4 workers': () => benchStep(25_600_000, 4, 24, peers),
  'step encrypted, 225,034 floats, 2 workers': () => benchEncryption(225_034, 2, 400),
  'memory of a server, 25.6 M floats': () => benchMemory(25_600_000),
  'gradient, one thread': () => benchGradient(7, peers),
  scale: () => benchScale(),
  'compressed gradients': async () => benchCompression(9),
  network: benchNetwork,
  training: () => benchTraining(3, peers),
  'scaling of two workers': () => benchScaling(3),
  'memory of a worker, over model.fit': benchWorkerMemory,
  'checkpoint overhead': () => benchCheckpoints(12),
  'standstill after a SIGKILL': () => benchLostProcess(10),
  'speed under faults, a worker killed every 10 s': () => benchUnderFaults(30, 10),
  'sharing, processor time over that of the dense layer': () => benchSharing(9),
  'bytes of .tutti files of shared weights': benchFileSizes,
  'verify overhead': () => benchVerify(320),
  'watching, over a run that nobody watches': () => benchWatching(6, 160),
};

const names = Object.keys(suites);
if (options.help) {
  console.log(`${USAGE}\n\nSuites:\n${names.map((name) => `  ${name}`).join('\n')}`);
  process.exit();
}
const unknown = wanted.find((prefix) => !names.some((name) => name.startsWith(prefix)));
if (unknown !== undefined) fail(`No benchmark begins with "${unknown}".`);
const results: Record<string, Record<string, number>> = {};
for (const [name, measure] of Object.entries(suites)) {
  if (wanted.length > 0 && !wanted.some((prefix) => name.startsWith(prefix))) continue;
  if (!json) console.log(name);
  const figures = await measure();
  results[name] = figures;
  if (!json)
    for (const [figure, value] of Object.entries(figures))
      console.log(`  ${figure.padEnd(20)} ${Number(value.toPrecision(4)).toLocaleString('en')}`);
}
if (json) console.log(JSON.stringify(results));

function read(args: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const flags = { help: { ...flag, short: 'h' }, json: flag, peers: flag } as const;
    return parseArgs({ args, options: flags, allowPositionals: true });
  } catch (error) {
    return fail((error as Error).message);
  }
}

function fail(message: string): never {
  console.error(`${message}\nnpm run bench -- --help lists what there is.`);
  process.exit(2);
}
