import type { LocalOptions } from '@tutti/launch';
import { median } from './median.js';
import { ownStep } from './step.js';

const WORKERS = 2;
const ROUNDS = 7;
/** What all others are compared with comes first. */
const ARRANGEMENTS: Readonly<Record<string, LocalOptions>> = {
  'sums at the coordinator, 1 server': {},
  'sums at the coordinator, 2 servers': { servers: 2 },
  'sums at the servers, 1 server': { aggregation: 'server' },
  'sums at the servers, 2 servers': { aggregation: 'server', servers: 2 },
  'servers colocated': { servers: 'colocated' },
  'servers colocated, 1 replica': { servers: 'colocated', replicas: 1 },
};

/**
 * One synchronous step without computing, of two workers, for each place where the sums can be made:
 * milliseconds, and the ratio to the first, both medians over rounds in which all come in turn.
 */
export async function benchArrangements(
  floats: number,
  steps: number,
): Promise<Record<string, number>> {
  const names = Object.keys(ARRANGEMENTS);
  const rounds: number[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const times: number[] = [];
    for (const name of names)
      times.push((await ownStep(floats, WORKERS, steps, ARRANGEMENTS[name])).ms);
    rounds.push(times);
  }
  return Object.fromEntries(
    names.flatMap((name, at) => [
      [`${name}: ms`, median(rounds.map((times) => times[at]!))],
      [`${name}: ratio`, median(rounds.map((times) => times[at]! / times[0]!))],
    ]),
  );
}
