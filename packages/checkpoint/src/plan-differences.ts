import { dataDifference, type JobPlan } from '@tutti/protocol';

const LONGEST = 200;

/** Where a person sets it. */
const SET_BY: Readonly<Partial<Record<keyof JobPlan, string>>> = {
  programHash: 'the sources of the program',
  parameters: 'the model of the program, and what is shared in it',
  trainingExamples: 'data of the program',
  evaluationExamples: 'data of the program',
  evaluationBatchSize: 'evaluationBatchSize of the program',
  batchSize: '--batch-size',
  shards: '--shards',
  seed: '--seed',
  gradientCompression: '--gradient-compression',
  optimizer: 'optimizer of the program',
  chunkFloats: 'chunkFloats, of a library alone',
};

/** What is no difference of its own where one of these is another. */
const FOLLOWS_FROM: Readonly<Partial<Record<keyof JobPlan, readonly (keyof JobPlan)[]>>> = {
  stepsPerEpoch: ['batchSize', 'trainingExamples'],
};

/**
 * In words, what makes two plans different experiments; empty if one can go on from the other. A
 * longer run of the same is no other experiment. The data are compared by `dataDifference`.
 */
export function planDifferences(plan: JobPlan, other: JobPlan): string[] {
  const names = Object.keys({ ...plan, ...other }) as (keyof JobPlan)[];
  return names
    .filter((name) => name !== 'steps' && name !== 'programName' && name !== 'data')
    .filter((name) => canonical(compared(plan)[name]) !== canonical(compared(other)[name]))
    .filter(
      (name, _, all) =>
        !(FOLLOWS_FROM[name] ?? []).some((cause) => (all as (keyof JobPlan)[]).includes(cause)),
    )
    .map((name) => difference(name, plan, other));
}

function difference(name: keyof JobPlan, plan: JobPlan, other: JobPlan): string {
  const rate = ({ optimizer }: JobPlan) => optimizer.learningRate;
  const alike = { ...other.optimizer, learningRate: rate(plan) };
  if (name === 'optimizer' && canonical(alike) === canonical(plan.optimizer))
    return `the learning rate is ${shown(rate(other))} instead of ${shown(rate(plan))} (--learning-rate)`;
  if (name === 'firstWeights')
    return `it began with ${beginning(other)} instead of ${beginning(plan)} (--from)`;
  const where = SET_BY[name];
  return `${name} is ${shown(other[name])} instead of ${shown(plan[name])}${where === undefined ? '' : ` (${where})`}`;
}

/** Whether nothing at all differs. */
export function isSamePlan(plan: JobPlan, other: JobPlan): boolean {
  if (dataDifference(plan.data, other.data) !== undefined) return false;
  const all = (each: JobPlan) => canonical({ ...compared(each), data: undefined });
  return all(plan) === all(other);
}

/** Where weights lie makes no difference, only which they are. */
function compared({ firstWeights, ...plan }: JobPlan): Readonly<Record<string, unknown>> {
  return { ...plan, firstWeights: firstWeights?.digest };
}

function beginning({ firstWeights }: JobPlan): string {
  if (firstWeights === undefined) return 'the initial values of the program';
  return `the weights ${firstWeights.digest.slice(0, 12)} of ${firstWeights.path}`;
}

function shown(value: unknown): string {
  const text = canonical(value) ?? 'missing';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** JSON with sorted keys, without what is undefined. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
