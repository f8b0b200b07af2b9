import assert from 'node:assert/strict';
import type { Join } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import fc from 'fast-check';
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

describe('the roster', () => {
  it('does not take back a process that was banned, and takes another of its name', () => {
    let ids = 0;
    const roster = createRoster(() => `id-${++ids}`);
    const first = roster.admit('peer-1', join('w0'), '');
    // It had lost its connection in between.
    const second = roster.admit('peer-2', join('w0'), first.session);
    const ban = new TuttiError('ARITHMETIC', 'wrong bits', { remedy: 'none' });
    roster.ban(second, ban);
    roster.remove('peer-2');
    for (const session of [first.session, second.session])
      assert.deepEqual(roster.decide('peer-3', join('w0'), session, false), {
        kind: 'refuse',
        why: ban,
      });
    assert.deepEqual(roster.decide('peer-4', join('w0'), '', false), { kind: 'admit' });
  });

  it('has one member of a name and none of a banned process, whoever comes and goes', () => {
    const action = fc.record({
      kind: fc.constantFrom('join', 'rejoin', 'leave', 'ban'),
      name: fc.constantFrom('', 'w0', 'w1', 'a'),
      at: fc.nat(9),
      waited: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        let ids = 0;
        const roster = createRoster(() => `id-${++ids}`);
        const sessions: { readonly session: string; readonly worker: string }[] = [];
        const banned = new Set<string>();
        for (const [turn, { kind, name, at, waited }] of actions.entries()) {
          const here = [...roster];
          const member = here[at % Math.max(1, here.length)];
          if (kind === 'leave' && member !== undefined) roster.remove(member.peer);
          if (kind === 'ban' && member !== undefined) {
            roster.ban(member, new TuttiError('REFUSED', 'hung', { remedy: 'none' }));
            roster.remove(member.peer);
            banned.add(member.process);
          }
          if (kind === 'join' || kind === 'rejoin') {
            const before =
              kind === 'rejoin' ? sessions[at % Math.max(1, sessions.length)] : undefined;
            const request = join(before?.worker ?? name);
            const session = before?.session ?? '';
            const { kind: decision } = roster.decide(`p${turn}`, request, session, waited);
            if (decision !== 'admit') continue;
            sessions.push(roster.admit(`p${turn}`, request, session));
          }
          const names = roster.names();
          assert.equal(new Set(names).size, names.length);
          for (const { process } of roster) assert.ok(!banned.has(process));
        }
      }),
    );
  });
});
