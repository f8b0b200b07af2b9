import assert from 'node:assert/strict';
import { changelogAt, manifestAt } from './release-files.mjs';

describe('a release', () => {
  it('gives a package and its siblings one version, and leaves what others publish', () => {
    const manifest = {
      name: '@tutti/a',
      version: '0.1.0',
      dependencies: { '@tutti/b': '0.1.0', zeromq: '^6.8.0' },
      peerDependencies: { '@tutti/c': '0.1.0' },
    };
    assert.deepEqual(manifestAt(manifest, '0.2.0'), {
      name: '@tutti/a',
      version: '0.2.0',
      dependencies: { '@tutti/b': '0.2.0', zeromq: '^6.8.0' },
      peerDependencies: { '@tutti/c': '0.2.0' },
    });
    assert.deepEqual(manifestAt({ name: 'tutti' }, '0.2.0'), { name: 'tutti' });
  });

  it('dates what stood under Next in the changelog', () => {
    const text = '# Changes\n\n## Next\n\n- Faster.\n\n## 0.1.0 (2026-01-01)\n\n- All.\n';
    assert.equal(
      changelogAt(text, '0.2.0', '2026-02-01'),
      '# Changes\n\n## Next\n\n## 0.2.0 (2026-02-01)\n\n- Faster.\n\n## 0.1.0 (2026-01-01)\n\n- All.\n',
    );
  });

  it('is refused if the changelog says nothing of it', () => {
    for (const text of ['# Changes\n', '## Next\n', '## Next\n\n## 0.1.0 (x)\n\n- All.\n'])
      assert.throws(() => changelogAt(text, '0.2.0', 'x'), /says nothing/);
  });
});
