import type { EarlyStopping, JobPlan, ReduceOnPlateau } from '@tutti/protocol';
import { checkKeys, TuttiError } from '@tutti/runtime';

type Check = readonly [allowed: string, holds: (value: unknown) => boolean];

const number = (allowed: string, holds: (value: number) => boolean): Check => [
  allowed,
  (value) => typeof value === 'number' && holds(value),
];
const whole = number('a whole number from 0', (value) => Number.isSafeInteger(value) && value >= 0);
const WATCHED = {
  monitor: ['`loss` or the name of a metric', (value: unknown) => typeof value === 'string'],
  better: ["'less' or 'more'", (value: unknown) => value === 'less' || value === 'more'],
  patience: whole,
  minChange: number('a number from 0', (value) => Number.isFinite(value) && value >= 0),
} as const;

const STOPPING: Readonly<Record<keyof EarlyStopping, Check>> = {
  ...WATCHED,
  keepBest: ['true or false', (value) => typeof value === 'boolean'],
};

const PLATEAU: Readonly<Record<keyof ReduceOnPlateau, Check>> = {
  ...WATCHED,
  factor: number('a number above 0 and below 1', (value) => value > 0 && value < 1),
  floor: number('a number from 0, below 1', (value) => value >= 0 && value < 1),
  cooldown: whole,
};

/** @throws TuttiError BAD_CONFIG naming the key, its value and what is allowed */
export function checkSteering({
  earlyStopping,
  reduceOnPlateau,
}: Pick<JobPlan, 'earlyStopping' | 'reduceOnPlateau'>): void {
  check('earlyStopping', earlyStopping, STOPPING);
  check('reduceOnPlateau', reduceOnPlateau, PLATEAU);
}

function check(what: string, given: object | undefined, checks: Readonly<Record<string, Check>>) {
  if (given === undefined) return;
  checkKeys(what, given as Record<string, unknown>, nameless(checks), 'BAD_CONFIG');
  for (const [key, value] of Object.entries(given)) {
    const [allowed, holds] = checks[key]!;
    if (value !== undefined && !holds(value))
      throw new TuttiError('BAD_CONFIG', `${what}.${key} is ${JSON.stringify(value)}`, {
        remedy: `Give ${allowed}.`,
      });
  }
}

const nameless = (checks: Readonly<Record<string, Check>>) =>
  Object.fromEntries(Object.keys(checks).map((key) => [key, true as const]));
