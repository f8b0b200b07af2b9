import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweepGraphs } from './left-over-graphs.js';

describe('folders of graphs that were left behind', () => {
  it('are removed with what is in them; those that may be in use, and all others, stay', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-test-'));
    const made = async (name: string, ageMs: number) => {
      const path = join(folder, name);
      await mkdir(path);
      await writeFile(join(path, 'saved_model.pb'), 'x');
      const at = (Date.now() - ageMs) / 1000;
      await utimes(path, at, at);
      return path;
    };
    try {
      await made('tutti-graph-killed', 7_200_000);
      await made('tutti-graph-used', 60_000);
      await made('other', 7_200_000);
      sweepGraphs(await made('tutti-graph-own', 0));
      assert.deepEqual((await readdir(folder)).sort(), [
        'other',
        'tutti-graph-own',
        'tutti-graph-used',
      ]);
      sweepGraphs(join(folder, 'nowhere'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
