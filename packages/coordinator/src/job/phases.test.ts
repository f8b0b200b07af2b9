import assert from 'node:assert/strict';
import { layoutOf } from '@tutti/parameters';
import type { JobPlan } from '@tutti/protocol';
import type { ResumePoint } from '@tutti/run';
import { createMonitor, createSimulatedClock, TuttiError } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import type { Aligned } from '../alignment/server-alignment.js';
import type { CollectedState } from '../state/collected-state.js';
import { createJobIdentity } from '../state/job.js';
import type { Reached } from '../training/training-loop.js';
import type { JobRun } from './job-run.js';
import { createPhases } from './phases.js';

type Phase = 'asking' | 'gathering' | 'opening' | 'training' | 'never';

interface Init {
  /** Where the coordinator is when somebody ends the run. */
  readonly interruptedWhile: Phase;
  /** What the servers are at, by their chunks; a job that nobody holds is begun. */
  readonly servers?: Aligned;
  /** What they are at is lost while they open the job. */
  readonly lost?: boolean;
  /** The checkpoint that is on the disk. */
  readonly saved?: number;
  readonly plan?: Partial<JobPlan>;
  /** What becomes of the training once somebody has ended it. */
  readonly train?: () => Promise<Reached>;
}

const pointAt = (step: number) => ({ step, path: `memory/${step}` }) as ResumePoint;

/** A coordinator that has come back and finds its job at the servers, and somebody who ends the run. */
async function end(init: Init) {
  const { interruptedWhile, servers, saved } = init;
  const clock = createSimulatedClock();
  const monitor = createMonitor({ clock });
  const interrupting = new AbortController();
  const identity = createJobIdentity('new');
  const plan: JobPlan = { ...samplePlan(), steps: 100, stepsPerEpoch: 50, ...init.plan };
  const written: number[] = [];
  const asked: string[] = [];
  const base = async (upTo: number) =>
    saved === undefined || saved > upTo ? undefined : pointAt(saved);
  const none = { who: 'nobody', what: 'come', remedy: '', deadlineMs: 1000 };

  function at(phase: Phase) {
    asked.push(phase);
    if (phase !== interruptedWhile) return;
    interrupting.abort();
    phases.interrupted();
  }

  const run = {
    job: { id: 'old', plan, layout: layoutOf(plan) },
    checkpoints: {
      begin: async () => 'memory',
      async last({ version }: CollectedState) {
        written.push(version);
        return { path: `memory/${version}` };
      },
    },
    startingPoint: { base },
    alignment: {
      async align(_reset: boolean, from: (most: number) => Promise<ResumePoint | undefined>) {
        at('opening');
        // As the real one, which waits for the servers next.
        await monitor.until(() => true, none);
        if (servers !== undefined && init.lost !== true) return servers;
        const point = await from(servers?.most ?? -1);
        return { version: point?.step ?? 0, most: point?.step ?? 0, ...(point && { from: point }) };
      },
    },
    steering: { startAt() {}, best: () => undefined },
    training: {
      ledger: () => undefined,
      release() {},
      async train() {
        at('training');
        if (init.train !== undefined) return init.train();
        const version = (servers?.most ?? 0) + (interruptedWhile === 'training' ? 0 : 1);
        return { version, interrupted: true, over: false };
      },
    },
    finalWeights: { collect: async (version: number) => ({ version }), release() {} },
  } as unknown as JobRun;
  let begun: JobRun | undefined;
  const phases = createPhases({
    ...{ identity, monitor, clock, emit() {}, resume: undefined, interrupt: interrupting.signal },
    holdings: {
      known: () => servers !== undefined,
      async identify() {
        at('asking');
        await monitor.until(() => true, none);
        return { found: servers && { id: 'old', plan }, complete: true };
      },
    },
    formerServers: undefined,
    membership: {
      anyone: () => none,
      size: () => 0,
      async gather(stopping) {
        at('gathering');
        await monitor.until(() => stopping() || interruptedWhile !== 'gathering', none);
      },
    },
    ...{ servers: 1, replicas: 0, gone: () => '', request: { settings: {}, workers: 1 } },
    ...{ described: () => undefined, identified() {}, started() {} },
    observations: { wireBytesPerStep: () => undefined },
    run: () => begun,
    begin() {
      begun = run;
      return run;
    },
  });
  const thrown = await phases.run().then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof TuttiError, String(thrown));
  assert.equal(thrown.code, 'ABORTED');
  return { written, asked, message: thrown.message, details: thrown.details };
}

const whole = { version: 7, most: 7 };

describe('a run that is ended as its coordinator has come back', () => {
  for (const interruptedWhile of ['asking', 'gathering', 'opening'] as const)
    it(`is saved from what the servers hold, without workers: while ${interruptedWhile}`, async () => {
      const { written, details, asked } = await end({ interruptedWhile, servers: whole, saved: 5 });
      assert.deepEqual(written, [7]);
      assert.deepEqual(details, { step: 7, checkpoint: 'memory/7' });
      assert.ok(!asked.includes('training'));
    });

  it('saves what the coordinator before has trained, though this one has done no step', async () => {
    const { written, details } = await end({ interruptedWhile: 'training', servers: whole });
    assert.deepEqual(written, [7]);
    assert.deepEqual(details, { step: 7, checkpoint: 'memory/7' });
  });

  it('has a step completed that servers have begun', async () => {
    const servers = { version: 7, most: 8 };
    const { written, asked } = await end({ interruptedWhile: 'gathering', servers });
    assert.ok(asked.includes('training'));
    assert.deepEqual(written, [9]);
  });

  it('says what is lost where nobody comes to complete that step', async () => {
    const { written, message, details } = await end({
      ...{ interruptedWhile: 'gathering', servers: { version: 7, most: 8 }, saved: 5 },
      async train() {
        throw new TuttiError('DEADLINE', 'Waited 120.0 s for nobody to come', { remedy: '' });
      },
    });
    assert.deepEqual(written, []);
    assert.deepEqual(details, { step: 5, lost: 7, checkpoint: 'memory/5' });
    assert.equal(
      message,
      'Stopped after step 7. What came after step 5, which is saved in memory/5, is lost: Waited 120.0 s for nobody to come',
    );
  });

  it('goes back to what is saved where all servers were started again meanwhile', async () => {
    const empty = { servers: { version: -1, most: -1 }, lost: true } as const;
    const { details } = await end({ interruptedWhile: 'opening', ...empty, saved: 5 });
    assert.deepEqual(details, { step: 5, checkpoint: 'memory/5' });
  });

  it('says what is lost with a server', async () => {
    const lost = { interruptedWhile: 'opening', servers: whole, lost: true } as const;
    const { written, message, details } = await end({ ...lost, saved: 5 });
    assert.deepEqual(written, []);
    assert.deepEqual(details, { step: 5, lost: 7, checkpoint: 'memory/5' });
    assert.match(message, /^Stopped after step 7\. .* is lost: a server had lost its weights$/);
    assert.deepEqual((await end(lost)).details, { step: 0, lost: 7 });
  });

  it('keeps nothing that depends on evaluations which nobody remembers', async () => {
    const plan = { stepsPerEpoch: 5, earlyStopping: { patience: 1, minChange: 0 } } as const;
    const init = { interruptedWhile: 'gathering', servers: whole, saved: 5, plan } as const;
    const { written, details } = await end(init);
    assert.deepEqual(written, []);
    assert.deepEqual(details, { step: 5, lost: 7, checkpoint: 'memory/5' });
  });

  it('ends at once where there is nothing to save', async () => {
    for (const interruptedWhile of ['asking', 'gathering', 'opening'] as const) {
      const { written, details, asked } = await end({ interruptedWhile });
      assert.deepEqual(written, []);
      assert.deepEqual(details, { step: 0 });
      assert.equal(asked.at(-1), interruptedWhile);
    }
  });
});
