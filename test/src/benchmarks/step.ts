import { fileURLToPath } from 'node:url';
import { runLocal } from '@tutti/launch';
import { median } from './median.js';
import { tcpCopyMs } from './tcp-copy.js';

/** The programs stand in src: they are run as they are. */
export const programPath = (name: string) =>
  fileURLToPath(new URL(`../../src/programs/${name}`, import.meta.url));

/**
 * One synchronous step without computing: push, add, Adam, pull. Milliseconds (median), and the ratio
 * to a bare copy of the same bytes over loopback TCP, for the number of floats and of workers.
 */
export async function benchStep(
  floats: number,
  workers: number,
  steps: number,
): Promise<Record<string, number>> {
  process.env.IDLE_PARAMETERS = String(floats);
  const times: number[] = [];
  const run = runLocal(programPath('idle.ts'), { workers, steps });
  for await (const event of run)
    if (event.event === 'step' && event.step > steps / 4) times.push(event.stepMs);
  const stepMs = median(times);
  const copyMs = await tcpCopyMs(workers, 4 * floats, Math.min(steps, 60));
  return { stepMs, copyMs, stepToCopy: stepMs / copyMs };
}
