import { TuttiError } from '@tutti/runtime';

/** The error for a file that is there but not what it should be. */
export function badCheckpoint(path: string, reason: string, remedy?: string): TuttiError {
  return new TuttiError('BAD_CHECKPOINT', `${path} cannot be used: ${reason}.`, {
    remedy: remedy ?? 'Use another checkpoint, or copy this one anew from where it came from.',
    details: { path, reason },
  });
}
