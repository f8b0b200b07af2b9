import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonWith } from './python.js';

const script = (name: string) =>
  fileURLToPath(new URL(`../../src/benchmarks/${name}`, import.meta.url));

export interface PeerTraining {
  /** The folder of the files of MNIST. */
  readonly data: string;
  readonly steps: number;
  /** Examples a step, of all processes together. */
  readonly batchSize: number;
}

/**
 * Examples a second of the MNIST ConvNet at the peers, each on two cores and with oneDNN: one process of
 * TensorFlow with two threads; two of MultiWorkerMirroredStrategy, and two of PyTorch's DDP over gloo, with
 * a thread each.
 */
export async function trainingPeers({
  data,
  steps,
  batchSize,
}: PeerTraining): Promise<Record<string, () => Promise<number>>> {
  const tensorflow = await pythonWith('tensorflow');
  const torch = await pythonWith('torch');
  const half = [data, String(steps), String(batchSize / 2)];
  const oneDnn = { TF_ENABLE_ONEDNN_OPTS: '1' };
  return {
    tensorflow: () => {
      const args = [script('training-tensorflow.py'), data, `${steps}`, `${batchSize}`, '2'];
      return figureOf(tensorflow, args, oneDnn);
    },
    multiWorkerMirrored: () =>
      two(async (index, [first, second]) => {
        const cluster = { worker: [`127.0.0.1:${first}`, `127.0.0.1:${second}`] };
        const config = JSON.stringify({ cluster, task: { type: 'worker', index } });
        const args = [script('training-tensorflow.py'), ...half, '1'];
        return figureOf(tensorflow, args, { ...oneDnn, TF_CONFIG: config });
      }),
    distributedDataParallel: () =>
      two((index, [port]) =>
        figureOf(torch, [script('training-torch.py'), ...half], {
          ...{ RANK: `${index}`, WORLD_SIZE: '2' },
          ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${port}` },
        }),
      ),
  };
}

/** Runs both halves, which know two free ports, and adds up what they do. */
async function two(
  half: (index: number, ports: readonly [number, number]) => Promise<number>,
): Promise<number> {
  const ports = [await freePort(), await freePort()] as const;
  const [first, second] = await Promise.all([half(0, ports), half(1, ports)]);
  return first + second;
}

async function figureOf(
  python: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const env = { ...process.env, ...environment };
  const { stdout } = await promisify(execFile)(python, args, { env });
  return Number(stdout);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
  });
}
