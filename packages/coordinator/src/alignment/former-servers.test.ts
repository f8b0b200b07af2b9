import assert from 'node:assert/strict';
import type { ProgramDefaults } from '@tutti/protocol';
import { createMonitor, createSimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { HOST_PATIENCE_MS } from '../tunables.js';
import { createFormerServers } from './former-servers.js';

const defaults: ProgramDefaults = {
  ...{ batchSize: 1, epochs: 1, seed: 1, optimizer: { name: 'sgd', learningRate: 0.1 } },
};

/** A coordinator whom workers without weights have reached first, after it has listened for a while. */
function reached(init: {
  /** Whether there was a coordinator before it that was. */
  readonly killed: boolean;
  readonly afterMs?: number;
  /** When somebody has come who knows where the weights are, if not later. */
  readonly told?: 'before others were asked' | 'while others were asked';
}) {
  const clock = createSimulatedClock();
  const monitor = createMonitor({ clock });
  const events: RunEvent[] = [];
  const asked: unknown[] = [];
  /** What becomes of the record, and of those whom somebody has told. */
  const state = {
    forgotten: 0,
    remembered: init.told !== undefined,
    taken: init.told === 'before others were asked',
  };
  const servers = createFormerServers({
    hosts: {
      remembered: () => state.remembered,
      restore() {
        const isNews = !state.taken;
        state.taken = true;
        return isNews;
      },
    },
    sink: {
      async unfinished(request) {
        asked.push(request);
        if (!init.killed) return undefined;
        return { job: 'old', forget: async () => void state.forgotten++ };
      },
    },
    address: 'coordinator:1',
    described: () => ({
      ...{ name: 'line', hash: 'f00d', parameters: [], trainingExamples: 1 },
      ...{ evaluationExamples: 0, defaults },
    }),
    ...{ monitor, clock, emit: (event) => void events.push(event) },
  });
  clock.advance(init.afterMs ?? 0);
  let others: boolean | undefined;
  void servers.returned().then((found) => {
    others = found;
  });
  return {
    ...{ clock, monitor, events, asked, state },
    /** Somebody comes who knows where the weights are. */
    tell() {
      state.remembered = true;
      monitor.notify();
    },
    /** Whether others hold the ranges now; undefined while that is awaited. */
    async found() {
      await new Promise<void>((resolve) => setImmediate(resolve));
      return others;
    },
  };
}

describe('the servers of a coordinator that was killed', () => {
  it('hold the ranges again if somebody who knows them is back in time', async () => {
    const { clock, tell, found, asked, events, state, monitor } = reached({ killed: true });
    clock.advance(HOST_PATIENCE_MS - 1);
    assert.equal(await found(), undefined);
    assert.match(monitor.waits()[0]!.who, /workers of job old, whose coordinator at coordinator:1/);
    tell();
    assert.equal(await found(), true);
    assert.equal(state.taken, true);
    assert.deepEqual(asked, [
      { programName: 'line', programHash: 'f00d', coordinator: 'coordinator:1' },
    ]);
    assert.deepEqual([state.forgotten, events], [0, []]);
  });

  it('are given up, and that is told, when their time is over', async () => {
    const { clock, found, events, state, monitor } = reached({ killed: true });
    assert.equal(await found(), undefined);
    clock.advance(HOST_PATIENCE_MS);
    assert.equal(await found(), false);
    assert.deepEqual([state.forgotten, state.taken], [1, false]);
    assert.deepEqual(monitor.waits(), []);
    const [warning, ...more] = events;
    assert.ok(warning?.event === 'warning' && more.length === 0);
    assert.match(warning.message, /^No worker of job old, .* come back within 10 s/);
  });

  it('are awaited from the start of the coordinator, not from when others came', async () => {
    const late = reached({ killed: true, afterMs: HOST_PATIENCE_MS - 1 });
    assert.equal(await late.found(), undefined);
    late.clock.advance(1);
    assert.equal(await late.found(), false);
    const later = reached({ killed: true, afterMs: HOST_PATIENCE_MS + 1 });
    assert.equal(await later.found(), false);
  });

  it('are not awaited where no coordinator was killed', async () => {
    const { found, events } = reached({ killed: false });
    assert.equal(await found(), false);
    assert.deepEqual(events, []);
  });

  it('are taken at once if somebody has told them while others were asked', async () => {
    const { found, asked, state } = reached({ killed: true, told: 'while others were asked' });
    assert.equal(await found(), true);
    assert.deepEqual([asked, state.taken], [[], true]);
  });

  it('are not awaited if they were asked themselves', async () => {
    const { found, asked } = reached({ killed: true, told: 'before others were asked' });
    assert.equal(await found(), false);
    assert.deepEqual(asked, []);
  });
});
