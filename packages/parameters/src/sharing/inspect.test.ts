import assert from 'node:assert/strict';
import { inspectSharing } from './inspect.js';
import { circulant, hashed, lora, lowRank, pruned, tie } from './kinds/index.js';
import { sharingPicture } from './picture.js';
import { resolveSharing } from './resolve.js';

const weights = [
  { name: 'plain', shape: [4, 4] },
  { name: 'hashed', shape: [8, 6] },
  { name: 'copy', shape: [6, 8] },
  { name: 'low', shape: [10, 10] },
  { name: 'lora', shape: [20, 20] },
  { name: 'pruned', shape: [4, 4] },
  { name: 'turned', shape: [5, 5] },
  { name: 'mean', shape: [3], update: 'average' as const },
];
const first = () =>
  Object.fromEntries(
    weights.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i + 1),
    ]),
  );
const sharing = resolveSharing(
  weights,
  [
    hashed('hashed', { stored: 12 }),
    tie('hashed', 'copy', { transpose: true }),
    lowRank('low', { rank: 2 }),
    lora('lora', { rank: 1 }),
    pruned('pruned', { stored: 4 }),
    circulant('turned'),
  ],
  first,
);
const report = inspectSharing(sharing, {
  roles: weights.map(() => 'product'),
  repeats: weights.map(({ name }) => (name === 'plain' ? 9 : 1)),
  slots: 2,
});

describe('inspectSharing', () => {
  const row = (name: string) => report.weights.find(({ weight }) => weight === name)!;

  it('counts what is stored once, and what of it is trained', () => {
    const own = {
      plain: 16,
      hashed: 12,
      copy: 0,
      low: 40,
      lora: 40,
      pruned: 4,
      turned: 5,
      mean: 3,
    };
    assert.deepEqual(
      Object.fromEntries(report.weights.map((each) => [each.weight, each.own])),
      own,
    );
    assert.equal(report.stored, 120);
    assert.equal(report.wireBytesPerStep, 2 * 4 * 120);
    assert.equal(report.optimizerBytes, 2 * 4 * 117);
    assert.equal(report.elements, 16 + 48 + 48 + 100 + 400 + 16 + 25 + 3);
  });

  it('says how often a stored value is used, by elements and by layers', () => {
    assert.equal(row('plain').usesPerValue, 9);
    assert.equal(row('hashed').usesPerValue, 4);
    assert.equal(row('pruned').usesPerValue, 1);
    assert.equal(row('turned').usesPerValue, 5);
    // Each of 100 elements reads two values of either factor.
    assert.equal(row('low').usesPerValue, 400 / 40);
  });

  it('counts the bytes of maps and frozen values once', () => {
    assert.equal(row('hashed').constantBytes, 4 * 48);
    assert.equal(row('copy').constantBytes, 4 * 48);
    assert.equal(row('lora').constantBytes, 4 * 400);
    assert.equal(row('plain').constantBytes + row('turned').constantBytes, 0);
  });

  it('says what is applied, expanded or stored as it is', () => {
    assert.deepEqual(
      report.weights.map(({ use }) => use),
      ['stored', 'expand', 'expand', 'apply', 'apply', 'expand', 'expand', 'stored'],
    );
  });
});

describe('the picture of the sharing', () => {
  const svg = sharingPicture(sharing, report, 'a <program>');

  it('has a panel for each weight and no element that is not closed', () => {
    for (const { name } of weights) assert.ok(svg.includes(`>${name}</text>`), name);
    assert.ok(svg.includes('a &#60;program&#62;'));
    const opened = [...svg.matchAll(/<(\w+)[^>]*?(\/?)>/g)].filter(([, , closed]) => !closed);
    assert.equal(opened.length, [...svg.matchAll(/<\/\w+>/g)].length);
  });

  it('draws as many cells as elements read a value, in as many colours as there are values', () => {
    const panel = svg.split('>pruned</text>')[1]!.split('</g></g>')[0]!;
    const cells = [...panel.matchAll(/h(\d+)v1/g)].reduce(
      (sum, [, width]) => sum + Number(width),
      0,
    );
    assert.equal(cells, 4);
    const circle = svg.split('>turned</text>')[1]!.split('</g></g>')[0]!;
    assert.equal(
      new Set([...circle.matchAll(/fill="(hsl[^"]+)"/g)].map(([, fill]) => fill)).size,
      5,
    );
  });
});
