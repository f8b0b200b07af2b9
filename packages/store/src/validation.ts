import type { OptimizerSpec } from '@tutti/protocol';
import { isRecord, showValue, TuttiError } from '@tutti/runtime';
import { OPTIMIZER_DEFAULTS, type OptimizerName } from './defaults.js';

interface Check {
  readonly allowed: string;
  holds(value: unknown): boolean;
}

const number = (allowed: string, holds: (value: number) => boolean): Check => ({
  allowed,
  holds: (value) => typeof value === 'number' && Number.isFinite(value) && holds(value),
});
const positive = number('a number above 0', (value) => value > 0);
const notNegative = number('a number from 0', (value) => value >= 0);
const fraction = number('a number from 0 to 1', (value) => value >= 0 && value <= 1);
// In float32, which the kernels compute in.
const belowOne = number(
  'a number from 0, below 1',
  (value) => value >= 0 && Math.fround(value) < 1,
);
const wholeFrom = (least: number): Check =>
  number(`a whole number from ${least}`, (value) => Number.isSafeInteger(value) && value >= least);

const listOf = (
  allowed: string,
  holds: (value: number, before: number | undefined) => boolean,
): Check => ({
  allowed: `a list of ${allowed}`,
  holds: (list) =>
    Array.isArray(list) &&
    list.length > 0 &&
    list.every((value, at) => typeof value === 'number' && holds(value, list[at - 1])),
});

/** Settings of schedules that have a default. */
const OPTIONAL = ['floor', 'stretch', 'factor', 'power'];

const COMMON: Readonly<Record<string, Check>> = {
  learningRate: positive,
  warmupSteps: wholeFrom(0),
  weightDecay: notNegative,
  clipValue: positive,
  clipNorm: positive,
};

const OWN: Readonly<Record<string, Check>> = {
  momentum: belowOne,
  beta1: belowOne,
  beta2: belowOne,
  epsilon: positive,
  rho: belowOne,
  decay: belowOne,
  centered: { allowed: 'true or false', holds: (value) => typeof value === 'boolean' },
  initialAccumulator: notNegative,
};

const SCHEDULES: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  constant: {},
  step: { every: wholeFrom(1), factor: positive },
  exponential: { every: wholeFrom(1), factor: positive },
  cosine: { steps: wholeFrom(1), floor: fraction },
  cosineRestarts: {
    steps: wholeFrom(1),
    stretch: number('a number from 1', (value) => value >= 1),
    factor: fraction,
    floor: fraction,
  },
  polynomial: { steps: wholeFrom(1), power: positive, floor: fraction },
  piecewise: {
    from: listOf(
      'rising whole numbers',
      (value, before) => Number.isSafeInteger(value) && value > (before ?? -1),
    ),
    factors: listOf('numbers above 0, one for each of `from`', (value) => value > 0),
  },
};

/**
 * What is wrong with an optimizer's settings; empty if nothing is. Each line names the key, its
 * value and what is allowed. A key whose value is undefined counts as absent.
 */
export function validateOptimizer(value: unknown): string[] {
  if (!isRecord(value)) return [`optimizer is ${show(value)}; allowed: an object`];
  const names = Object.keys(OPTIMIZER_DEFAULTS);
  const { name } = value;
  if (typeof name !== 'string' || !names.includes(name)) {
    return [`optimizer.name is ${show(name)}; allowed: ${names.join(', ')}`];
  }
  const checks: Record<string, Check> = { ...COMMON };
  const defaults = OPTIMIZER_DEFAULTS[name as OptimizerName];
  for (const [key, check] of Object.entries(OWN)) if (key in defaults) checks[key] = check;
  // The schedule of adamax, unlike the decay of rmsprop, is a rate.
  if (name === 'adamax') checks.decay = notNegative;
  const { name: _name, schedule, ...numbers } = value;
  const problems = checkSettings(numbers, checks, ['learningRate'], `optimizer (${name})`, [
    'name',
    'schedule',
  ]);
  return schedule === undefined ? problems : [...problems, ...checkSchedule(schedule)];
}

/** The same, as a type: throws BAD_CONFIG with all that is wrong. */
export function checkOptimizer(value: unknown): OptimizerSpec {
  const problems = validateOptimizer(value);
  if (problems.length === 0) return value as OptimizerSpec;
  throw new TuttiError('BAD_CONFIG', `The optimizer cannot be used: ${problems.join('. ')}.`, {
    remedy: "Correct these settings in the program's `optimizer` or on the command line.",
    details: { problems },
  });
}

function checkSchedule(schedule: unknown): string[] {
  const where = 'optimizer.schedule';
  if (!isRecord(schedule)) return [`${where} is ${show(schedule)}; allowed: an object with a kind`];
  const { kind, ...rest } = schedule;
  const checks = typeof kind === 'string' && Object.hasOwn(SCHEDULES, kind) && SCHEDULES[kind];
  if (!checks) {
    return [`${where}.kind is ${show(kind)}; allowed: ${Object.keys(SCHEDULES).join(', ')}`];
  }
  const optional = kind === 'step' || kind === 'exponential' ? [] : OPTIONAL;
  const required = Object.keys(checks).filter((key) => !optional.includes(key));
  const problems = checkSettings(rest, checks, required, `${where} (${kind})`, ['kind']);
  const { from, factors } = rest;
  if (Array.isArray(from) && Array.isArray(factors) && from.length !== factors.length)
    problems.push(
      `${where} (${kind}): ${from.length} steps in from, and ${factors.length} factors`,
    );
  return problems;
}

function checkSettings(
  given: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, Check>>,
  required: readonly string[],
  where: string,
  alsoAllowed: readonly string[],
): string[] {
  const problems: string[] = [];
  for (const key of required) {
    if (given[key] === undefined) {
      problems.push(`${where}: ${key} is missing; allowed: ${checks[key]?.allowed}`);
    }
  }
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (check === undefined) {
      const known = [...alsoAllowed, ...Object.keys(checks)].join(', ');
      problems.push(`${where}: unknown key ${key} (${show(value)}); allowed: ${known}`);
    } else if (!check.holds(value)) {
      problems.push(`${where}: ${key} is ${show(value)}; allowed: ${check.allowed}`);
    }
  }
  return problems;
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return showValue(value);
}
