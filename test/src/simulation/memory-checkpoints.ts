import { isSamePlan } from '@tutti/checkpoint';
import {
  type CheckpointInterval,
  type CheckpointSink,
  type Resume,
  type ResumePoint,
  resolvePlan,
  type Snapshot,
} from '@tutti/coordinator';

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

  function pointOf(snapshot: Snapshot): ResumePoint {
    const { job, plan, step, flat, slots, progress } = copyOf(snapshot);
    const path = `memory/${step}`;
    return { job, plan, step, flat, slots, path, ...(progress && { progress }) };
  }

  return {
    kept,
    sink: {
      ...options,
      async write(snapshot) {
        kept.delete(snapshot.step);
        kept.set(snapshot.step, copyOf(snapshot));
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
        const plan = resolvePlan({ description, settings, workers, previous: snapshot.plan });
        const job = isSamePlan(plan, snapshot.plan) ? snapshot.job : undefined;
        return { ...pointOf(snapshot), job, plan };
      },
  };
}

/** As from a disk: vectors of its own, and what JSON leaves of the rest. */
function copyOf({ flat, slots, ...rest }: Snapshot): Snapshot {
  const facts = JSON.parse(JSON.stringify(rest)) as typeof rest;
  return { flat: flat.slice(), slots: slots.map((slot) => slot.slice()), ...facts };
}
