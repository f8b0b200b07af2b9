import { dataDifference, type JobPlan } from '@tutti/protocol';

const LONGEST = 200;

/**
 * In words, what makes two plans different experiments; empty if one can go on from the other. A
 * longer run of the same is no other experiment. The data are compared by `dataDifference`.
 */
export function planDifferences(plan: JobPlan, other: JobPlan): string[] {
  const names = Object.keys({ ...plan, ...other }) as (keyof JobPlan)[];
  return names
    .filter((name) => name !== 'steps' && name !== 'programName' && name !== 'data')
    .filter((name) => canonical(plan[name]) !== canonical(other[name]))
    .map((name) => `${name} is ${shown(other[name])} instead of ${shown(plan[name])}`);
}

/** Whether nothing at all differs. */
export function isSamePlan(plan: JobPlan, other: JobPlan): boolean {
  if (dataDifference(plan.data, other.data) !== undefined) return false;
  return canonical({ ...plan, data: undefined }) === canonical({ ...other, data: undefined });
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
