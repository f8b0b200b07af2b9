import assert from 'node:assert/strict';
import { createLayout } from '@tutti/parameters';
import { createStepProgress } from '@tutti/run';
import { createMonitor, createSimulatedClock } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { createLedger } from '../state/ledger.js';
import { DEADLINES } from '../tunables.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import { createWorkerTimings } from '../workers/timings.js';
import { createSupervisor } from './supervisor.js';

/** Until the last worker of a step has reported; the first has after half of it. */
const STEP_MS = 200;

/** Workers with a shard each, who are done one after the other; the last may hang. */
function crew(workers: number) {
  const clock = createSimulatedClock();
  const plan = samplePlan({
    ...{ shards: workers, batchSize: workers, trainingExamples: workers },
    steps: 100,
  });
  const layout = createLayout(plan.parameters, 2);
  /** How often any worker was looked at. */
  let looks = 0;
  const helped: { readonly atMs: number; readonly shards: readonly number[] }[] = [];
  const members = Array.from({ length: workers }, (_, at) => {
    const member = { worker: `w${at}`, shards: [at], ready: true };
    const session = () => {
      looks++;
      return `session ${at}`;
    };
    return Object.defineProperty(member, 'session', { get: session }) as unknown as Member;
  });
  const timings = createWorkerTimings();
  const { gradient } = timings.usual;
  const unitMs = () => {
    looks++;
    return gradient.unitMs();
  };
  const supervisor = createSupervisor({
    ...{
      plan,
      clock,
      deadlines: DEADLINES,
      monitor: createMonitor({ clock }),
      askServers() {},
      unansweredHosts: () => [],
    },
    timings: { ...timings, usual: { ...timings.usual, gradient: { ...gradient, unitMs } } },
    membership: {
      ready: () => members,
      enough: () => true,
      tell: (_, body) => body.type === 'compute' && helped.push({ atMs: clock.now(), ...body }),
      catchUp() {},
      rebalance() {},
      [Symbol.iterator]: () => members.values(),
    } satisfies Partial<Membership> as unknown as Membership,
  });
  const sums = {
    ...{ isFinite: () => true, squares: () => [], missing: () => [], isMissing: () => false },
  };
  const ledger = createLedger({
    ...{ plan, version: 0, most: 0 },
    createStep: (step) => ({ ...createStepProgress({ step, plan, layout, sums }), release() {} }),
  });
  supervisor.start(ledger, () => []);

  /** @returns how often anybody was looked at while so many did the step */
  function step(reporting = workers): number {
    const before = looks;
    const start = clock.now();
    const at = ledger.version();
    for (const [shard, member] of members.slice(0, reporting).entries()) {
      clock.advance(start + (STEP_MS / 2) * (1 + (shard + 1) / workers) - clock.now());
      const report = { shard, count: 1, lossSum: 1, metrics: {}, computeMs: STEP_MS / 2 };
      ledger.step(at)!.report(member.worker, report);
      supervisor.reported(member, at, [report]);
    }
    clock.advance(start + 2 * STEP_MS - clock.now());
    ledger.advance();
    supervisor.next();
    return looks - before;
  }
  return { clock, step, helped };
}

describe('the supervisor of many workers', () => {
  const warmed = (workers: number) => {
    const one = crew(workers);
    for (let at = 0; at < 3; at++) one.step();
    return one;
  };

  it('looks at them about as often as there are workers, not at all at every report of one', () => {
    for (const hanging of [0, 1]) {
      const [few, many] = [128, 512].map((workers) => {
        const { step } = warmed(workers);
        // Of the second step, too: then one may be late from its beginning.
        return step(workers - hanging) + step(workers - hanging);
      });
      assert.ok(many! <= 6 * few!, `${many} looks, and ${few} at a quarter of the workers`);
    }
  });

  it('has others do what one is late with no later than it would among few, but for a moment', () => {
    const [few, many] = [8, 512].map((workers) => {
      const { clock, step, helped } = warmed(workers);
      const start = clock.now();
      step(workers - 1);
      assert.deepEqual(helped[0]?.shards, [workers - 1]);
      return helped[0]!.atMs - start;
    });
    assert.ok(many! - few! <= 0.1 * STEP_MS, `${many} ms, and ${few} among few`);
  });
});
