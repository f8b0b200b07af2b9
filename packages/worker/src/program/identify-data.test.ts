import assert from 'node:assert/strict';
import { arrays, type Batch, type Dataset, map, slice } from '@tutti/data';
import { type DataDifference, dataDifference } from '@tutti/protocol';
import { createMonitor, createRandom, systemClock } from '@tutti/runtime';
import { identifyData } from './identify-data.js';
import type { ProgramData } from './program.js';

const SIZE = 800;

/** x[i] = [i, i + 0.5], y[i] = i, in the given order. */
function rows(order: ArrayLike<number>): Dataset {
  const indices = Array.from(order);
  return arrays({
    x: {
      data: Float32Array.from(indices.flatMap((i) => [i, i + 0.5])),
      shape: [indices.length, 2],
    },
    y: { data: Int32Array.from(indices), shape: [indices.length] },
  });
}

const inOrder = Uint32Array.from({ length: SIZE }, (_, i) => i);
const shuffled = (key: string) => rows(createRandom(key).shuffle(inOrder.slice()));

async function difference(a: ProgramData, b: ProgramData): Promise<DataDifference | undefined> {
  const identify = (data: ProgramData) => identifyData(data, createMonitor({ clock: systemClock }));
  return dataDifference(await identify(a), await identify(b));
}

const inTraining = async (dataset: Dataset) =>
  difference({ training: rows(inOrder) }, { training: dataset });

describe('the identity of data', () => {
  it('is the same for the same examples, read by whatever reader', async () => {
    assert.equal(await inTraining(rows(inOrder)), undefined);
    assert.equal(await inTraining(slice(rows([...inOrder, 1, 2]), 0, SIZE)), undefined);
    const swapped = map(rows(inOrder), ({ x, y }) => ({ y: y!, x: x! }));
    assert.equal(await inTraining(swapped), undefined);
  });

  const other = (change: (batch: Batch) => Batch) => map(rows(inOrder), change);
  for (const [what, dataset, expected] of [
    ['one example more', rows([...inOrder, 7]), /^801 examples instead of 800$/],
    [
      'another order',
      shuffled('a'),
      /^other values in field "x" at example \d+ \(3[0-2] of the 32 /,
    ],
    [
      'labels that belong to others',
      other(({ x, y }) => ({ x: x!, y: { ...y!, data: y!.data.map((label) => label + 1) } })),
      /^other values in field "y" at example \d+ \(32 of the 32 examples that were compared differ\)$/,
    ],
    [
      'another type',
      other(({ x, y }) => ({ x: x!, y: { ...y!, data: Float32Array.from(y!.data) } })),
      /^float32 \[\] in field "y" of an example instead of int32 \[\]$/,
    ],
    [
      'another shape',
      other(({ x, y }) => ({ x: { ...x!, shape: [x!.shape[0]!, 1, 2] }, y: y! })),
      /^float32 \[1, 2\] in field "x" of an example instead of float32 \[2\]$/,
    ],
    [
      'another field',
      other(({ x, y }) => ({ x: x!, label: y! })),
      /^the fields label, x instead of x, y$/,
    ],
  ] as const)
    it(`tells ${what}`, async () => {
      const found = await inTraining(dataset);
      assert.equal(found?.set, 'training');
      assert.match(found.what, expected);
    });

  it('tells which of the sets is another, and one that is missing', async () => {
    const training = rows(inOrder);
    const evaluation = shuffled('a');
    const found = await difference(
      { training, evaluation },
      { training, evaluation: shuffled('b') },
    );
    assert.equal(found?.set, 'evaluation');
    assert.match(found.what, /^other values in field "x"/);
    const missing = await difference({ training, evaluation }, { training });
    assert.deepEqual(missing, { set: 'evaluation', what: 'no examples instead of 800' });
  });

  it('takes one call and a few examples, whatever the size and the number of fields', async () => {
    const calls: number[] = [];
    const wide: Dataset = {
      size: 1e9,
      async read(indices) {
        calls.push(indices.length);
        const field = { data: Float32Array.from(indices), shape: [indices.length] };
        return Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`f${at}`, field]));
      },
    };
    const monitor = createMonitor({ clock: systemClock });
    const { training } = await identifyData({ training: wide }, monitor);
    assert.deepEqual(calls, [32]);
    assert.ok(JSON.stringify(training).length < 200_000);
  });

  it('is not known of a plan from before it was recorded: nothing is compared then', () => {
    assert.equal(
      dataDifference(undefined, { training: { size: 1, examples: [], fields: [] } }),
      undefined,
    );
  });
});
