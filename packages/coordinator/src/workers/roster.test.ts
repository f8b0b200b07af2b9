import assert from 'node:assert/strict';
import type { Join } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import { createRoster } from './roster.js';

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

describe('members', () => {
  it('do not take back a process that was banned, and take another of its name', () => {
    let ids = 0;
    const members = createRoster(() => `id-${++ids}`);
    const first = members.admit('peer-1', join('w0'), '');
    // It had lost its connection in between.
    const second = members.admit('peer-2', join('w0'), first.session);
    members.ban(second, new TuttiError('ARITHMETIC', 'wrong bits', { remedy: 'none' }));
    members.remove('peer-2');
    for (const session of [first.session, second.session])
      assert.throws(() => members.admit('peer-3', join('w0'), session), { code: 'ARITHMETIC' });
    assert.equal(members.admit('peer-4', join('w0'), '').worker, 'w0');
  });
});
