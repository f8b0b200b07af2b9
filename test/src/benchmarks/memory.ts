import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createCoordinator } from '@tutti/coordinator';
import { loadProgram } from '@tutti/launch/internal';
import { createZmqTransport } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import { programPath } from './step.js';

const STEPS = 12;
const CLI = fileURLToPath(new URL('../../../apps/cli/dist/main.js', import.meta.url));

/**
 * The highest resident memory of `tutti server` while it holds `floats` parameters with Adam, while
 * two workers train, in MB; and the limit: current and previous version, two slots, and 100 MB.
 */
export async function benchMemory(floats: number): Promise<Record<string, number>> {
  process.env.IDLE_PARAMETERS = String(floats);
  const child = spawn(process.execPath, [CLI, 'server', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { address } = JSON.parse(line) as { address: string };
  const transport = createZmqTransport();
  const coordinator = await createCoordinator({
    address: 'tcp://127.0.0.1:0',
    servers: [{ connect: address }],
    settings: { workers: 2, steps: STEPS },
    transport,
  }).start();
  const { program } = await loadProgram(programPath('idle.ts'));
  const workers = [0, 1].map(() =>
    createWorker({ program, coordinator: coordinator.address, transport }).start(),
  );
  let peak = 0;
  for await (const event of coordinator)
    if (event.event === 'step') peak = Math.max(peak, await residentBytes(child.pid!, 'VmHWM'));
  await Promise.all(workers.map(({ result }) => result));
  const storedMb = (4 * floats) / 1e6;
  const limitMb = 4 * storedMb + 100;
  return { serverPeakMb: peak / 1e6, limitMb, peakToLimit: peak / 1e6 / limitMb };
}

/** A line of /proc: VmHWM is the highest so far. */
export async function residentBytes(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}
