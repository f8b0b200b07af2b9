import assert from 'node:assert/strict';
import { createMonitor, createSimulatedClock, type WaitReport } from '@tutti/runtime';
import type { Servers, ServerView } from '../servers/servers.js';
import { createHoldings } from './holdings.js';

describe('what servers hold', () => {
  it('is awaited of all workers that host them, replicas too', async () => {
    const clock = createSimulatedClock();
    const waits: WaitReport[] = [];
    const monitor = createMonitor({ clock, onWaiting: (report) => void waits.push(report) });
    // One range, held by three: one of them has come.
    const views: readonly Partial<ServerView>[] = [{}];
    const servers = { missing: () => 2, width: 1, views: () => views } as unknown as Servers;
    const deadlines = { joinMs: 15_000, stepMs: 1, serverMs: 1, progressMs: 1 };
    const { identify } = createHoldings({ servers, monitor, clock, deadlines });
    const identified = assert.rejects(identify(), {
      message: 'Waited 15.0 s for 2 of 3 workers to join with the servers that they host',
    });
    for (const ms of [10_000, 5000]) clock.advance(ms);
    await identified;
    assert.deepEqual(
      waits.map(({ who }) => who),
      ['2 of 3 workers'],
    );
  });
});
