import { TuttiError } from '@tutti/runtime';
import type { CoordinatorSettings } from './coordinator-settings.js';

/** Refuses settings that a job cannot have together. @throws TuttiError BAD_CONFIG */
export function checkSettings(settings: CoordinatorSettings): void {
  const { aggregation, replicas = 0, verify = 0 } = settings;
  if (aggregation !== undefined && aggregation !== 'coordinator' && aggregation !== 'server')
    throw new TuttiError('BAD_CONFIG', `aggregation is ${JSON.stringify(aggregation)}`, {
      remedy: 'Give coordinator or server.',
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
