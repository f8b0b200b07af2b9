import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tutti } from '../testing.js';

describe('tutti setup', () => {
  it('has a native library that loads afterwards, and says which', async () => {
    const { code, json, stderr } = await tutti(['setup', '--json']);
    assert.equal(code, 0, stderr);
    const last = json().at(-1)!;
    assert.equal(last.event, 'finished');
    assert.match(String(last.tensorflow), /^\d+\.\d+\.\d+/);
    assert.ok(existsSync(String(last.bindingPath)));
    // The checkout has what replaces the old packages.
    assert.doesNotMatch(stderr, /overrides/);
    const { stdout } = await tutti(['setup']);
    assert.equal(stdout, `Native TensorFlow ${last.tensorflow} is ready (${last.way}).\n`);
  });
});
