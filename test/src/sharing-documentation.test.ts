import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as parameters from '@tutti/parameters';
import { resolveSharing, type SharingRule } from '@tutti/parameters';
import * as tensorflow from '@tutti/tensorflow';

const text = readFileSync(new URL('../../docs/SHARING.md', import.meta.url), 'utf8');

/** What the examples name. */
const WEIGHTS = [
  { name: 'hidden/kernel', shape: [784, 256] },
  { name: 'encoder/kernel', shape: [256, 64] },
  { name: 'decoder/kernel', shape: [64, 256] },
  { name: 'square/kernel', shape: [64, 64] },
  { name: 'conv/kernel', shape: [3, 3, 32, 64] },
  { name: 'table/embeddings', shape: [5000, 16] },
  ...[1, 2, 3, 4].flatMap((at) => [
    { name: `block_${at}/kernel`, shape: [64, 64] },
    { name: `block_${at}/bias`, shape: [64] },
  ]),
];

const sizeOf = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1);
/** What programs import of the package that knows the kinds. */
const kinds = Object.entries(tensorflow).filter(
  ([name, value]) => typeof value === 'function' && name in parameters,
);

describe('docs/SHARING.md', () => {
  const rows = [...text.matchAll(/^\|(.*?)\| `(.+?)` \| ([\d,]+) \|/gm)];

  it('has every kind, and no other', () => {
    const named = rows.flatMap(([, first]) =>
      [...first!.matchAll(/`(\w+)`/g)].map(([, kind]) => kind),
    );
    assert.deepEqual(named.sort(), kinds.map(([name]) => name).sort());
  });

  for (const [, , example, stored] of rows)
    it(`${example} stores ${stored} values`, () => {
      const names = kinds.map(([name]) => name);
      const rule = new Function(...names, `return ${example}`)(
        ...kinds.map(([, make]) => make),
      ) as SharingRule;
      const values = () =>
        Object.fromEntries(
          WEIGHTS.map(({ name, shape }) => [
            name,
            Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + 1)),
          ]),
        );
      const before = WEIGHTS.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
      const sharing = resolveSharing(WEIGHTS, [rule], values);
      const named = sharing.weights.filter(({ kind }) => kind !== 'none');
      const read = new Set(named.flatMap(({ parameters }) => parameters));
      const sizes = sharing.parameters.map(({ name, shape }) => [name, sizeOf(shape)] as const);
      const own = sizes.filter(([name]) => read.has(name));
      assert.equal(
        own.reduce((sum, [, size]) => sum + size, 0),
        Number(stored!.replaceAll(',', '')),
      );
      assert.ok(sizes.reduce((sum, [, size]) => sum + size, 0) < before);
    });
});
