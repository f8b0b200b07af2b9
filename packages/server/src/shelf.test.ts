import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import type { Body, OptimizerSpec } from '@tutti/protocol';
import { NO_TIMELINE } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import { createShelf } from './shelf.js';

const plan = samplePlan();
const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const floats = (payload: Uint8Array) => [...new Float32Array(payload.slice().buffer)];

function open(optimizer: OptimizerSpec = plan.optimizer) {
  const sent: [peer: string, body: Body, values: number[]][] = [];
  const deferred: (() => void)[] = [];
  /** What was copied for sockets. */
  const copies: Uint8Array[] = [];
  const shelf = createShelf({
    plan: { ...plan, optimizer },
    firstChunk: 0,
    chunks: 1,
    kernels: createKernels(),
    timeline: NO_TIMELINE,
    send: (peer, body, rest) => sent.push([peer, body, floats(rest?.payload ?? bytes())]),
    broadcast(peers, body, { payload, lent }) {
      copies.push(lent!());
      for (const peer of peers) sent.push([peer, body, floats(payload!)]);
    },
    defer: (task) => deferred.push(task),
  });
  const apply = (step: number, ...sum: number[]) =>
    shelf.apply({ type: 'apply', step, chunk: 0, count: 2, scale: 1 }, bytes(...sum));
  const later = () => {
    while (deferred.length > 0) deferred.shift()!();
  };
  return { shelf, sent, apply, later, copies };
}

describe('shelf', () => {
  it('sends a version as soon as it has it, to whoever asked for it', () => {
    const { shelf, sent, apply } = open();
    shelf.pull('a', 0);
    assert.deepEqual(sent, []);
    shelf.store(0, bytes(1, 2));
    shelf.pull('a', 1);
    shelf.pull('b', 0);
    apply(0, 2, 4);
    assert.deepEqual(sent, [
      ['a', { type: 'weights', version: 0, chunk: 0 }, [1, 2]],
      ['b', { type: 'weights', version: 0, chunk: 0 }, [1, 2]],
      ['a', { type: 'weights', version: 1, chunk: 0 }, [0, 0]],
    ]);
  });

  it('applies a step once, and keeps the version before for who is late', () => {
    const { shelf, sent, apply } = open();
    shelf.store(0, bytes(1, 2));
    apply(0, 2, 2);
    apply(0, 2, 2);
    shelf.store(0, bytes(9, 9));
    assert.deepEqual(shelf.versions(), [1]);
    shelf.pull('late', 0);
    shelf.pull('now', 1);
    assert.deepEqual(
      sent.map(([, , values]) => values),
      [
        [1, 2],
        [0, 1],
      ],
    );
  });

  it('says of which step nobody waits for the reports: not of the last before something is decided', () => {
    const { shelf, sent } = open();
    const attempt = 'a';
    const { aggregator } = shelf;
    aggregator.gather('coordinator', { type: 'gather', attempt, workers: ['s'] });
    aggregator.permit({
      ...{ type: 'permit', attempt, until: 2, rate: 1, recorded: false, known: -1 },
    });
    shelf.pull('a', 0, 2);
    shelf.store(0, bytes(1, 2));
    const node = { type: 'contribution', lo: 0, hi: plan.shards, chunk: 0, attempt } as const;
    for (const step of [0, 1]) aggregator.contribute('a', 's', { ...node, step }, bytes(1, 1));
    const weights = sent.map(([, body]) => body).filter(({ type }) => type === 'weights');
    assert.deepEqual(weights, [
      { type: 'weights', version: 0, chunk: 0, unhurried: true },
      { type: 'weights', version: 1, chunk: 0 },
      { type: 'weights', version: 2, chunk: 0 },
    ]);
  });

  it('keeps the version of the step under way, though all who compute ask for the next', () => {
    const { shelf, sent, apply } = open();
    shelf.store(0, bytes(1, 2));
    shelf.pull('a', 1);
    apply(0, 2, 4);
    shelf.pull('b', 1);
    // Other chunks may still be at version 0, and whoever computed for them may be lost.
    shelf.pull('late', 0);
    assert.deepEqual(sent.at(-1), ['late', { type: 'weights', version: 0, chunk: 0 }, [1, 2]]);
    shelf.pull('a', 2);
    shelf.pull('late', 1);
    apply(1, 2, 4);
    assert.throws(() => shelf.pull('later', 0), { code: 'REFUSED' });
  });

  it('goes on with the next versions, up to the last that was ordered', () => {
    const { shelf, sent, apply } = open();
    shelf.store(0, bytes(1, 2));
    shelf.pull('a', 0, 2);
    shelf.pull('b', 1);
    for (let step = 0; step < 4; step++) apply(step, 0, 0);
    const versions = (peer: string) =>
      sent.flatMap(([to, body]) => (to === peer && body.type === 'weights' ? body.version : []));
    assert.deepEqual(versions('a'), [0, 1, 2]);
    assert.deepEqual(versions('b'), [1]);
    shelf.pull('a', 4, 9);
    shelf.pull('a', 5, 5);
    apply(4, 0, 0);
    apply(5, 0, 0);
    assert.deepEqual(versions('a'), [0, 1, 2, 4, 5], 'an order takes the place of the one before');
  });

  it('copies weights into the same memory, though somebody asks for no more for ever', () => {
    const { shelf, apply, copies } = open();
    shelf.store(0, bytes(1, 2));
    shelf.pull('hangs', 0, 2);
    for (let version = 0; version < 60; version++) {
      if (version % 3 === 0) shelf.pull('works', version, version + 2);
      apply(version, 0, 0);
    }
    const unread = copies.splice(0, 4);
    assert.ok(
      unread.every((copy) => !copies.includes(copy)),
      'what it was sent stays for it',
    );
    const { size } = new Set(copies);
    assert.ok(size < 20, `${size} for ${copies.length} copies`);
  });

  it('sends whoever is late the version that it asks for, and what there is of the next', () => {
    const { shelf, sent, apply } = open();
    shelf.store(0, bytes(1, 2));
    apply(0, 0, 0);
    shelf.pull('late', 0, 5);
    apply(1, 0, 0);
    assert.deepEqual(
      sent.map(([, body]) => body.type === 'weights' && body.version),
      [0, 1, 2],
    );
    shelf.forget('late');
    apply(2, 0, 0);
    assert.equal(sent.length, 3);
  });

  it('refuses a version that is gone, with both', () => {
    const { shelf, apply } = open();
    shelf.store(0, bytes(1, 2));
    apply(0, 0, 0);
    apply(1, 0, 0);
    assert.throws(() => shelf.pull('late', 0), /Version 0 of chunk 0 .* at version 2/);
  });

  const momentum = { name: 'momentum', learningRate: 1, momentum: 0.5 } as const;
  const capture = { type: 'capture', version: 1, slots: true } as const;

  it('sends the state of the version asked for, whatever comes meanwhile', () => {
    for (const applied of [false, true]) {
      const { shelf, sent, apply, later } = open(momentum);
      shelf.store(0, bytes(1, 2));
      apply(0, 2, 4);
      shelf.capture('coordinator', capture);
      if (applied) apply(1, 2, 2);
      later();
      if (applied) apply(2, 2, 2);
      assert.deepEqual(sent, [
        ['coordinator', { type: 'captured', version: 1, chunk: 0 }, [0, 0, 1, 2]],
      ]);
    }
  });

  it('sends no state of another version, nor to whoever is gone', () => {
    const { shelf, sent, apply, later } = open(momentum);
    shelf.store(0, bytes(1, 2));
    shelf.capture('early', capture);
    apply(0, 2, 4);
    shelf.capture('gone', capture);
    shelf.forget('gone');
    apply(1, 2, 2);
    shelf.capture('late', capture);
    later();
    assert.deepEqual(sent, []);
  });

  it('goes on from a state that was captured as the one it was captured from', () => {
    const [first, second] = [open(momentum), open(momentum)];
    first.shelf.store(0, bytes(1, 2));
    first.apply(0, 2, 4);
    first.shelf.capture('coordinator', capture);
    first.later();
    const [, , values] = first.sent[0]!;
    second.shelf.restore({ type: 'restore', chunk: 0, version: 1 }, bytes(...values));
    second.shelf.restore({ type: 'restore', chunk: 0, version: 1 }, bytes(9, 9, 9, 9));
    assert.deepEqual(second.shelf.versions(), [1]);
    for (const { shelf, apply } of [first, second]) {
      apply(1, 3, 5);
      shelf.pull('w', 2);
    }
    assert.deepEqual(second.sent.at(-1), first.sent.at(-1));
  });

  it('refuses a state of the wrong length', () => {
    const { shelf } = open(momentum);
    const restore = { type: 'restore', chunk: 0, version: 1 } as const;
    assert.throws(() => shelf.restore(restore, bytes(1, 2)), /8 bytes instead of 2 times 8/);
  });
});
