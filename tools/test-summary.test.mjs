import assert from 'node:assert/strict';
import { createSummary } from './test-summary.mjs';

function sum(text, fine) {
  const summary = createSummary();
  for (const line of text.split('\n')) summary.read(line);
  return summary.end(fine);
}

describe('createSummary', () => {
  it('adds the runs up, with and without colours', () => {
    const text = '  12 passing (34ms)\n\n  3 passing (2s)\n  1 pending\n  2 failing\n';
    assert.deepEqual(sum(text, false), { passed: 15, failed: 2 });
    const coloured = '\u001b[92m \u001b[0m\u001b[32m 7 passing\u001b[0m\u001b[90m (1m)\u001b[0m';
    assert.deepEqual(sum(coloured, true), { passed: 7, failed: 0 });
  });

  it('is not misled by names of tests', () => {
    const text = '    ✔ says 12 passing (34ms)\n    1) counts 2 failing\n  1 passing (3ms)';
    assert.deepEqual(sum(text, true), { passed: 1, failed: 0 });
  });

  it('counts a run that broke off as a failure', () => {
    assert.deepEqual(sum('  4 passing (1ms)', false), { passed: 4, failed: 1 });
  });
});
