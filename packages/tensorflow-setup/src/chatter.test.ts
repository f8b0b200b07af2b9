import assert from 'node:assert/strict';
import { isTensorflowChatter } from './chatter.js';

describe('the chatter of TensorFlow', () => {
  it('is what it writes at every start, and no warning, error or line of a program', () => {
    const note =
      'I0000 00:00:1795824633.663598   25035 port.cc:153] oneDNN custom operations are on.';
    const head =
      'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR';
    const fallback =
      'E0000 00:00:1795824222.213150   15805 util.cc:131] oneDNN supports DT_BOOL only on platforms with AVX-512. Falling back to the default Eigen-based implementation if present.';
    for (const line of [note, head, fallback]) assert.equal(isTensorflowChatter(line), true, line);
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
