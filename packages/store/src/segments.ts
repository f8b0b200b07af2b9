import { TuttiError } from '@tutti/runtime';

/** A run inside one chunk that is updated by one rule. */
export interface StoreSegment {
  /** In floats from the start of the chunk. */
  readonly start: number;
  readonly length: number;
  /** `average`: `w += sum / count`, untouched by learning rate, decay and clipping. */
  readonly update: 'gradient' | 'average';
  /** False exempts it from weight decay. */
  readonly decay: boolean;
}

/** Throws INTERNAL unless the segments cover the chunk in order, once and wholly. */
export function checkSegments(
  chunk: number,
  length: number,
  segments: readonly StoreSegment[],
): void {
  let end = 0;
  for (const segment of segments) {
    if (segment.start !== end || !(segment.length > 0)) {
      throw misfit(
        `Chunk ${chunk} has a segment of ${segment.length} floats from ${segment.start}, not from ${end}.`,
      );
    }
    end += segment.length;
  }
  if (end !== length) {
    throw misfit(`The segments of chunk ${chunk} end at ${end}; it has ${length} floats.`);
  }
}

function misfit(message: string): TuttiError {
  return new TuttiError('INTERNAL', message, {
    remedy: 'Segments must cover their chunk in order and without gaps, as a layout gives them.',
  });
}
