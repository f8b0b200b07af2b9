import assert from 'node:assert/strict';
import { chooseOneDnn } from './onednn.js';

describe('oneDNN', () => {
  const avx2 = new Set(['avx', 'avx2', 'fma']);

  it('is switched on with AVX2, where the addon blocks signals', () => {
    assert.deepEqual(chooseOneDnn({}, avx2, 'own'), { by: 'tutti', setting: '1' });
  });

  it('stays as the user has set it', () => {
    for (const setting of ['0', '1', ''])
      assert.deepEqual(chooseOneDnn({ TF_ENABLE_ONEDNN_OPTS: setting }, avx2, 'own'), {
        by: 'user',
        setting,
      });
  });

  it('is left to TensorFlow where a signal could spoil a gradient, or nothing is known', () => {
    for (const [features, addon, reason] of [
      [avx2, 'foreign', /did not build the addon/],
      [avx2, 'outdated', /older build/],
      [new Set(['avx']), 'own', /no AVX2/],
      [undefined, 'own', /not told/],
    ] as const) {
      const choice = chooseOneDnn({}, features, addon);
      assert.deepEqual([choice.by, choice.setting], ['tensorflow', undefined]);
      assert.match(choice.reason ?? '', reason);
    }
  });
});
