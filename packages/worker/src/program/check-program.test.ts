import assert from 'node:assert/strict';
import { arrays } from '@tutti/data';
import { checkData, checkParameters, checkProgram } from './check-program.js';
import { defineProgram } from './program.js';

const program = {
  data: () => assert.fail(),
  parameters: [{ name: 'w', shape: [1] }],
  initialize: () => assert.fail(),
  gradient: () => assert.fail(),
  evaluate: () => assert.fail(),
  optimizer: { name: 'sgd', learningRate: 1 },
  batchSize: 1,
  epochs: 1,
  seed: 1,
} as const;
const dataset = arrays({ x: { data: new Float32Array(3), shape: [3] } });

describe('a program is refused before anything of it runs', () => {
  for (const [change, message] of [
    [{ batchSize: '32' }, 'batchSize of program a.ts is "32"'],
    [{ epochs: 0 }, 'epochs of program a.ts is 0'],
    [{ shards: 0.5 }, 'shards of program a.ts is 0.5'],
    [{ seed: undefined }, 'seed of program a.ts is undefined'],
    [{ optimizer: undefined }, 'The optimizer of program a.ts is undefined'],
    [{ gradientCompression: 'int4' }, 'gradientCompression of program a.ts is "int4"'],
    [{ optimizer: { name: 'Adam', learningRate: 1 } }, /optimizer\.name is 'Adam'; allowed: sgd/],
    [{ optimizer: { name: 'adam', lr: 1 } }, /learningRate is missing.* unknown key lr/],
  ] as const)
    it(`with ${JSON.stringify(change)}`, () => {
      const changed = { ...defineProgram(program), ...change };
      assert.throws(() => checkProgram(changed, 'program a.ts'), { message });
    });

  it('without one of its functions, or with a key that nobody reads', () => {
    const { gradient: _, ...lacking } = program;
    assert.throws(() => defineProgram(lacking as unknown as typeof program), {
      code: 'BAD_PROGRAM',
      message: 'defineProgram was given no function gradient()',
    });
    assert.throws(() => defineProgram({ ...program, shard: 4 } as typeof program), {
      code: 'BAD_PROGRAM',
      message: 'defineProgram takes no "shard"',
    });
  });

  it('with parameters that have no shape', () => {
    for (const [given, message] of [
      [undefined, 'The parameters of the program are undefined'],
      [[{ name: 'w', shape: 1 }], 'The shape of parameter "w" is 1'],
      [[{ shape: [1] }], 'The name of a parameter is undefined'],
    ] as const)
      assert.throws(() => checkParameters(given), { code: 'BAD_PROGRAM', message });
  });
});

describe('what data() returns', () => {
  it('is one data set or two', () => {
    checkData({ training: dataset });
    checkData({ training: dataset, evaluation: dataset });
    checkData({ training: dataset, evaluation: undefined });
  });

  for (const [what, returned, message] of [
    ['nothing', undefined, 'data() returned undefined'],
    ['a data set by itself', dataset, 'data() returned a data set by itself'],
    [
      'a promise of a data set',
      { training: Promise.resolve(dataset) },
      'What data() returns as training is a promise',
    ],
    [
      'a list of data sets',
      { training: dataset, evaluation: [dataset] },
      'What data() returns as evaluation is no data set',
    ],
    [
      'another name',
      { training: dataset, validation: dataset },
      'The result of data() takes no "validation"',
    ],
  ] as const)
    it(`is refused if it is ${what}`, () => {
      assert.throws(() => checkData(returned), { code: 'BAD_PROGRAM', message });
    });
});

it('a program of four functions is closed as it asks', async () => {
  let closed = 0;
  const computation = await defineProgram({ ...program, close: () => void closed++ }).open();
  await computation.close?.();
  assert.equal(closed, 1);
});
