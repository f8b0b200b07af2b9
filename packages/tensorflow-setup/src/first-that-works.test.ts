import assert from 'node:assert/strict';
import { TuttiError } from '@tutti/runtime';
import { FOUND_IN_PLACE, firstThatWorks } from './first-that-works.js';
import { aborted } from './run-process.js';
import type { Way } from './way.js';

describe('firstThatWorks', () => {
  let tried: string[];
  let lines: string[];
  const context = { report: (line: string) => void lines.push(line) };

  beforeEach(() => {
    tried = [];
    lines = [];
  });

  const way = (name: string, failure?: Error): Way => ({
    name,
    async prepare() {
      tried.push(name);
      if (failure) throw failure;
      return [`/${name}.so`];
    },
  });

  /** Loads from the given attempt on. */
  const loadsAt = (attempt: number) => {
    let attempts = 0;
    return async () => {
      if (++attempts < attempt) throw new Error(`does not load (${attempts})`);
      return { tensorflow: '2.21.0' };
    };
  };

  it('keeps a binding that loads', async () => {
    const found = await firstThatWorks([way('download'), way('wheel')], loadsAt(1), context);
    assert.deepEqual(found, { tensorflow: '2.21.0', way: FOUND_IN_PLACE, files: [] });
    assert.deepEqual([tried, lines], [[], []]);
  });

  it('goes no further than the first way whose binding loads', async () => {
    const found = await firstThatWorks([way('download'), way('wheel')], loadsAt(2), context);
    assert.deepEqual([found.way, found.files, tried], ['download', ['/download.so'], ['download']]);
  });

  it('goes on when a way fails, and when what it gave does not load', async () => {
    const ways = [way('download', new Error('host unknown')), way('mirror'), way('wheel')];
    const found = await firstThatWorks(ways, loadsAt(3), context);
    assert.equal(found.way, 'wheel');
    assert.deepEqual(tried, ['download', 'mirror', 'wheel']);
    assert.match(lines.join('\n'), /download: host unknown.\n.*mirror: does not load \(2\)/);
  });

  it('comes back to what is in place if nothing newer is to be had, where that is to be replaced', async () => {
    const last = { inPlace: 'last' } as const;
    const newer = await firstThatWorks([way('wheel')], loadsAt(1), context, last);
    assert.equal(newer.way, 'wheel');
    const none = [way('wheel', new Error('no compiler'))];
    assert.equal((await firstThatWorks(none, loadsAt(1), context, last)).way, FOUND_IN_PLACE);
    const never = firstThatWorks(none, loadsAt(1), context, { inPlace: 'never' });
    await assert.rejects(never, { code: 'NO_TENSORFLOW' });
  });

  it('names every way and why it failed, and what would help', async () => {
    const ways = [way('download', new Error('host unknown')), way('wheel', new Error('no pip'))];
    await assert.rejects(firstThatWorks(ways, loadsAt(9), context), (error) => {
      assert.ok(error instanceof TuttiError);
      assert.equal(error.code, 'NO_TENSORFLOW');
      assert.match(error.message, /1\. a binding .*: does not load \(1\)\n/);
      assert.match(error.message, /2\. download: host unknown\n/);
      assert.match(error.message, /3\. wheel: no pip$/);
      assert.match(error.remedy, /pip.*compiler/);
      return true;
    });
  });

  it('tries nothing more when it is stopped', async () => {
    const ways = [way('download', aborted('Downloading')), way('wheel')];
    await assert.rejects(firstThatWorks(ways, loadsAt(9), context), { code: 'ABORTED' });
    assert.deepEqual(tried, ['download']);
  });
});
