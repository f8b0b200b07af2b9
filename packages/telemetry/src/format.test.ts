import assert from 'node:assert/strict';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatMetrics,
  formatRanges,
  formatShare,
} from './format.js';

describe('formats', () => {
  it('counts, bytes, durations, losses and shares read as people write them', () => {
    assert.deepEqual([0, 999, 1000, 1234567.6].map(formatCount), [
      '0',
      '999',
      '1,000',
      '1,234,568',
    ]);
    assert.deepEqual([12, 999, 1000, 999_999, 1_800_272, 2.5e9].map(formatBytes), [
      '12 B',
      '999 B',
      '1.0 kB',
      '1.0 MB',
      '1.8 MB',
      '2.5 GB',
    ]);
    assert.deepEqual([400, 9_960, 59_400, 185_000, 7_620_000, Number.NaN].map(formatDuration), [
      '0.4 s',
      '10 s',
      '59 s',
      '3 min 05 s',
      '2 h 07 min',
      '?',
    ]);
    assert.deepEqual([0, 0.12345, 12.345, 0.00001, Number.NaN].map(formatLoss), [
      '0.0000',
      '0.1235',
      '12.35',
      '1.000e-5',
      'NaN',
    ]);
    assert.equal(formatShare(0.9912), '99.12 %');
    assert.equal(
      formatMetrics({ accuracy: 0.5, top5: 1, meanAbsoluteError: 0.5, perplexity: 31.5 }),
      'accuracy 50.00 %, top5 100.00 %, meanAbsoluteError 0.5000, perplexity 31.50',
    );
  });

  it('neighbours as ranges', () => {
    assert.equal(formatRanges([]), 'none');
    assert.equal(formatRanges([5, 0, 1, 2]), '0-2, 5');
  });
});
