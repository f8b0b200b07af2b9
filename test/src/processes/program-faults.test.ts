import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ErrorCode } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { eachTest } from './each-test.js';
import { regressionWith, resolvePath } from './program-files.js';
import { runLocal } from './run-local.js';

interface Fault {
  readonly what: string;
  readonly source: string;
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly remedy?: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'does not parse, with file, line, column and the line',
    source: 'const fine = 1;\nexport default { batchSize: 3,, };\n',
    code: 'BAD_PROGRAM',
    message: /program\.ts:2:31: [^\n]+\n {4}export default \{ batchSize: 3,, \};$/,
  },
  {
    what: 'imports a file that is not there',
    source: "import './nowhere.js';\nexport default {};\n",
    code: 'BAD_PROGRAM',
    message: /program\.ts:1:8: Could not resolve "\.\/nowhere\.js"/,
  },
  {
    what: 'imports a package that is not there',
    source: "import 'no-such-package';\nexport default {};\n",
    code: 'BAD_PROGRAM',
    message: /program\.ts imports no-such-package, which is not installed where the program is$/,
    remedy: /cd \S+ && npm install no-such-package$/,
  },
  {
    what: 'imports a package of Tutti that is not there',
    source: "import '@tutti/data/csv';\nexport default {};\n",
    code: 'BAD_PROGRAM',
    message: /program\.ts imports @tutti\/data, which is not installed where the program is$/,
    remedy: /npm install \/\S+\/packages\/data$/,
  },
  {
    what: 'exports nothing',
    source: 'const program = {};\n',
    code: 'BAD_PROGRAM',
    message: /There is no program in the default export of program \S+program\.ts$/,
  },
  {
    what: 'exports something else',
    source: 'export default { batchSize: 3 };\n',
    code: 'BAD_PROGRAM',
    message: /program\.ts has no function data\(\)/,
  },
  {
    what: 'throws when it is imported',
    source: "// Long\n\nexport default {};\nthrow new Error('no licence');\n",
    code: 'BAD_PROGRAM',
    message: /program\.ts threw while it was imported: no licence \(\/\S+\/program\.ts:4:7\)$/,
  },
  {
    what: 'names a data file that is not there',
    source: `
      ${regressionWith('').replace('export default {', 'const working = {')}
      import { csv } from ${JSON.stringify(resolvePath('@tutti/data'))};
      export default {
        ...working,
        data: async () => ({ training: await csv('/nowhere/digits.csv', { columns: ['a'] }) }),
      };
    `,
    code: 'BAD_DATA',
    message: /\/nowhere\/digits\.csv/,
  },
  {
    what: 'misspells its optimizer',
    source: regressionWith('', "{ optimizer: { name: 'Adam', learningRate: 0.1 } }"),
    code: 'BAD_CONFIG',
    message: /optimizer\.name is 'Adam'; allowed: sgd, /,
  },
  {
    what: 'throws while it opens its data',
    source: `
      ${regressionWith('').replace('export default {', 'const working = {')}
      export default { ...working, data: () => missing };
    `,
    code: 'PROGRAM_FAILED',
    message: /^The program threw in data\(\): missing is not defined$/,
  },
  {
    what: 'throws while it computes',
    source: regressionWith("if (step === 3 && shard === 5) throw new Error('shapes differ');"),
    code: 'PROGRAM_FAILED',
    message: /step 3, shard 5, epoch 0 on .*: shapes differ$/,
  },
  {
    what: 'returns NaN',
    source: regressionWith('if (step === 3 && shard === 5) result.gradient.w[4] = NaN;'),
    code: 'NOT_FINITE',
    message: /^The gradient of "w" is NaN in element 4 .*step 3, shard 5, epoch 0/,
  },
  {
    what: 'learns so fast that its weights overflow',
    source: regressionWith('', "{ optimizer: { name: 'sgd', learningRate: 1e39 } }"),
    code: 'NOT_FINITE',
    message:
      /^Step 0: Infinity is among the weights after the update of chunk 0( \(said by the server at tcp:\S+\))?$/,
  },
];

for (const workers of [0, 2])
  describe(`a program, with ${workers} workers, that`, () => {
    const each = eachTest(import.meta.url);

    for (const { what, source, code, message, remedy = /./ } of FAULTS)
      it(what, async () => {
        const path = await each.folder.program(source);
        await assert.rejects(runLocal(path, { workers }).result, { code, message, remedy });
        await each.roll.assertAllGone(0);
      });

    it('is not there', async () => {
      const path = join(each.folder.path, 'forgotten.ts');
      await assert.rejects(runLocal(path, { workers }).result, {
        code: 'BAD_PROGRAM',
        message: `There is no program at ${path}`,
      });
    });

    it('ends its process behind the back of Node', async () => {
      const path = await each.folder.program(
        regressionWith("if (step === 3) { console.log('that is all'); process.reallyExit(0); }"),
      );
      await assert.rejects(runLocal(path, { workers }).result, {
        code: 'CHILD_DIED',
        message:
          /\(pid \d+\) ended with exit code 0 before it was done; its last lines were:\n.*that is all/s,
      });
      await each.roll.assertAllGone(1);
    });

    it('ends its process', async () => {
      const path = await each.folder.program(
        regressionWith("if (step === 3) { console.log('that is all'); process.exit(3); }"),
      );
      await assert.rejects(runLocal(path, { workers }).result, {
        code: 'PROGRAM_FAILED',
        message: /^The program called process\.exit\(3\) \(.*:\d+:\d+\)$/,
      });
      await each.roll.assertAllGone(1);
    });
  });

describe('a program that fails', () => {
  const each = eachTest(import.meta.url);

  for (const [when, fails, servers] of [
    ['in a step', 'step === 3 && shard === 5', 2],
    ['before the job is opened', 'true', 2],
    ['before the job is opened', 'true', 1],
  ] as const)
    it(`${when} ends its servers too (${servers}), and none is started again`, async () => {
      const path = await each.folder.program(
        regressionWith(`if (${fails}) result.gradient.w[4] = NaN;`),
      );
      const events: RunEvent[] = [];
      const { result } = runLocal(path, {
        workers: 2,
        servers,
        onEvent: (event) => events.push(event),
      });
      await assert.rejects(result, { code: 'NOT_FINITE' });
      assert.deepEqual(
        events.filter(({ event }) => event === 'warning'),
        [],
      );
    });
});
