import { LATE, LATE_DEVIATIONS, USUAL_WINDOW } from '../tunables.js';
import { median } from './median.js';

/** What a micro-batch usually takes, until it is reported, and by how much that wavers. */
export interface UsualTime {
  samples(): number;
  /** The median over all workers. */
  unitMs(): number;
  /** How many times as long is late. */
  tolerance(): number;
  /** @param expectedMs what this worker was expected to take */
  add(unitMs: number, expectedMs: number): void;
}

export function createUsualTime(): UsualTime {
  const units: number[] = [];
  const deviations: number[] = [];
  // They are asked for far more often than they change.
  let [usualMs, tolerance] = [0, 1 + LATE];
  return {
    samples: () => units.length,
    unitMs: () => usualMs,
    tolerance: () => tolerance,
    add(unitMs, expectedMs) {
      units.push(unitMs);
      deviations.push(expectedMs > 0 ? Math.abs(unitMs / expectedMs - 1) : 0);
      if (units.length > USUAL_WINDOW) {
        units.shift();
        deviations.shift();
      }
      usualMs = median(units);
      tolerance = 1 + Math.max(LATE, LATE_DEVIATIONS * median(deviations));
    },
  };
}
