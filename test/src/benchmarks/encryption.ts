import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createCoordinator } from '@tutti/coordinator';
import { createServer } from '@tutti/server';
import { createLocalTransport, createZmqTransport, type JobKey } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import { median } from './median.js';

const ROUNDS = 5;
const KEY = Buffer.alloc(32, 7);

/** As between two hosts: what travels goes through the socket, and so through the encryption. */
const transportWith = (key: JobKey | undefined) => createZmqTransport({ key, sharedMemory: false });

/**
 * What encryption costs a synchronous step that computes nothing, over loopback TCP: milliseconds (median)
 * without a key and with one, in turn, and the median of their ratios. Coordinator and server are in one
 * process, as `tutti node` has them; each worker is one of its own.
 */
export async function benchEncryption(
  floats: number,
  workers: number,
  steps: number,
): Promise<Record<string, number>> {
  const rounds: { plainMs: number; encryptedMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push({
      plainMs: await stepMs(floats, workers, steps, undefined),
      encryptedMs: await stepMs(floats, workers, steps, KEY),
    });
  return {
    plainMs: median(rounds.map(({ plainMs }) => plainMs)),
    encryptedMs: median(rounds.map(({ encryptedMs }) => encryptedMs)),
    encryptedToPlain: median(rounds.map(({ plainMs, encryptedMs }) => encryptedMs / plainMs)),
  };
}

async function stepMs(floats: number, workers: number, steps: number, key: JobKey | undefined) {
  const transport = transportWith(key);
  const local = createLocalTransport({ delivery: 'microtask' });
  const address = 'tcp://127.0.0.1:0';
  const server = await createServer({
    address,
    transport,
    alsoListen: [{ transport: local, address: 'local://server' }],
  }).start();
  const [open, inside] = server.addresses as [string, string];
  const times: number[] = [];
  const coordinator = await createCoordinator({
    address,
    transport,
    servers: [{ connect: inside, public: open, transport: local }],
    settings: { workers, steps, shards: Math.max(2, workers) },
    onEvent(event) {
      if (event.event === 'step' && event.step > steps / 4) times.push(event.stepMs);
    },
  }).start();
  const env = { ...process.env, IDLE_PARAMETERS: String(floats) };
  const children = Array.from({ length: workers }, () =>
    fork(fileURLToPath(import.meta.url), [coordinator.address, key === undefined ? '' : 'key'], {
      env,
    }),
  );
  await Promise.all([coordinator.result, ...children.map(ended)]);
  await server.result;
  return median(times);
}

async function ended(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`A worker ended with ${code}`);
}

async function work(coordinator: string, key: JobKey | undefined) {
  // The number of parameters comes from the environment.
  const { default: program } = await import('../programs/idle.js');
  await createWorker({ coordinator, program, transport: transportWith(key) }).start().result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [coordinator, key] = process.argv.slice(2) as [string, string];
  await work(coordinator, key === '' ? undefined : KEY);
  process.exit();
}
