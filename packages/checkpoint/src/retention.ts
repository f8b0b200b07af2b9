import { directionOf, type JobPlan, type MetricDirection } from '@tutti/protocol';
import { listCheckpoints } from './folder.js';
import type { Means } from './manifest.js';
import { planDifferences } from './plan-differences.js';
import { readManifest } from './read-checkpoint.js';

/** Which checkpoints of a run stay when another one has been written. */
export interface Retention {
  /** This many of the newest, the one just written included. */
  readonly newest: number;
  /** And the best by this: `loss`, or a metric of the evaluation set. */
  readonly best?: string | undefined;
}

export const isBetter = (direction: MetricDirection, value: number, than: number) =>
  direction === 'less' ? value < than : value > than;

/** Undefined if it was not measured. */
export function metricOf({ loss, metrics }: Means, metric: string): number | undefined {
  const value = metric === 'loss' ? loss : metrics[metric];
  return Number.isFinite(value) ? value : undefined;
}

/**
 * The checkpoints of a run up to `step` that need not stay. Those of other runs, later ones and
 * damaged ones are not ours to remove.
 */
export async function superseded(
  directory: string,
  { step, plan, keep }: { readonly step: number; readonly plan: JobPlan; readonly keep: Retention },
): Promise<readonly string[]> {
  const own: { readonly path: string; readonly value: number | undefined }[] = [];
  for (const listed of await listCheckpoints(directory)) {
    if (listed.step > step) continue;
    const manifest = await readManifest(listed.path).catch(() => undefined);
    if (manifest === undefined || planDifferences(plan, manifest.plan).length > 0) continue;
    const { evaluation } = manifest;
    const rated = keep.best !== undefined && evaluation !== undefined;
    own.push({ path: listed.path, value: rated ? metricOf(evaluation, keep.best) : undefined });
  }
  const direction = directionOf(keep.best ?? 'loss', plan.metricDirections);
  let best: (typeof own)[number] | undefined;
  for (const item of own)
    if (item.value !== undefined)
      if (best === undefined || isBetter(direction, item.value, best.value!)) best = item;
  return own
    .slice(0, Math.max(0, own.length - Math.max(1, keep.newest)))
    .filter((item) => item !== best)
    .map(({ path }) => path);
}
