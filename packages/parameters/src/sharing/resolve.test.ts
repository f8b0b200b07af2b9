import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import fc from 'fast-check';
import { frozen, hashed, lora, lowRank, symmetric, tie } from './kinds/index.js';
import { resolveSharing } from './resolve.js';
import type { SharingRule } from './rule.js';

const weights = [
  { name: 'a', shape: [3, 4] },
  { name: 'b', shape: [4, 3] },
  { name: 'c', shape: [3, 4] },
  { name: 'd', shape: [5] },
];

const blocks = [1, 2, 3, 4].flatMap((at) => [
  { name: `block_${at}/dense/kernel`, shape: [2, 2] },
  { name: `block_${at}/dense/bias`, shape: [2] },
]);

const expressionsOf = (given: typeof weights, rules: SharingRule[]) =>
  Object.fromEntries(
    resolveSharing(given, rules).weights.map(({ weight, parameters }) => [weight, parameters[0]]),
  );

describe('resolveSharing', () => {
  it('stores only what is shared once', () => {
    const rules = [hashed('a', { stored: 3 }), tie('a', 'b', { transpose: true }), tie('a', 'c')];
    assert.deepEqual(
      resolveSharing(weights, rules).parameters.map(({ name, shape }) => [name, shape]),
      [
        ['a', [3]],
        ['d', [5]],
      ],
    );
  });

  it('has what is frozen, once, though several weights read it', () => {
    const first = Object.fromEntries(
      weights.map(({ name }, at) => [name, new Float32Array(at < 3 ? 12 : 5).fill(at)]),
    );
    const rules = [frozen('d'), lora('a', { rank: 1 }), tie('a', 'c')];
    const sharing = resolveSharing(weights, rules, () => first);
    assert.deepEqual(sharing.frozen(), [
      { name: 'a', shape: [3, 4], values: first.a },
      { name: 'd', shape: [5], values: first.d },
    ]);
    assert.deepEqual(resolveSharing(weights).frozen(), []);
  });

  it('has copies follow whatever their first weight is made of', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const draw = (n: number) => Float32Array.from({ length: n }, () => random.below(9) - 4);
        for (const rule of [hashed('a', { stored: 5 }), lowRank('a', { rank: 2 })]) {
          const sharing = resolveSharing(weights, [
            rule,
            tie('a', 'c'),
            tie('a', 'b', { transpose: true }),
          ]);
          const stored = Object.fromEntries(
            sharing.parameters.map(({ name, shape }) => [
              name,
              draw(shape.reduce((x, y) => x * y, 1)),
            ]),
          );
          const a = sharing.expand('a', stored);
          assert.deepEqual(sharing.expand('c', stored), a);
          const turned = a.map((_, i) => a[(i % 3) * 4 + Math.floor(i / 3)]!);
          assert.deepEqual(sharing.expand('b', stored), turned);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('ties what a pattern names, told apart by its later stars, in groups', () => {
    assert.deepEqual(expressionsOf(blocks, [tie('block_*/**')]), {
      ...Object.fromEntries(blocks.map(({ name }) => [name, name.replace(/block_\d/, 'block_1')])),
    });
    const pairs = expressionsOf(blocks, [tie('block_*/**', { groups: 2 })]);
    assert.equal(pairs['block_2/dense/bias'], 'block_1/dense/bias');
    assert.equal(pairs['block_3/dense/bias'], 'block_3/dense/bias');
    assert.equal(pairs['block_4/dense/kernel'], 'block_3/dense/kernel');
  });

  it('applies a rule to each weight that its pattern names', () => {
    const { parameters } = resolveSharing(blocks, [symmetric('**/kernel')]);
    assert.deepEqual(
      parameters.filter(({ name }) => name.endsWith('kernel')).map(({ shape }) => shape),
      [[3], [3], [3], [3]],
    );
  });

  it('reads a part, and dimensions in another order', () => {
    const given = [
      { name: 'whole', shape: [2, 3, 4] },
      { name: 'turned', shape: [4, 2, 3] },
      { name: 'part', shape: [1, 2, 2] },
    ];
    const sharing = resolveSharing(given, [
      tie('whole', 'turned', { permute: [2, 0, 1] }),
      tie('whole', 'part', { begin: [1, 0, 2] }),
    ]);
    const whole = Float32Array.from({ length: 24 }, (_, i) => i);
    const at = (i: number, j: number, k: number) => (i * 3 + j) * 4 + k;
    assert.deepEqual(
      [...sharing.expand('part', { whole })],
      [at(1, 0, 2), at(1, 0, 3), at(1, 1, 2), at(1, 1, 3)],
    );
    const turned = sharing.expand('turned', { whole });
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 4; k++) assert.equal(turned[(k * 2 + i) * 3 + j], at(i, j, k));
  });

  it('refuses what does not fit, naming it, both shapes and the nearest name', () => {
    const refuse = (rules: SharingRule[], pattern: RegExp, remedy = /./) =>
      assert.throws(
        () => resolveSharing(weights, rules),
        (error: Error & { remedy: string }) =>
          pattern.test(error.message) && remedy.test(error.remedy),
      );
    refuse([tie('a', 'x')], /tie\(\) names "x", which is no weight/, /a \[3, 4\], b \[4, 3\]/);
    refuse([tie('a', 'b')], /"b" is \[4, 3\], but "a" is \[3, 4\]/);
    refuse([tie('a', 'c', { transpose: true })], /the transpose of "a" is \[4, 3\]/);
    refuse(
      [tie('a', 'd', { begin: [0, 0] })],
      /"d" is \[5\], but the part from \[0, 0\] of "a" is inside \[3, 4\]/,
    );
    refuse([hashed('a', { stored: 13 })], /stores 13 values for 12 elements/);
    refuse([hashed('a', { ratio: 8 })], /ratio of hashed\("a"\) is 8/, /1 \/ 8/);
    refuse([hashed('a', {})], /either `stored` or `ratio`/);
    refuse([hashed('a', { stored: 5, block: 2 })], /5 values in blocks of 2/);
    refuse([tie('a', 'c'), hashed('c', { stored: 2 })], /"c" \[3, 4\], which is a copy of "a"/);
    refuse([tie('a', 'c'), tie('d', 'c')], /"c"/);
    refuse(
      [hashed('a', { stored: 2 }), lowRank('*', { rank: 1 })],
      /"a" \[3, 4\], which hashed\("a"\) shares already/,
    );
    refuse([lowRank('d', { rank: 1 })], /needs a matrix, but "d" is \[5\]/);
    refuse([symmetric('a')], /square matrix, but "a" is \[3, 4\]/);
    refuse([hashed('e*', { stored: 2 })], /names "e\*", which fits no weight/);
    refuse([tie('a', 'b')], /"b"/, /^Give \{ transpose: true \}/);
    refuse(
      [tie('a', 'c', { permute: [0, 2] })],
      /the order \[0, 2\], but "a" is \[3, 4\]/,
      /each of \[0, 1\] once/,
    );
    refuse(
      [hashed('*', { stored: 2 }), hashed('d', { stored: 1 })],
      /hashed\("d"\) names "d" \[5\], which hashed\("\*"\) shares already/,
    );
    const from = { a: new Float32Array(12) };
    refuse([lora('c', { rank: 1, from })], /no pretrained values for "c" \[3, 4\]/, /It has: a\.$/);
    const unmade = ['a', undefined, () => []] as unknown[];
    for (const rule of unmade)
      refuse([tie('a', 'c'), rule as SharingRule], /^Rule 2 of `sharing` is .+, which is no rule$/);
    refuse(tie('a', 'c') as unknown as SharingRule[], /`sharing` is \{.+, which is no list$/);
    assert.throws(
      () =>
        resolveSharing(
          [{ name: 'hidden/kernel', shape: [2] }],
          [hashed('hiden/kernel', { stored: 1 })],
        ),
      { remedy: /^Did you mean "hidden\/kernel"\?/ },
    );
  });

  it('says which weight was meant by a layer, and by a star that ends at a slash', () => {
    const of = (name: string) => () => resolveSharing(blocks, [hashed(name, { stored: 1 })]);
    assert.throws(of('block_2/dense'), {
      remedy: /^"block_2\/dense" is a layer: name its weight, "block_2\/dense\/kernel"/,
    });
    assert.throws(of('*/kernel'), { remedy: /^A star .+: "\*\*\/kernel" fits/ });
  });

  it('refuses options that it does not know', () => {
    const misspelt = { transposed: true, storde: 3 } as object;
    assert.throws(() => tie('a', 'b', misspelt), { message: 'tie takes no "transposed"' });
    assert.throws(() => hashed('a', misspelt as { stored: number }), { code: 'BAD_PROGRAM' });
  });

  it('has a digest that changes with maps and constants alone', () => {
    const digest = (rules: SharingRule[], values = 1) =>
      resolveSharing(weights, rules, () => ({ a: new Float32Array(12).fill(values) })).digest;
    assert.equal(digest([]), undefined);
    const first = digest([hashed('a', { stored: 5 })]);
    assert.equal(digest([hashed('a', { stored: 5 })]), first);
    assert.notEqual(digest([hashed('a', { stored: 5, seed: 1 })]), first);
    assert.notEqual(digest([tie('a', 'c')]), digest([tie('a', 'b', { transpose: true })]));
  });

  it('has the digest that plans and checkpoints of earlier versions have', () => {
    const rules = [hashed('a', { stored: 5 }), tie('a', 'b', { transpose: true })];
    assert.equal(
      resolveSharing(weights, rules).digest,
      'b47de9d88f2e25f835ee78d167328eeaf8e17869b123e906e2a9ecbf38d02baf',
    );
  });
});
