import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Batch, csv, type Dataset, type GivenBatch, map, slice } from '@tutti/data';
import { runLocal } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';

const program = regression({ epochs: 1 });

/** The regression on data that something was done to. */
const changed = (
  change: (dataset: Dataset) => Dataset,
  part: 'training' | 'evaluation' = 'training',
): Program => ({
  ...program,
  async data() {
    const data = await program.data();
    return { ...data, [part]: change(data[part]!) };
  },
});

/** A data set as somebody writes it. */
const own = (
  read: (indices: ArrayLike<number>, batch: Batch) => unknown,
  dataset: Dataset,
): Dataset => ({
  size: dataset.size,
  read: async (indices) => read(indices, await dataset.read(indices)) as Batch,
});

const failureOf = (failing: Program, workers: number) =>
  runLocal(failing, { workers }).result.then(
    () => assert.fail('The run did not fail'),
    (error) => error,
  );

/** All but the first, with this value in example 42: in place of one of its inputs, and in memory of its own. */
const spoilt = (value: number) => (all: Dataset) => {
  const dataset = slice(all, 1);
  return {
    ...dataset,
    async read(indices: ArrayLike<number>) {
      const batch = await dataset.read(indices);
      const at = Array.from(indices).indexOf(41);
      if (at >= 0) batch.x!.data[at * 7 + 3] = value;
      return batch;
    },
  };
};

/** Another float64 whose float32 is the same. */
const unrounded = (value: number) => value * (1 + 2 ** -26);

describe('data', () => {
  for (const workers of [0, 2])
    for (const [part, value] of [
      ['training', Number.NaN],
      ['training', Number.NEGATIVE_INFINITY],
      ['training', 1e38],
      ['evaluation', Number.NaN],
    ] as const)
      it(`of ${part} that holds ${value} is named, and no learning rate (${workers} workers)`, async () => {
        const error = await failureOf(changed(spoilt(value), part), workers);
        assert.equal(error.code, 'BAD_DATA');
        assert.match(
          error.message,
          /^Field "x" of (training|evaluation) example 41 \(example 42 of arrays\(\)\) is /,
        );
        assert.match(error.message, / in element 3: .*(lossSum|gradient of "w").* on worker \w+$/);
        assert.doesNotMatch(error.remedy, /learning rate/);
        const { field, example, element, value: said } = error.details;
        assert.deepEqual([field, example, element, said], ['x', 41, 3, String(value)]);
        assert.ok(
          error.message.includes(`${part} example 41 (example 42 of arrays()) is ${value} in`),
          error.message,
        );
      });

  for (const [kind, as] of [
    ['float64', (values: ArrayLike<number>) => Float64Array.from(values, unrounded)],
    ['plain numbers', (values: ArrayLike<number>) => Array.from(values, unrounded)],
  ] as const)
    it(`of ${kind} trains the weights of float32`, async () => {
      const { digest } = await runLocal(program, { workers: 0 }).result;
      const given = (indices: ArrayLike<number>, { x, y }: Batch) => ({
        x: { data: as(x!.data), shape: [indices.length, 7] },
        y: { data: as(y!.data), shape: [indices.length] },
      });
      const mapped = changed((dataset) =>
        map(dataset, (batch) => given(batch.y!.data, batch) as GivenBatch),
      );
      const written = changed((dataset) => own(given, dataset));
      for (const same of [mapped, written])
        for (const workers of [0, 2])
          assert.equal((await runLocal(same, { workers }).result).digest, digest);
    });

  for (const [what, read, code, message] of [
    [
      'a word for a number',
      (indices: ArrayLike<number>, { x, y }: Batch) => ({
        y,
        x: {
          data: Array.from(x!.data, (value, i) =>
            indices[Math.floor(i / 7)] === 41 ? 'a' : value,
          ),
          shape: x!.shape,
        },
      }),
      'BAD_DATA',
      /^field x of the training data is "a", no number, in example 41 \(element 0\)$/,
    ],
    [
      'too few examples',
      () => ({ x: { data: [1, 2, 3, 4, 5, 6, 7], shape: [1, 7] } }),
      'BAD_DATA',
      /^field x of the training data has 1 examples, but \d+ were asked for$/,
    ],
    [
      'a shape for other numbers',
      (indices: ArrayLike<number>) => ({ x: { data: [1, 2, 3], shape: [indices.length, 7] } }),
      'BAD_DATA',
      /^field x of the training data has 3 values, but its shape \[\d+,7\] holds \d+$/,
    ],
    ['nothing', () => undefined, 'BAD_DATA', /^no fields were read of the training data$/],
    [
      'an error',
      () => {
        throw new Error('the disk is gone');
      },
      'PROGRAM_FAILED',
      /^The program threw in read\(\) of the training data: the disk is gone$/,
    ],
  ] as const)
    for (const workers of [0, 2])
      it(`of somebody's own that gives ${what} ends the run (${workers} workers)`, async () => {
        const error = await failureOf(
          changed((dataset) => own(read, dataset)),
          workers,
        );
        assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
      });

  it('that a reader passed over is said once, whoever reads it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tutti-data-faults-'));
    try {
      const file = join(folder, 'a.csv');
      const rows = Array.from({ length: 103 }, (_, i) => `${i},0,0,0,0,0,0,1`);
      await writeFile(file, ['0,1,2,3,4,5,6,7', ...rows].join('\n'));
      const reading: Program = {
        ...program,
        async data() {
          const all = await csv(file, { label: 7 });
          return { training: slice(all, 0, 90), evaluation: slice(all, 90) };
        },
      };
      for (const workers of [0, 2]) {
        const events: RunEvent[] = [];
        await runLocal(reading, { workers, onEvent: (event) => events.push(event) }).result;
        const warnings = events.flatMap((event) => {
          if (event.event !== 'warning') return [];
          const { code, message, remedy } = event;
          return [{ code, message, remedy }];
        });
        assert.deepEqual(warnings, [
          {
            code: 'BAD_DATA',
            message: `${file}: the first line was read as the names of the columns, but holds numbers only (0, 1, 2, …)`,
            remedy: 'If it is an example, say `header: false`.',
          },
        ]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
