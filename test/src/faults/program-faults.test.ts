import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { runLocal } from '@tutti/launch';
import type { Computation, GradientResult, Program } from '@tutti/worker';
import { altered } from '../programs/altered.js';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

/** Regression whose gradient is spoilt at step 3, shard 5. */
const spoilt = (spoil: (result: GradientResult) => unknown) =>
  altered(regression(), async (result, { step, shard }) =>
    step === 3 && shard === 5 ? ((await spoil(result)) as GradientResult) : result,
  );

/** Shard 5 of 8 belongs to the second of two workers. */
const PLACE = /step 3, shard 5, epoch 0 on worker w1/;

async function failureOf(spoil: (result: GradientResult) => unknown) {
  const run = simulate({ program: spoilt(spoil), workers: 2, seed: 1 });
  return run.then(
    () => assert.fail('The run did not fail'),
    (error) => error,
  );
}

function fail(): never {
  throw new Error('tensor shapes differ');
}

/** A program of which nothing can be closed. */
function closing(program: Program, closed: string[] = []): Program {
  const close = (what: string) => () => {
    closed.push(what);
    throw new Error('cannot be closed');
  };
  return {
    ...program,
    async data() {
      const { training, evaluation } = await program.data();
      return {
        training: { ...training, close: close('training') },
        evaluation: { ...evaluation!, close: close('evaluation') },
      };
    },
    open: async () => ({ ...(await program.open()), close: close('computation') }),
  };
}

/** The regression, which opens something else. */
const opening = (change: (computation: Computation) => unknown): Program => ({
  ...regression(),
  open: async () => change(await regression().open()) as Computation,
});

describe('a program that', () => {
  it('throws ends the run, naming step, shard and worker', async () => {
    const error = await failureOf(fail);
    assert.equal(error.code, 'PROGRAM_FAILED');
    assert.match(error.message, PLACE);
    assert.match(error.message, /tensor shapes differ/);
    assert.deepEqual(error.details, { step: 3, shard: 5, epoch: 0, worker: 'w1' });
  });

  it('throws a text of any length ends the run', async () => {
    const error = await failureOf(() => {
      throw new Error('tensor shapes differ: '.padEnd(2 ** 21, '.'));
    });
    assert.equal(error.code, 'PROGRAM_FAILED');
    assert.match(error.message, PLACE);
    assert.match(error.message, /tensor shapes differ/);
  });

  for (const workers of [0, 2])
    it(`throws, and again when it is closed, is told by the first, with ${workers} workers`, async () => {
      const error = await runLocal(closing(spoilt(fail)), { workers }).result.then(
        () => assert.fail('The run did not fail'),
        (thrown) => thrown,
      );
      assert.equal(error.code, 'PROGRAM_FAILED');
      assert.match(error.message, /tensor shapes differ/);
    });

  for (const workers of [0, 2])
    it(`fails has all closed before the run has ended, with ${workers} workers`, async () => {
      let open = 0;
      const program = {
        ...spoilt(fail),
        async open() {
          open++;
          const computation = await spoilt(fail).open();
          const close = async () => {
            for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
            open--;
          };
          return { ...computation, close };
        },
      };
      await assert.rejects(runLocal(program, { workers }).result, { code: 'PROGRAM_FAILED' });
      assert.equal(open, 0);
    });

  it('throws only when it is closed is told by that, and all of it is closed', async () => {
    const closed: string[] = [];
    await assert.rejects(runLocal(closing(regression(), closed), { workers: 0 }).result, {
      code: 'PROGRAM_FAILED',
      message: /The program threw in close\(\): cannot be closed/,
    });
    assert.deepEqual(closed, ['computation', 'training', 'evaluation']);
  });

  for (const [what, malformed, message] of [
    ['has a name that is no text', { ...regression(), name: 5 }, 'name of program given is 5'],
    [
      'has patience that is no number',
      { ...regression(), earlyStopping: { patience: '3' } },
      'earlyStopping.patience of program regression is "3"',
    ],
    ['opens nothing', opening(() => undefined), 'open() returned undefined'],
    [
      'has a parameter of an impossible shape',
      opening((computation) => ({ ...computation, parameters: [{ name: 'w', shape: [-1] }] })),
      'The shape of parameter "w" is [-1]',
    ],
    [
      'tells numbers of its arithmetic',
      opening((computation) => ({ ...computation, arithmetic: { threads: 4 } })),
      'arithmetic.threads of the program is 4',
    ],
  ] as const)
    for (const workers of [0, 1, 2])
      it(`${what} is refused, by the same words with ${workers} workers`, async () => {
        const { result } = runLocal(malformed as unknown as Program, { workers });
        await assert.rejects(result, { code: 'BAD_PROGRAM', message });
      });

  it('opens no computation has closed what it has opened', async () => {
    let closed = 0;
    const malformed = opening(() => ({ close: () => closed++ }));
    await assert.rejects(runLocal(malformed, { workers: 0 }).result, { code: 'BAD_PROGRAM' });
    assert.equal(closed, 1);
  });

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    it(`returns a gradient of ${value} ends the run, naming also the tensor`, async () => {
      const error = await failureOf((result) => {
        result.gradient.w![4] = value;
        return result;
      });
      assert.equal(error.code, 'NOT_FINITE');
      assert.match(error.message, PLACE);
      assert.match(error.message, /gradient of "w" is (NaN|Infinity) in element 4/);
    });

  it('returns a loss that is not finite ends the run', async () => {
    const error = await failureOf((result) => ({ ...result, lossSum: Number.NaN }));
    assert.equal(error.code, 'NOT_FINITE');
    assert.match(error.message, /returned lossSum NaN/);
  });

  for (const wrong of [{ lossSum: undefined }, { lossSum: '1' }, { metrics: { hits: undefined } }])
    it(`returns sums that are no numbers ends the run: ${inspect(wrong)}`, async () => {
      const error = await failureOf(
        (result) => ({ ...result, ...wrong }) as unknown as typeof result,
      );
      assert.equal(error.code, 'PROGRAM_FAILED');
      assert.match(error.message, /returned (lossSum (undefined|"1")|hits undefined) at/);
      assert.match(error.remedy, /^Return (lossSum|hits) as a number/);
    });

  it('returns gradients whose sum could overflow ends the run before a weight has moved', async () => {
    const error = await failureOf((result) => {
      // The largest float32: finite alone.
      result.gradient.b![0] = (2 - 2 ** -23) * 2 ** 127;
      return result;
    });
    assert.equal(error.code, 'NOT_FINITE');
    assert.match(error.message, /sum of step 3 could exceed float32: shard 5 on worker w1/);
  });

  for (const [what, spoil, message] of [
    ['of the wrong length', (g: object) => ({ ...g, w: new Float32Array(9) }), /9 values for "w"/],
    ['with a name missing', ({ w }: { w: unknown }) => ({ w }), /no Float32Array for "b"/],
    ['with an unknown name', (g: object) => ({ ...g, v: new Float32Array(1) }), /"v", which is no/],
    ['that is an array of numbers', (g: object) => ({ ...g, w: [1] }), /no Float32Array for "w"/],
  ] as const)
    it(`returns a gradient ${what} ends the run`, async () => {
      const error = await failureOf((result) => ({
        ...result,
        gradient: spoil(result.gradient as never),
      }));
      assert.equal(error.code, 'PROGRAM_FAILED');
      assert.match(error.message, message);
      assert.match(error.message, PLACE);
    });

  it('returns another count than there are examples ends the run', async () => {
    const error = await failureOf((result) => ({ ...result, count: 99 }));
    assert.match(error.message, /count 99 for 2 examples/);
  });

  it('never returns hangs whoever computes it; the run ends at the deadline, naming who and why', async () => {
    const error = await failureOf(() => new Promise(() => {}));
    assert.equal(error.code, 'DEADLINE');
    assert.match(
      error.message,
      /^Waited 120\.\d s for 2 of 2 workers to join .* lost w[01] in step 3: it owes gradients of step 3 and was not heard for 1[56]\.\d s/,
    );
  });
});

it('a job with more workers than shards is refused, with both numbers', async () => {
  const run = simulate({ program: regression({ shards: 2 }), workers: 3, seed: 1 });
  await assert.rejects(run, {
    code: 'BAD_CONFIG',
    message: '3 workers were asked for, but there are only 2 shards to share out',
  });
});
