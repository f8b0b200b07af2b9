import assert from 'node:assert/strict';
import type { ProgramDescription } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import { samplePlan } from '@tutti/testing';
import fc from 'fast-check';
import { decideAdmission } from './admission.js';

const program = (hash: string, trainingExamples: number): ProgramDescription => ({
  name: 'p',
  hash,
  parameters: [],
  trainingExamples,
  evaluationExamples: 0,
  defaults: { batchSize: 1, epochs: 1, seed: 1, optimizer: { name: 'sgd', learningRate: 1 } },
});
const programs = fc
  .record({ hash: fc.constantFrom('a', 'b'), examples: fc.constantFrom(1, 2) })
  .map(({ hash, examples }) => program(hash, examples));
const ban = new TuttiError('ARITHMETIC', 'wrong bits', { remedy: 'none' });

describe('the admission of a worker', () => {
  it('is granted if and only if nothing stands against it, and held for a name alone', () => {
    fc.assert(
      fc.property(
        fc.record({
          description: programs,
          joined: fc.boolean(),
          ban: fc.constantFrom(undefined, ban),
          namesake: fc.boolean(),
          waited: fc.boolean(),
          planHash: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
          first: fc.option(programs, { nil: undefined }),
        }),
        ({ description, planHash, first, ...known }) => {
          const admission = decideAdmission(
            { join: { worker: 'w', description }, ...known },
            {
              plan: planHash === undefined ? undefined : samplePlan({ programHash: planHash }),
              first: first && { worker: 'w0', description: first },
            },
          );
          const { joined, namesake, waited } = known;
          const differs =
            (planHash !== undefined && planHash !== description.hash) ||
            (first !== undefined && JSON.stringify(first) !== JSON.stringify(description));
          const clean = !joined && known.ban === undefined && !namesake && !differs;
          assert.equal(admission.kind === 'admit', clean);
          assert.equal(admission.kind === 'hold', namesake && !waited);
          if (admission.kind === 'refuse') assert.ok(admission.why.remedy.length > 0);
        },
      ),
    );
  });

  it('is refused with what differs', () => {
    const first = { worker: 'w0', description: program('a', 1) };
    const applicant = { joined: false, ban: undefined, namesake: false, waited: false };
    const reason = (description: ProgramDescription) => {
      const join = { worker: 'w1', description };
      const admission = decideAdmission({ join, ...applicant }, { plan: undefined, first });
      return admission.kind === 'refuse' ? admission.why.message : '';
    };
    assert.match(
      reason(program('b', 1)),
      /differs from that of w0: its sources have hash b, not a/,
    );
    assert.match(reason(program('a', 2)), /differs from that of w0: trainingExamples is 2, not 1/);
  });
});
