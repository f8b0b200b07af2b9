import assert from 'node:assert/strict';
import { isTensorflowChatter } from './chatter.js';

describe('the chatter of TensorFlow', () => {
  it('is what it writes at every start, and no warning, error or line of a program', () => {
    const note =
      'I0000 00:00:1795824633.663598   25035 port.cc:153] oneDNN custom operations are on.';
    const head =
      'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR';
    for (const line of [note, head]) assert.equal(isTensorflowChatter(line), true, line);
    for (const line of [
      note.replace('I', 'W'),
      note.replace('I', 'E'),
      `${head}!`,
      'I am here',
      '',
    ])
      assert.equal(isTensorflowChatter(line), false, line);
  });
});
