import assert from 'node:assert/strict';
import {
  type Body,
  type ConnectFault,
  encode,
  type Join,
  type Message,
  PROTOCOL_VERSION,
} from '@tutti/protocol';
import { createMonitor, createSimulatedClock } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { enrol } from './enrolment.js';
import { createDeadEnd } from './testing.js';

const NAME: ConnectFault = {
  kind: 'name',
  reason: 'the name head is not known on this machine (ENOTFOUND)',
  remedy: 'Correct the name.',
};

const join = (worker: string): Join => ({
  type: 'join',
  worker,
  description: {
    name: 'p',
    hash: 'h',
    parameters: [],
    trainingExamples: 1,
    evaluationExamples: 0,
    defaults: { batchSize: 1, epochs: 1, seed: 1, optimizer: { name: 'sgd', learningRate: 1 } },
  },
  host: { hostname: 'a', pid: 1, cpu: 'c', node: 'n', arithmetic: {} },
});

/** A worker whose coordinator is not there yet. */
function early(connectDeadlineMs: number) {
  const { transport, handlers } = createDeadEnd();
  const clock = createSimulatedClock();
  const monitor = createMonitor({ clock });
  const enrolment = enrol({
    address: 'tcp://head:1',
    join,
    worker: 'w0',
    transport,
    clock,
    monitor,
    connectDeadlineMs,
    returnDeadlineMs: 1000,
  });
  const ended = monitor.until(() => false, { who: 'a', what: 'b', remedy: 'c' });
  ended.catch(() => {});
  return { enrolment, clock, ended, handlers };
}

/** A worker that has been welcomed, and what its coordinator says next. */
function enrolled() {
  const sent: Message[] = [];
  const { transport, handlers } = createDeadEnd((message) => void sent.push(message));
  const clock = createSimulatedClock();
  const enrolment = enrol({
    address: 'coordinator:1',
    join,
    worker: 'w0',
    transport,
    clock,
    monitor: createMonitor({ clock }),
    connectDeadlineMs: 1000,
    returnDeadlineMs: 1000,
  });
  const hear = (body: Body) =>
    handlers().message({
      message: { ...body, protocol: PROTOCOL_VERSION, job: 'j', session: 's' },
    });
  hear({ type: 'welcome', worker: 'w0', plan: samplePlan(), servers: [] });
  const assign = (generation: number, step: number, attempt: string) =>
    hear({ type: 'assign', generation, step, shards: [0], attempt });
  const verify = (order: number, step: number) =>
    hear({ type: 'verify', work: 'gradient', order, step, lo: 0, hi: 1 });
  return { enrolment, hear, sent, assign, verify };
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

describe('a worker', () => {
  it('refuses what no coordinator says to it, with a reason', () => {
    const { hear, sent } = enrolled();
    hear({ type: 'pull', version: 1 });
    const [join, answer] = sent;
    assert.equal(join?.type, 'join');
    assert.ok(answer?.type === 'refused');
    assert.match(
      answer.error.message,
      /^A worker takes no message of type pull from a coordinator/,
    );
    assert.equal(answer.session, 's');
  });
});

describe('a worker that cannot say what it is', () => {
  it('fails once, and leaves nothing behind that would throw again', async () => {
    const clock = createSimulatedClock();
    const monitor = createMonitor({ clock });
    let closed = 0;
    const { transport, handlers } = createDeadEnd(
      (message) => void encode({ message }),
      () => closed++,
    );
    const enrolment = enrol({
      address: 'tcp://head:1',
      join: (worker) => ({ ...join(worker), host: undefined as never }),
      worker: 'w0',
      transport,
      clock,
      monitor,
      connectDeadlineMs: 1000,
      returnDeadlineMs: 1000,
    });
    const ended = monitor.until(() => false, { who: 'a', what: 'b', remedy: 'c' });
    await assert.rejects(ended, { code: 'INTERNAL', message: /^Message join\.host is missing/ });
    handlers().closed!('the coordinator refused it');
    clock.advance(60_000);
    await enrolment.close({ type: 'leave' });
    assert.equal(closed, 1);
  });

  it('fails in the same way when it joins anew', async () => {
    const clock = createSimulatedClock();
    const monitor = createMonitor({ clock });
    let facts = join('w0');
    const { transport, handlers } = createDeadEnd((message) => void encode({ message }));
    const enrolment = enrol({
      address: 'tcp://head:1',
      join: () => facts,
      worker: 'w0',
      transport,
      clock,
      monitor,
      connectDeadlineMs: 90_000,
      returnDeadlineMs: 90_000,
    });
    facts = { ...facts, host: undefined as never };
    const ended = monitor.until(() => false, { who: 'a', what: 'b', remedy: 'c' });
    ended.catch(() => {});
    handlers().closed!('it is gone');
    clock.advance(10_000);
    await assert.rejects(ended, { code: 'INTERNAL' });
    await enrolment.close();
  });
});

describe('a worker that is started before its coordinator', () => {
  it('looks for it as long as it is told to, then says why it was not reached', async () => {
    const { enrolment, clock, ended, handlers } = early(90_000);
    for (let second = 0; second < 90; second++) {
      handlers().unreached!(NAME);
      assert.equal(enrolment.fault(), NAME);
      // The transport gives up earlier, and is asked again.
      if (second % 30 === 29) handlers().closed!('could not be reached', NAME);
      clock.advance(1000);
    }
    handlers().unreached!(NAME);
    await assert.rejects(ended, {
      code: 'PEER_LOST',
      message:
        'No coordinator answered at tcp://head:1 within 90 s: the name head is not known on this machine (ENOTFOUND)',
      remedy: /^Correct the name\..*--connect-deadline-ms/,
    });
  });

  it('has nothing to say any more once it is there', async () => {
    const { enrolment, clock, ended, handlers } = early(90_000);
    handlers().unreached!(NAME);
    clock.advance(89_000);
    handlers().opened!();
    assert.equal(enrolment.fault(), undefined);
    clock.advance(60_000);
    const still = new Promise((resolve) => setImmediate(resolve, 'waiting'));
    assert.equal(await Promise.race([ended, still]), 'waiting');
  });
});
