import type { beginAgain, Resume, ResumePoint } from '@tutti/run';
import { toTuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { Job } from '../state/job.js';
import type { Checkpoints } from './checkpoints.js';

/** What the weights of a job begin with, and go back to when a server has lost its own. */
export interface StartingPoint {
  /**
   * The state to give to servers that have none: the newest checkpoint of the job with at most
   * `upTo` steps, else the one that the run went on from, else what it began with. Nothing for the
   * initial values of the program: then it is version 0.
   * @throws TuttiError BAD_CHECKPOINT if it began with other weights, and they are gone
   */
  base(upTo: number): Promise<ResumePoint | undefined>;
}

/** What a run starts from. */
export interface FoundCheckpoint {
  readonly point: ResumePoint;
  /** Reads it again. */
  again(): Promise<ResumePoint | undefined>;
}

/** Finds what a run is to start from, if there is something. Throws BAD_CHECKPOINT. */
export async function findCheckpoint(
  resume: Resume,
  request: Parameters<Resume>[0],
): Promise<FoundCheckpoint | undefined> {
  // Unnamed wait: the caller races it.
  const point = await resume(request);
  return point && { point, again: () => resume({ ...request, emit() {} }) };
}

/** @param init.found what the run starts from */
export function createStartingPoint(init: {
  readonly job: Job;
  readonly found: FoundCheckpoint | undefined;
  readonly checkpoints: Checkpoints;
  readonly beginAgain: typeof beginAgain;
  readonly emit: (event: RunEvent) => void;
}): StartingPoint {
  const { checkpoints, emit } = init;
  const { plan } = init.job;
  /** Kept until it is used once: it is as large as the model. */
  let first = init.found?.point;
  const again = init.found?.again;
  const latest = first?.step ?? 0;

  async function saved(upTo: number): Promise<ResumePoint | undefined> {
    try {
      const own = upTo > 0 ? await checkpoints.latest(upTo) : undefined;
      if (own !== undefined || latest === 0) return own;
      // Unnamed wait: the caller races it.
      const point = await again?.();
      return point !== undefined && point.step <= latest ? point : undefined;
    } catch (thrown) {
      const error = toTuttiError(thrown, 'BAD_CHECKPOINT', 'It is gone', '');
      const then = 'The run begins anew from version 0, for the same weights';
      emit(warningOf(error, `${error.message} ${then}`));
      return undefined;
    }
  }

  return {
    async base(upTo) {
      const unused = first;
      first = undefined;
      if (unused !== undefined) return unused;
      const point = await saved(upTo);
      if (point !== undefined || plan.firstWeights === undefined) return point;
      return init.beginAgain(plan, plan.firstWeights);
    },
  };
}
