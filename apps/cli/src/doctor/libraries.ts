import { createKernels } from '@tutti/kernels';
import { PROTOCOL_VERSION } from '@tutti/protocol';
import { tensorflowStatus } from '@tutti/tensorflow-setup';
import { type OldDependency, overridesBlock } from '@tutti/tensorflow-setup/internal';
import { createZmqTransport } from '@tutti/transport';
import { type Finding, fail, ok, warn } from './check.js';

export async function checkTensorflow(signal: AbortSignal): Promise<Finding> {
  const status = await tensorflowStatus({ signal });
  if (status.ready) {
    const way = status.way === undefined ? '' : `, ${status.way}`;
    return ok(
      'tensorflow',
      `TensorFlow ${status.tensorflow} by tfjs-node ${status.tfjsNode}${way}`,
    );
  }
  return fail(
    'tensorflow',
    status.problem ?? 'the native library does not load',
    `${status.remedy ?? 'See the message.'} Programs without TensorFlow run as it is.`,
  );
}

/** What tfjs-node brings in old versions; only the project that installs it can replace them. */
export function checkOldDependencies(old: readonly OldDependency[]): Finding {
  const name = 'overrides';
  if (old.length === 0) return ok(name, 'what tfjs-node brings is of safe versions');
  const list = old.map(({ name, version, wanted }) => `${name} ${version} (older than ${wanted})`);
  return warn(name, `tfjs-node brings ${list.join(', ')}`, OVERRIDE_REMEDY);
}

export const OVERRIDE_REMEDY = `Write this into the package.json of your project, then run \`npm install --ignore-scripts\` and \`npx tutti setup\`:\n${overridesBlock()}`;

/** Adds on the WebAssembly kernels: they need SIMD. */
export function checkKernels(): Finding {
  const kernels = createKernels();
  const block = kernels.allocate(4);
  try {
    block.values.set([1, -8, 2, 3]);
    const largest = kernels.maxAbs(block);
    return largest === 8
      ? ok('kernels', 'WebAssembly SIMD works')
      : fail('kernels', `computed ${largest} instead of 8`, 'Use another Node.js or machine.');
  } finally {
    kernels.free(block);
  }
}

/** Listens at a free port of the loopback interface and connects to it. */
export async function checkLoopback(): Promise<Finding> {
  const transport = createZmqTransport();
  // Unnamed wait: the caller races it.
  const listener = await transport.listen('tcp://127.0.0.1:0', { message: () => {} });
  const { address } = listener;
  await listener.close(0);
  return ok('loopback', `ZeroMQ listens at ${address}`);
}

export function checkVersions(tutti: string, node: NodeJS.ProcessVersions): Finding {
  return ok(
    'versions',
    `tutti ${tutti}, protocol ${PROTOCOL_VERSION}, node ${node.node}, v8 ${node.v8}, ` +
      `${process.platform}-${process.arch}`,
  );
}
