import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Weight, writeModel } from '@tutti/compress';
import { readModel } from '@tutti/edge';
import {
  ACTIVATION_NAMES,
  ACTIVATIONS,
  ENCODING,
  ENCODINGS,
  LAYER_KINDS,
  LAYER_NAMES,
  PART_KINDS,
  type PartKind,
} from '@tutti/edge/internal';
import { sharing as computing } from '@tutti/edge/sharing';
import { hashed, resolveSharing, toeplitz } from '@tutti/parameters';
import { randomState } from '@tutti/runtime';

const text = readFileSync(new URL('../../../docs/TUTTI_FILE.md', import.meta.url), 'utf8');

/** What a table holds: the first column, the word of the second, and the others. */
const rows = (heading: string) =>
  [
    ...text
      .split(`| ${heading} |`)[1]!
      .split('\n\n')[0]!
      .matchAll(/^\| (\d+) \| `(\w+)`(.*)$/gm),
  ].map(([, number, name, rest]) => ({ number: Number(number), name: name!, rest: rest! }));

describe('the description of the file', () => {
  it('lists every kind of layer by its number, and which take several inputs', () => {
    assert.deepEqual(
      rows('byte | kind').map(({ number, name, rest }) => [number, name, rest.startsWith(' *')]),
      Object.entries(LAYER_NAMES).map(([name, kind]) => {
        const at = LAYER_KINDS.indexOf(kind);
        return [at, name, LAYER_KINDS[at]!.merges === true];
      }),
    );
  });

  it('lists every activation by its number, and which have an argument', () => {
    assert.deepEqual(
      rows('byte | activation').map(({ number, name, rest }) => [
        number,
        name,
        !/\| \|$/.test(rest),
      ]),
      ACTIVATION_NAMES.map((name, at) => [at, name, ACTIVATIONS[at]![1] === true]),
    );
    assert.equal(ACTIVATIONS.length, ACTIVATION_NAMES.length);
  });

  it('lists every encoding by its number', () => {
    assert.deepEqual(
      rows('encoding | name').map(({ number, name }) => [name, number]),
      Object.entries(ENCODING),
    );
    assert.equal(ENCODINGS.length, Object.keys(ENCODING).length);
  });

  it('lists every kind of part by its number, of how many others it is, and whether it has a list of numbers', () => {
    const kinds: [string, PartKind][] = Object.entries(PART_KINDS);
    assert.deepEqual(
      rows('byte | part').map(({ number, name, rest }) => {
        const [, of, numbers] = rest.split('|').map((cell) => cell.trim());
        return [number, name, of, /^a list/.test(numbers ?? '')];
      }),
      [
        [0, 'tensor', '', false],
        ...kinds.map(([name, { operands, numbers }], at) => [
          at + 1,
          name,
          String(operands ?? 'n'),
          numbers === 'list',
        ]),
      ],
    );
  });

  /** A dense layer of [3] to [2]. */
  const written = (kernel: Weight) =>
    writeModel({
      input: [3],
      layers: [
        {
          kind: 'dense',
          numbers: [2],
          activations: [{ name: 'linear' }],
          weights: [kernel, Float32Array.of(1, -2)],
        },
      ],
    }).bytes;
  const shown = (example: number) =>
    [
      ...text
        .split('## Examples')[1]!
        .split('```')
        [2 * example - 1]!.matchAll(/^([0-9a-f]{2}(?: [0-9a-f]{2})*)/gm),
    ].flatMap(([, line]) => line!.split(' '));
  const inHexadecimal = (bytes: Uint8Array) =>
    [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));

  it('shows a file as it is written, and read', () => {
    const bytes = written(Float32Array.of(0.5, 0, 0, 0, 0, 0.5));
    assert.deepEqual(shown(1), inHexadecimal(bytes));
    assert.deepEqual([...readModel(bytes).predict([1, 10, 100])], [1.5, 48]);
  });

  it('shows a file that has a drawn tensor', () => {
    const how = { block: 1, sign: true, state: randomState('hashed', 0, 'kernel'), turned: false };
    const bytes = written({ ...how, stored: Float32Array.of(0.5, 0.25, 3) });
    assert.deepEqual(shown(2), inHexadecimal(bytes));
    const kernel = /with the kernel (\[\[.+?\]\]), drawn/.exec(text)![1]!;
    const [a, b, c] = JSON.parse(kernel) as [number, number][];
    assert.deepEqual(
      [...readModel(bytes).predict([1, 10, 100])],
      [0, 1].map((at) => a![at]! + 10 * b![at]! + 100 * c![at]! + [1, -2][at]!),
    );
    const weights = [{ name: 'kernel', shape: [3, 2] }];
    const sharing = resolveSharing(weights, [hashed('kernel', { stored: 3 })]);
    assert.deepEqual([...sharing.expand('kernel', { kernel: [0.5, 0.25, 3] })], [a, b, c].flat());
  });

  it('shows a file that has a computed part', () => {
    const stored = [0.5, -1, 0.25, 3];
    const kernel = JSON.parse(/with the kernel (\[\[.+?\]\]), which/.exec(text)![1]!).flat();
    const bytes = written({
      part: {
        kind: 'shear',
        operands: [{ shape: [1, 4], values: Float32Array.from(stored) }],
        numbers: [3, 2, 2, 1],
      },
      alone: Float32Array.from(kernel),
    });
    assert.deepEqual(shown(3), inHexadecimal(bytes));
    assert.deepEqual(
      [...readModel(bytes, { sharing: computing }).predict([1, 10, 100])],
      [0, 1].map((at) => kernel[at] + 10 * kernel[2 + at] + 100 * kernel[4 + at] + [1, -2][at]!),
    );
    const sharing = resolveSharing([{ name: 'kernel', shape: [3, 2] }], [toeplitz('kernel')]);
    assert.deepEqual([...sharing.expand('kernel', { kernel: stored })], kernel);
  });
});
