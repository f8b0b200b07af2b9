import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { arrays } from '@tutti/data';
import { encode, type MetricDirections, PROTOCOL_VERSION } from '@tutti/protocol';
import { isTuttiError } from '@tutti/runtime';
import fc from 'fast-check';
import { checkComputation, checkData, checkProgram } from './check-program.js';
import { describeProgram } from './describe.js';
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
    [{ name: 5 }, 'name of program a.ts is 5'],
    [{ batchSize: 32n }, 'batchSize of program a.ts is 32n'],
    [{ earlyStopping: { patience: '3' } }, 'earlyStopping.patience of program a.ts is "3"'],
    [{ earlyStopping: [] }, 'earlyStopping of program a.ts takes an object, not []'],
    [{ reduceOnPlateau: { factr: 0.5 } }, 'reduceOnPlateau of program a.ts takes no "factr"'],
  ] as const)
    it(`with ${inspect(change)}`, () => {
      const changed = { ...defineProgram(program), ...change };
      assert.throws(() => checkProgram(changed, 'program a.ts'), { code: /^BAD_/, message });
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

  it('with parameters of which no weights can be made', () => {
    for (const [parameters, message] of [
      [undefined, 'The parameters of the program are undefined'],
      [[null], 'A parameter of the program is null'],
      [[{ name: 'w', shape: 1 }], 'The shape of parameter "w" is 1'],
      [[{ name: 'w', shape: [-1] }], 'The shape of parameter "w" is [-1]'],
      [[{ shape: [1] }], 'The name of a parameter is undefined'],
      [[{ name: 'w', shape: [1], update: 'foo' }], 'update of parameter "w" is "foo"'],
      [[{ name: 'w', shape: [1], decay: 'no' }], 'decay of parameter "w" is "no"'],
    ] as const)
      assert.throws(() => checkComputation({ ...program, parameters }), {
        code: 'BAD_PROGRAM',
        message,
      });
  });

  it('with a computation that is none, or has odd facts', () => {
    const { evaluate: _, ...lacking } = program;
    for (const [returned, message] of [
      [undefined, 'open() returned undefined'],
      [lacking, 'What open() returned has no function evaluate()'],
      [{ ...program, arithmetic: 'fast' }, 'arithmetic of the program is "fast"'],
      [{ ...program, arithmetic: { threads: 4 } }, 'arithmetic.threads of the program is 4'],
      [{ ...program, metricForms: { auc: 'odd' } }, 'metricForms.auc of the program is "odd"'],
      [
        { ...program, metricDirections: { auc: 'up' } },
        'metricDirections.auc of the program is "up"',
      ],
      [
        { ...program, sharing: { digest: 5 } },
        'The sharing of the program is no description of shared weights',
      ],
    ] as const)
      assert.throws(() => checkComputation(returned), { code: 'BAD_PROGRAM', message });
  });
});

const KEYS = [
  ...['name', 'seed', 'batchSize', 'epochs', 'shards', 'evaluationBatchSize', 'optimizer'],
  ...['gradientCompression', 'earlyStopping', 'reduceOnPlateau'],
  ...['parameters', 'arithmetic', 'metricForms', 'metricDirections', 'sharing'],
];
const value = fc.oneof(
  ...[fc.integer(), fc.double(), fc.string(), fc.boolean(), fc.bigInt()],
  fc.constantFrom(null, undefined, 'average', 'none', 'ratio', 'bf16', 'more'),
);
const keyed = fc.dictionary(
  fc.constantFrom(
    ...['name', 'shape', 'update', 'decay', 'learningRate', 'schedule', 'kind', 'every'],
    ...['factor', 'floor', 'patience', 'monitor', 'better', 'keepBest', 'digest', 'frozen'],
  ),
  fc.oneof(value, fc.array(value, { maxLength: 2 })),
  { maxKeys: 4 },
);
const shaped = fc.record(
  { name: fc.constantFrom('w', 'sgd', 5), shape: fc.array(value, { maxLength: 2 }), update: value },
  { requiredKeys: ['name'] },
);
const anyValue = fc.oneof(value, keyed, shaped, fc.array(fc.oneof(value, keyed, shaped)));

it('a program tells which metrics are better than their names say, or worse', () => {
  const told = (directions: MetricDirections) => {
    const computation = { ...program, metricDirections: directions };
    const described = { ...program, open: () => assert.fail() };
    return describeProgram(described, { training: dataset }, computation).metricDirections;
  };
  assert.deepEqual(told({ mae: 'less', auc: 'more', gloss: 'more' }), {
    mae: 'less',
    gloss: 'more',
  });
  assert.equal(told({ auc: 'more', loss: 'less' }), undefined);
});

it('what a program says of itself is refused, or can be told to others', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...KEYS), anyValue, { maxKeys: 2 }), (changes) => {
      const changed = { ...program, ...changes, open: () => assert.fail() };
      try {
        const checked = checkProgram(changed, 'program a.ts');
        const computation = checkComputation(changed);
        const description = describeProgram(checked, { training: dataset }, computation);
        const arithmetic = computation.arithmetic ?? {};
        const host = { hostname: 'a', pid: 1, cpu: 'c', node: 'n', arithmetic };
        const stamp = { protocol: PROTOCOL_VERSION, job: '', session: '' };
        encode({ message: { type: 'join', worker: '', description, host, ...stamp } });
      } catch (error) {
        assert.ok(isTuttiError(error) && /^BAD_/.test(error.code), inspect(error));
      }
    }),
    { numRuns: 2000 },
  );
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
