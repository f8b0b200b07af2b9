import type { Aggregation } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import type { CoordinatorSettings } from './coordinator-settings.js';

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
  const { aggregation, replicas = 0, verify = 0 } = settings;
  if (aggregation !== undefined && aggregation !== 'coordinator' && aggregation !== 'server')
    throw new TuttiError('BAD_CONFIG', `aggregation is ${JSON.stringify(aggregation)}`, {
      remedy: 'Give coordinator or server.',
    });
  if (colocated && replicas > 0)
    throw new TuttiError('BAD_CONFIG', `servers colocated does not go with replicas ${replicas}`, {
      remedy: 'Leave out one of the two; a lost server takes the run back to its last checkpoint.',
    });
  if (aggregation !== 'server') return;
  if (replicas > 0)
    throw refused(`replicas ${replicas}: a standby would not have the sums of its server`);
  if (verify > 0)
    throw refused(`verify ${verify}: what workers send is compared by the coordinator`);
}

function refused(why: string): TuttiError {
  return new TuttiError('BAD_CONFIG', `aggregation server does not go with ${why}`, {
    remedy: 'Leave out one of the two.',
  });
}
