import type { Clock } from './clock.js';

/**
 * Keeps what may come in floods from being told one by one: of each kind the first few are told at
 * once, and later ones are only counted, until a while has passed.
 * @returns to be called with each; `tell` is given what to add of those that were not told
 */
export function createGathering(init: {
  readonly clock: Clock;
  /** How many of a kind are told in each period. */
  readonly atOnce: number;
  readonly periodMs: number;
}): (kind: string, tell: (others: string) => void) => void {
  const { clock, atOnce, periodMs } = init;
  const kinds = new Map<string, { since: number; told: number; untold: number }>();
  return (kind, tell) => {
    const now = clock.now();
    let entry = kinds.get(kind);
    if (entry === undefined) {
      entry = { since: now, told: 0, untold: 0 };
      kinds.set(kind, entry);
    }
    if (now - entry.since >= periodMs) {
      entry.since = now;
      entry.told = 0;
    }
    if (entry.told >= atOnce) {
      entry.untold++;
      return;
    }
    entry.told++;
    const { untold } = entry;
    entry.untold = 0;
    tell(untold === 0 ? '' : `, and ${untold} others before it`);
  };
}
