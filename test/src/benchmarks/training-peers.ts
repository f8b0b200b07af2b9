import { freePorts } from '../cluster/free-ports.js';
import { figureOf, pythonWith } from './python.js';

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
  const half = [data, steps, batchSize / 2];
  const oneDnn = { TF_ENABLE_ONEDNN_OPTS: '1' };
  return {
    tensorflow: () =>
      figureOf(tensorflow, 'training-tensorflow.py', [data, steps, batchSize, 2], oneDnn),
    multiWorkerMirrored: () =>
      two(async (index, [first, second]) => {
        const cluster = { worker: [`127.0.0.1:${first}`, `127.0.0.1:${second}`] };
        const config = JSON.stringify({ cluster, task: { type: 'worker', index } });
        const environment = { ...oneDnn, TF_CONFIG: config };
        return figureOf(tensorflow, 'training-tensorflow.py', [...half, 1], environment);
      }),
    distributedDataParallel: () =>
      two((index, [port]) =>
        figureOf(torch, 'training-torch.py', half, {
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
  const port = await freePorts();
  const ports = [port, port + 1] as const;
  const [first, second] = await Promise.all([half(0, ports), half(1, ports)]);
  return first + second;
}
