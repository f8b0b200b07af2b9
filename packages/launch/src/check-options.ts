import { checkKeys, showValue, TuttiError } from '@tutti/runtime';
import type { LocalOptions } from './local-options.js';
import { LOCAL_SETTINGS } from './local-settings.js';

const KNOWN: Readonly<Record<keyof LocalOptions, true>> = {
  ...LOCAL_SETTINGS,
  signal: true,
  interrupt: true,
  onEvent: true,
  onLine: true,
  prepared: true,
};

/** The least of what is counted. What the plan of the job holds is checked with it. */
const LEAST = {
  workers: 0,
  servers: 1,
  replicas: 0,
  minWorkers: 1,
  maxRestarts: 0,
  checkpointKeep: 1,
} as const;

/** A service may well be JavaScript. @throws TuttiError BAD_CONFIG */
export function checkLocalOptions(options: LocalOptions): void {
  checkKeys('runLocal', options, KNOWN, 'BAD_CONFIG');
  for (const [name, least] of Object.entries(LEAST)) {
    const value = options[name as keyof typeof LEAST];
    if (name === 'servers' && value === 'colocated') continue;
    if (
      value === undefined ||
      (typeof value === 'number' && Number.isSafeInteger(value) && value >= least)
    )
      continue;
    throw new TuttiError('BAD_CONFIG', `${name} is ${showValue(value)}`, {
      remedy: `Give a whole number from ${least}.`,
    });
  }
  const { checkpointEvery: every } = options;
  if (every === undefined || (typeof every === 'object' && ('steps' in every || 'ms' in every)))
    return;
  throw new TuttiError('BAD_CONFIG', `checkpointEvery is ${showValue(every)}`, {
    remedy: 'Give { steps } or { ms }.',
  });
}
