import type { ProgramDescription } from '@tutti/protocol';
import type { JobSettings, Resume, ResumePoint } from '@tutti/run';
import { toTuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { Checkpoints } from './checkpoints.js';

/** What the weights of a job begin with, and go back to when a server has lost its own. */
export interface StartingPoint {
  /** Finds the checkpoint that the run is to go on from, if there is one. Throws BAD_CHECKPOINT. */
  find(description: ProgramDescription): Promise<ResumePoint | undefined>;
  /**
   * The state to give to servers that have none: the newest checkpoint of the job with at most
   * `upTo` steps, else the one that the run went on from, else nothing: then it is version 0.
   */
  base(upTo: number): Promise<ResumePoint | undefined>;
}

export function createStartingPoint(init: {
  readonly resume: Resume | undefined;
  readonly settings: JobSettings;
  readonly workers: number;
  readonly checkpoints: Checkpoints;
  readonly emit: (event: RunEvent) => void;
}): StartingPoint {
  const { resume, settings, workers, checkpoints, emit } = init;
  /** Kept until it is used once: it is as large as the model. */
  let found: ResumePoint | undefined;
  let again: (() => ReturnType<Resume>) | undefined;
  let latest = 0;

  return {
    async find(description) {
      const request = { description, settings, workers, emit };
      // Unnamed wait: the caller races it.
      found = await resume!(request);
      if (found === undefined) return undefined;
      latest = found.step;
      again = () => resume!({ ...request, emit() {} });
      return found;
    },
    async base(upTo) {
      const first = found;
      found = undefined;
      if (first !== undefined) return first;
      try {
        const own = upTo > 0 ? await checkpoints.latest(upTo) : undefined;
        if (own !== undefined) return own;
        // Unnamed wait: the caller races it.
        const point = await again?.();
        return point !== undefined && point.step <= latest ? point : undefined;
      } catch (thrown) {
        const error = toTuttiError(thrown, 'BAD_CHECKPOINT', 'It is gone', '');
        const then = 'The run begins anew from version 0, for the same weights';
        emit(warningOf(error, `${error.message} ${then}`));
        return undefined;
      }
    },
  };
}
