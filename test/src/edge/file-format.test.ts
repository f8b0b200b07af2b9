import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeModel } from '@tutti/compress';
import { readModel } from '@tutti/edge';
import {
  ACTIVATION_NAMES,
  ACTIVATIONS,
  ENCODING,
  LAYER_KINDS,
  LAYER_NAMES,
} from '@tutti/edge/internal';

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
  });

  it('shows a file as it is written, and read', () => {
    const { bytes } = writeModel({
      input: [3],
      layers: [
        {
          kind: 'dense',
          numbers: [2],
          activations: [{ name: 'linear' }],
          weights: [Float32Array.of(0.5, 0, 0, 0, 0, 0.5), Float32Array.of(1, -2)],
        },
      ],
    });
    const block = text.split('## An example')[1]!.split('```')[1]!;
    const shown = [...block.matchAll(/^([0-9a-f]{2}(?: [0-9a-f]{2})*)/gm)].flatMap(([, line]) =>
      line!.split(' '),
    );
    assert.deepEqual(
      shown,
      [...bytes].map((byte) => byte.toString(16).padStart(2, '0')),
    );
    assert.deepEqual([...readModel(bytes).predict([1, 10, 100])], [1.5, 48]);
  });
});
