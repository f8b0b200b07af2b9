import { type Manifest, readCheckpoint } from '@tutti/checkpoint';
import { badCheckpoint, isSamePlan, planDifferences } from '@tutti/checkpoint/internal';
import { createLayout } from '@tutti/parameters';
import { DATA_REMEDY, type DataIdentity, dataDifference, type JobPlan } from '@tutti/protocol';
import { isTuttiError, type TuttiError } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { ProgressState } from '../progress/progress.js';
import type { BestState } from '../progress/steering.js';
import type { ResumePoint } from './snapshot.js';

/** What is left where a run cannot go on as another experiment. */
export const anew = (path: string) =>
  `Or begin a new run with its weights: --from ${path} in place of --resume.`;

/** Throws BAD_CHECKPOINT for a checkpoint that a run of this plan cannot go on from. */
export function refuseOther(path: string, manifest: Manifest, plan: JobPlan): void {
  // First, since it explains the sizes and numbers of steps that differ with it.
  refuseOtherData(path, manifest, plan.data, `${DATA_REMEDY} ${anew(path)}`);
  const differences = planDifferences(plan, manifest.plan);
  if (differences.length > 0)
    throw badCheckpoint(
      path,
      `it is of another run: ${differences.join('; ')}`,
      `A run can only become longer (--epochs, --steps): to go on with it, leave out what differs. ${anew(path)}`,
    );
  if (plan.steps < manifest.step)
    throw badCheckpoint(
      path,
      `it is at step ${manifest.step}, but the run is to end after ${plan.steps}`,
      `Raise --steps or --epochs, or name an earlier checkpoint. ${anew(path)}`,
    );
}

/**
 * Throws BAD_CHECKPOINT if a process has other data than the run that wrote a checkpoint. One from
 * before the data were recorded is let pass.
 */
export function refuseOtherData(
  path: string,
  { plan }: Manifest,
  data: DataIdentity | undefined,
  remedy = DATA_REMEDY,
): void {
  const difference = dataDifference(plan.data, data);
  if (difference === undefined) return;
  throw badCheckpoint(
    path,
    `the ${difference.set} data are not those of the run that wrote it: ${difference.what}`,
    remedy,
  );
}

/**
 * Throws BAD_CHECKPOINT where the weights followed from the stored values in another way, by other
 * maps or frozen values, though the program's sources are the same: these come from files.
 */
export function refuseOtherSharing(
  path: string,
  before: string | undefined,
  now: string | undefined,
  remedy = 'Use the matrices, masks and pretrained weights as they were when this was written.',
): void {
  if (before === now) return;
  throw badCheckpoint(
    path,
    `the sharing of the weights has changed since: its digest was ${before?.slice(0, 12) ?? 'none'}, now ${now?.slice(0, 12) ?? 'none'}`,
    remedy,
  );
}

/**
 * The first of some checkpoints, the newest before, that can be gone on from. One that is damaged or
 * of another run is passed over with a warning.
 * @param read undefined for one that is not meant
 * @returns also why those before it were passed over
 */
export async function firstGood(
  listed: readonly { readonly path: string }[],
  emit: (event: RunEvent) => void,
  read: (path: string) => Promise<ResumePoint | undefined>,
): Promise<{ readonly point?: ResumePoint; readonly passed: readonly TuttiError[] }> {
  const passed: TuttiError[] = [];
  for (const { path } of listed) {
    try {
      const point = await read(path);
      if (point !== undefined) return { point, passed };
    } catch (error) {
      if (!isTuttiError(error) || error.code !== 'BAD_CHECKPOINT') throw error;
      passed.push(error);
      emit(warningOf(error, `${error.message} It was passed over.`));
    }
  }
  return { passed };
}

/** Reads and verifies all of a checkpoint that has been found to fit. Throws BAD_CHECKPOINT. */
export async function readPoint(path: string, plan: JobPlan): Promise<ResumePoint> {
  const { programHash, parameters } = plan;
  // Unnamed wait: the caller races it.
  const checkpoint = await readCheckpoint(path, { programHash, parameters });
  const { step, manifest } = checkpoint;
  const { floats } = createLayout(parameters);
  const flat = new Float32Array(floats);
  let at = 0;
  for (const { values } of checkpoint.parameters) {
    flat.set(values, at);
    at += values.length;
  }
  const byName = new Map(checkpoint.slots.map(({ name, values }) => [name, values]));
  const slots = Array.from({ length: createOptimizer(plan.optimizer).slots }, (_, index) => {
    const values = byName.get(slotName(index));
    if (values?.length === floats) return values;
    throw badCheckpoint(
      path,
      `it lacks ${slotName(index)} of the optimizer's state`,
      'Name a checkpoint that holds it; one of weights alone can only be evaluated and exported.',
    );
  });
  const job = isSamePlan(plan, manifest.plan) ? manifest.job : undefined;
  const { best: facts, ...progress } = (manifest.progress ?? {}) as SavedProgress;
  const [bestFlat, ...bestSlots] = Array.from({ length: slots.length + 1 }, (_, index) =>
    byName.get(bestName(index)),
  ).filter((values) => values?.length === floats);
  const best = facts &&
    bestFlat && { ...facts, flat: bestFlat, slots: bestSlots as Float32Array[] };
  if (facts !== undefined && (best === undefined || bestSlots.length < slots.length))
    throw badCheckpoint(
      path,
      `it lacks the weights of step ${facts.version}, its best`,
      'Name another checkpoint of that run.',
    );
  return {
    ...{ path, plan, job, step, flat, slots },
    ...(manifest.progress !== undefined && { progress }),
    ...(best && { best }),
  };
}

/** What a run had counted, as it is in the manifest; the vectors of its best version are in the files. */
export type SavedProgress = ProgressState & {
  readonly best?: Omit<BestState, 'flat' | 'slots'>;
};

/** How the weights of the best version, followed by its optimizer's state, are called in the files. */
export const bestName = (at: number) => `best-${at}`;

/** How the optimizer's state is called in the files. */
export const slotName = (at: number) => `slot-${at}`;
