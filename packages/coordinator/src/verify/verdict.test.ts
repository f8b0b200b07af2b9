import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Claim, judge } from './verdict.js';

const claims = (...said: string[]): Claim[] =>
  said.map((each) => ({ worker: each[0]!, digest: each.slice(1) }));

describe('a verdict', () => {
  it('needs two workers that say the same', () => {
    assert.deepEqual(judge(claims('a1'), ['a', 'b', 'c']), { kind: 'ask', whom: ['b', 'c'] });
    assert.deepEqual(judge(claims('a1', 'b1'), ['a', 'b']), { kind: 'agreed' });
    assert.deepEqual(judge(claims('a1', 'a1'), ['a', 'b']), { kind: 'ask', whom: ['b'] });
  });

  it('takes the word of one that is alone twice', () => {
    assert.deepEqual(judge(claims('a1'), ['a']), { kind: 'ask', whom: ['a'] });
    assert.deepEqual(judge(claims('a1', 'a1'), ['a']), { kind: 'agreed' });
    assert.deepEqual(judge(claims('a1', 'a2'), ['a']), { kind: 'faulty', workers: ['a'] });
  });

  it('has a third decide', () => {
    assert.deepEqual(judge(claims('a1', 'b2'), ['a', 'b', 'c']), { kind: 'ask', whom: ['c'] });
    assert.deepEqual(judge(claims('a1', 'b2', 'c2'), ['a', 'b', 'c']), {
      kind: 'faulty',
      workers: ['a'],
    });
  });

  it('has two decide by asking both again', () => {
    assert.deepEqual(judge(claims('a1', 'b2'), ['a', 'b']), { kind: 'ask', whom: ['a', 'b'] });
    assert.deepEqual(judge(claims('a1', 'b2', 'b2'), ['a', 'b']), { kind: 'ask', whom: ['a'] });
    const faulty = { kind: 'faulty', workers: ['a'] };
    assert.deepEqual(judge(claims('a1', 'b2', 'b2', 'a2'), ['a', 'b']), faulty);
    assert.deepEqual(judge(claims('a1', 'b2', 'a3'), ['a', 'b']), faulty);
    const all = claims('a1', 'b2', 'a1', 'b2');
    assert.deepEqual(judge(all, ['a', 'b']), { kind: 'undecidable' });
  });

  it('is reached by asking, and is right, whoever flips bits now and then, if one only does', () => {
    const cases = fc.record({
      workers: fc.integer({ min: 1, max: 5 }),
      faulty: fc.nat(4),
      contributor: fc.nat(4),
      flips: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      choices: fc.infiniteStream(fc.nat(100)),
    });
    fc.assert(
      fc.property(cases, ({ workers, faulty, contributor, flips, choices }) => {
        const here = Array.from({ length: workers }, (_, at) => `w${at}`);
        const bad = `w${faulty % workers}`;
        let computed = 0;
        let flipped = 0;
        const compute = (worker: string): Claim => {
          const flip = worker === bad && flips[computed++] === true;
          if (flip) flipped++;
          return { worker, digest: flip ? `wrong ${flipped}` : 'right' };
        };
        const said = [compute(`w${contributor % workers}`)];
        for (let rounds = 0; ; rounds++) {
          assert.ok(rounds <= 2 * workers, 'it goes on for ever');
          const verdict = judge(said, here);
          if (verdict.kind === 'ask') {
            const { whom } = verdict;
            assert.ok(whom.length > 0);
            said.push(compute(whom[choices.next().value! % whom.length]!));
            continue;
          }
          if (verdict.kind === 'faulty') assert.deepEqual(verdict.workers, [bad]);
          else {
            assert.equal(verdict.kind, 'agreed');
            assert.ok(said.every(({ digest }) => digest === 'right'));
          }
          return;
        }
      }),
    );
  });
});
