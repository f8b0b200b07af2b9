import { readFileSync } from 'node:fs';
import type { Scenario } from './scenario.js';

/** What came later is off where it is not named. */
type Recent = 'verify' | 'checkpointEvery' | 'aggregation' | 'colocated';
export interface Regression {
  readonly what: string;
  readonly scenario: Omit<Scenario, Recent> & Partial<Pick<Scenario, Recent>>;
}

/** With what came later switched off. */
export function complete(scenario: Regression['scenario']): Scenario {
  return {
    verify: 0,
    checkpointEvery: 0,
    aggregation: 'coordinator',
    colocated: false,
    ...scenario,
  };
}

// Beside the sources, whether they run or what was built of them.
const FILE = new URL('../../src/simulation/regressions.json', import.meta.url);

/** What the simulation found: each of them failed before it was mended. */
export const REGRESSIONS: readonly Regression[] = JSON.parse(readFileSync(FILE, 'utf8'));
