import { isSamePlan } from '@tutti/checkpoint/internal';
import {
  type CheckpointInterval,
  type CheckpointSink,
  type Resume,
  type ResumePoint,
  resolvePlan,
  type Snapshot,
} from '@tutti/run';

/** Checkpoints that are kept in memory: what a disk would hold, without its time. */
export interface MemoryCheckpoints {
  readonly sink: CheckpointSink;
  /** By step, in the order in which they were written. */
  readonly kept: ReadonlyMap<number, Snapshot>;
  /** Goes on from the newest, or from that of a step. */
  resume(step?: number): Resume;
}

export function createMemoryCheckpoints(
  options: { readonly every?: CheckpointInterval; readonly best?: string } = {},
): MemoryCheckpoints {
  const kept = new Map<number, Snapshot>();

  /** As from a disk: with what JSON leaves of the facts. */
  function pointOf({ flat, slots, best, ...rest }: Snapshot): ResumePoint {
    const { job, plan, step, progress } = JSON.parse(JSON.stringify(rest)) as typeof rest;
    const path = `memory/${step}`;
    return {
      job,
      plan,
      step,
      ...copyOf({ flat, slots }),
      path,
      ...(progress && { progress }),
      ...(best && { best: { ...best, ...copyOf(best) } }),
    };
  }

  return {
    kept,
    sink: {
      ...options,
      async write(snapshot) {
        kept.delete(snapshot.step);
        const { best } = snapshot;
        kept.set(snapshot.step, {
          ...snapshot,
          ...copyOf(snapshot),
          ...(best && { best: { ...best, ...copyOf(best) } }),
        });
        return { path: `memory/${snapshot.step}` };
      },
      async latest({ job, upTo }) {
        const own = [...kept.values()].filter((each) => each.job === job && each.step <= upTo);
        const newest = own.sort((a, b) => a.step - b.step).at(-1);
        return newest && pointOf(newest);
      },
    },
    resume:
      (step) =>
      async ({ description, settings, workers }) => {
        const snapshot = step === undefined ? [...kept.values()].at(-1)! : kept.get(step)!;
        const point = pointOf(snapshot);
        const plan = resolvePlan({ description, settings, workers, previous: point.plan });
        const job = isSamePlan(plan, point.plan) ? point.job : undefined;
        return { ...point, job, plan };
      },
  };
}

/** The vectors go on being written to; the facts do not change. */
function copyOf({ flat, slots }: Pick<Snapshot, 'flat' | 'slots'>) {
  return { flat: flat.slice(), slots: slots.map((slot) => slot.slice()) };
}
