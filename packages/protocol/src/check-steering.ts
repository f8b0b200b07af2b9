import { checkKeys, showValue, TuttiError } from '@tutti/runtime';
import type { EarlyStopping, ProgramDefaults, ReduceOnPlateau } from './plan.js';

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

/**
 * @param program such as "program train.ts", if that is where they were written
 * @throws TuttiError naming the key, its value and what is allowed: BAD_PROGRAM, or BAD_CONFIG without a program
 */
export function checkSteering(
  given: Partial<Record<keyof Pick<ProgramDefaults, 'earlyStopping' | 'reduceOnPlateau'>, unknown>>,
  program?: string,
): void {
  check('earlyStopping', given.earlyStopping, STOPPING, program);
  check('reduceOnPlateau', given.reduceOnPlateau, PLATEAU, program);
}

function check(
  what: string,
  given: unknown,
  checks: Readonly<Record<string, Check>>,
  program: string | undefined,
) {
  if (given === undefined) return;
  const code = program === undefined ? 'BAD_CONFIG' : 'BAD_PROGRAM';
  const of = program === undefined ? '' : ` of ${program}`;
  const settings = given as Record<string, unknown>;
  checkKeys(`${what}${of}`, settings, nameless(checks), code);
  for (const [key, value] of Object.entries(settings)) {
    const [allowed, holds] = checks[key]!;
    if (value !== undefined && !holds(value))
      throw new TuttiError(code, `${what}.${key}${of} is ${showValue(value)}`, {
        remedy: `Give ${allowed}.`,
      });
  }
}

const nameless = (checks: Readonly<Record<string, Check>>) =>
  Object.fromEntries(Object.keys(checks).map((key) => [key, true as const]));
