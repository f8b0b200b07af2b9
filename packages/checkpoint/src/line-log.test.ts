import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLineLog, parseLinesOf, readStepLog, STEPS_FILE } from './line-log.js';
import { inTemporaryFolder } from './testing.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('the log of steps', () => {
  it('is read as it was written, without what was torn, however long', () =>
    inTemporaryFolder(async (folder) => {
      const records = Array.from({ length: 4000 }, (_, step) => ({
        step,
        job: 'ü\u2028\n'.repeat(9),
      }));
      const log = createLineLog(folder, STEPS_FILE);
      for (const record of records) void log.append(record);
      await log.append(null);
      await writeFile(join(folder, STEPS_FILE), '{"torn', { flag: 'a' });
      assert.deepEqual(await all(readStepLog(folder)), [...records, null]);
    }));

  it('is written on behind a line that was torn, without losing the next', () =>
    inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, STEPS_FILE), '{"step":1}\n{"torn');
      for (const step of [2, 3]) await createLineLog(folder, STEPS_FILE).append({ step });
      assert.equal(
        await readFile(join(folder, STEPS_FILE), 'utf8'),
        '{"step":1}\n{"torn\n{"step":2}\n{"step":3}\n',
      );
    }));

  it('gives a line before it reads the next, so it need not fit into memory', async () => {
    async function* endless() {
      for (;;) yield* ['{"step":', '1}\n{"step":2', '}\n'];
    }
    const lines = parseLinesOf(endless());
    assert.deepEqual((await lines.next()).value, { step: 1 });
    assert.deepEqual((await lines.next()).value, { step: 2 });
    await lines.return(undefined);
  });

  it('is empty where there is none, and one that cannot be read is no empty one', () =>
    inTemporaryFolder(async (folder) => {
      assert.deepEqual(await all(readStepLog(folder)), []);
      await mkdir(join(folder, STEPS_FILE));
      await assert.rejects(all(readStepLog(folder)), {
        code: 'BAD_CHECKPOINT',
        message: /steps\.jsonl cannot be used: EISDIR/,
      });
    }));
});
