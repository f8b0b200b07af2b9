import type { Clock } from '@tutti/runtime';
import type { Program } from '@tutti/worker';
import { altered } from './altered.js';

/** The same program with gradients that take so long each, by this clock. */
export const slowed = (program: Program, clock: Clock, ms: number): Program =>
  altered(program, async (result) => {
    await new Promise<void>((resolve) => void clock.after(ms, resolve));
    return result;
  });
