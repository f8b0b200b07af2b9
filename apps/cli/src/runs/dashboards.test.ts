import assert from 'node:assert/strict';
import type { Dashboard } from '@tutti/dashboard';
import { type JobStatus, type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import { systemClock } from '@tutti/runtime';
import { createZmqTransport } from '@tutti/transport';
import { followCoordinator } from './dashboards.js';

const status: JobStatus = {
  ...{ job: 'j', phase: 'training', runningMs: 1, step: 1, steps: 2, epoch: 1, epochs: 1 },
  ...{ shards: 1, storedParameters: 1, startsWith: 1, workers: [], servers: [], waits: [] },
};

describe('a page that follows a coordinator', () => {
  it('asks for what it has not been told, by the place alone', async () => {
    const stopping = new AbortController();
    const asked: unknown[] = [];
    const listener = await createZmqTransport().listen('tcp://127.0.0.1:0', {
      message(peer, { message }) {
        if (message.type !== 'status') return;
        asked.push(message.history);
        const history = { begun: 7, next: asked.length, events: [{ event: 'step' }], more: true };
        const stamp = { protocol: PROTOCOL_VERSION, job: 'j', session: '' };
        const report: Message = { type: 'status-report', status, history, ...stamp };
        listener.send(peer, { message: report });
      },
    });
    const dashboard: Partial<Dashboard> = {
      event() {},
      status: () => asked.length === 3 && stopping.abort(),
    };
    await assert.rejects(
      followCoordinator({
        ...{ address: listener.address, dashboard: dashboard as Dashboard, withEvents: true },
        ...{ clock: systemClock, signal: stopping.signal, deadlineMs: 5000, keyFile: undefined },
      }),
      { code: 'ABORTED' },
    );
    await listener.close(0);
    assert.deepEqual(asked, [
      { begun: 0, next: 0 },
      { begun: 7, next: 1 },
      { begun: 7, next: 2 },
    ]);
  });
});
