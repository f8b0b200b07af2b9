import type { JobPlan } from '@tutti/protocol';
import { DEFAULT_WORKERS } from '../tunables.js';

/** How many workers a job needs. What nobody said follows from its plan, once that is settled. */
export interface CrewSize {
  /** How many it starts with. */
  start(): number;
  /** With fewer than these it waits for more. */
  least(): number;
}

/** @param plan the plan of the job; undefined until it is settled */
export function createCrewSize(
  settings: { readonly workers?: number | undefined; readonly minWorkers?: number | undefined },
  plan: () => Pick<JobPlan, 'shards'> | undefined,
): CrewSize {
  const start = () =>
    settings.workers ?? Math.min(DEFAULT_WORKERS, plan()?.shards ?? DEFAULT_WORKERS);
  return { start, least: () => settings.minWorkers ?? start() };
}
