import type { Aggregation } from '@tutti/protocol';
import { refuseContradictions, TuttiError } from '@tutti/runtime';
import type { CoordinatorSettings } from './coordinator-settings.js';
import { DEFAULT_WORKERS } from './tunables.js';

/** Where the sums are made, unless somebody says so: with servers in the workers' processes where they live. */
export function aggregationOf(settings: CoordinatorSettings, colocated: boolean): Aggregation {
  const { aggregation, verify = 0 } = settings;
  return aggregation ?? (colocated && verify === 0 ? 'server' : 'coordinator');
}

/**
 * Refuses settings that a job cannot have together.
 * @param colocated whether the servers are in the workers' processes
 * @throws TuttiError BAD_CONFIG
 */
export function checkSettings(settings: CoordinatorSettings, colocated: boolean): void {
  const { aggregation, replicas, verify, workers = DEFAULT_WORKERS } = settings;
  if (aggregation !== undefined && aggregation !== 'coordinator' && aggregation !== 'server')
    throw new TuttiError('BAD_CONFIG', `aggregation is ${JSON.stringify(aggregation)}`, {
      remedy: 'Give coordinator or server.',
    });
  refuseContradictions({
    ...{ aggregation, replicas, verify, workers },
    ...(colocated && { servers: 'colocated' }),
  });
}
