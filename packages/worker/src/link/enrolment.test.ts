import assert from 'node:assert/strict';
import {
  type Body,
  type ConnectionHandlers,
  PROTOCOL_VERSION,
  type Transport,
} from '@tutti/protocol';
import { createMonitor, createSimulatedClock } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { enrol } from './enrolment.js';

/** A worker that has been welcomed, and what its coordinator says next. */
function enrolled() {
  let handlers: ConnectionHandlers | undefined;
  const transport: Transport = {
    listen: () => Promise.reject(new Error('A worker does not listen')),
    connect(address, given) {
      handlers = given;
      const traffic = { sentBytes: 0, receivedBytes: 0 };
      return { address, send() {}, close: async () => {}, traffic };
    },
  };
  const clock = createSimulatedClock();
  const enrolment = enrol({
    address: 'coordinator:1',
    join: () => ({ type: 'leave' }),
    worker: 'w0',
    transport,
    clock,
    monitor: createMonitor({ clock }),
    rejoinMs: 1000,
  });
  const hear = (body: Body) =>
    handlers!.message({ message: { ...body, protocol: PROTOCOL_VERSION, job: 'j', session: 's' } });
  hear({ type: 'welcome', worker: 'w0', plan: samplePlan(), servers: [] });
  const assign = (generation: number, step: number, era: string) =>
    hear({ type: 'assign', generation, step, shards: [0], era });
  const verify = (order: number, step: number) =>
    hear({ type: 'verify', work: 'gradient', order, step, lo: 0, hi: 1 });
  return { enrolment, assign, verify };
}

describe('what a worker is to check', () => {
  it('is dropped once it has gone on to a later version', () => {
    const { enrolment, assign, verify } = enrolled();
    assign(1, 1, '');
    verify(1, 1);
    verify(2, 2);
    assert.equal(enrolment.takeOrder(2, '')?.order, 2);
    assert.equal(enrolment.hasOrder(1, ''), false);
  });

  it('is kept, of an earlier version, for when it has gone back to that', () => {
    const { enrolment, assign, verify } = enrolled();
    assign(1, 2, '');
    verify(1, 2);
    assign(2, 0, 'after the way back');
    verify(2, 0);
    assert.equal(enrolment.takeOrder(2, ''), undefined);
    assert.equal(enrolment.takeOrder(0, 'after the way back')?.order, 2);
    assert.equal(enrolment.takeOrder(0, 'after the way back'), undefined);
  });
});
