import assert from 'node:assert/strict';
import { type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import type { Member } from '../workers/roster.js';
import type { JobRun } from './job-run.js';
import { createPeerEvents } from './peer-events.js';

const contribution = (session: string): Message => ({
  ...{ type: 'contribution', step: 1, lo: 0, hi: 1, chunk: 0, attempt: '' },
  ...{ protocol: PROTOCOL_VERSION, job: 'j', session },
});

describe('the events of peers', () => {
  it('give room for a sum to those who were admitted, and to nobody else', () => {
    const room = new Uint8Array(32);
    const member = { worker: 'w0', peer: 'peer-1', session: 's' } as Member;
    const { place } = createPeerEvents({
      lifetime: { ended: () => false, guard: (run: () => void) => run() } as never,
      monitor: { notify() {} },
      membership: {
        leave() {},
        authenticate: (peer, { session }) =>
          peer === member.peer && session === member.session ? member : undefined,
      },
      routes: { fromWorker() {} },
      statuses: { answer() {}, forget() {} },
      observations: { forget() {} },
      run: () => ({ training: { aggregation: { landing: () => room } } }) as unknown as JobRun,
      hosts: { offered() {}, identified() {}, withdrawn() {} },
      emitStray() {},
    }).handlers;
    assert.equal(place('peer-1', contribution('s'), room.length), room);
    assert.equal(place('peer-2', contribution('s'), room.length), undefined);
    assert.equal(place('peer-1', contribution('of before'), room.length), undefined);
  });
});
