import assert from 'node:assert/strict';
import { arrays, type Dataset, map } from '@tutti/data';
import { runLocal } from '@tutti/launch';
import type { Program, ProgramData } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

const program = regression({ epochs: 12 });

/** The same program, as far as its sources tell, on other data. */
const withData = (change: (data: ProgramData) => ProgramData): Program => ({
  ...program,
  data: async () => change(await program.data()),
});

const last = (size: number) => size - 1;

/** As `tf.util.shuffle` leaves it: the same examples in another order. */
const reversed = (dataset: Dataset): Dataset => ({
  ...dataset,
  read: (indices) => dataset.read(Array.from(indices, (index) => last(dataset.size) - index)),
});

const doubled = (dataset: Dataset) =>
  map(dataset, ({ x, y }) => ({ x: x!, y: { ...y!, data: y!.data.map((value) => 2 * value) } }));

const shorter = ({ size }: Dataset) => {
  const examples = size - 1;
  return arrays({
    x: { data: new Float32Array(7 * examples), shape: [examples, 7] },
    y: { data: new Float32Array(examples), shape: [examples] },
  });
};

describe('a worker whose data are others', () => {
  for (const [what, change, expected] of [
    [
      'in another order',
      ({ training, ...rest }: ProgramData) => ({ training: reversed(training), ...rest }),
      /^Refused a peer: The training data of worker w2 are not those of the job: other values in field "x" at example \d+ \(\d+ of the 32 /,
    ],
    [
      'with other labels',
      ({ training, ...rest }: ProgramData) => ({ training: doubled(training), ...rest }),
      /training data of worker w2 .* other values in field "y" at example \d+ \(32 of the 32 /,
    ],
    [
      'with an example less',
      ({ training, ...rest }: ProgramData) => ({ training: shorter(training), ...rest }),
      /training data of worker w2 .* 102 examples instead of 103$/,
    ],
    [
      'in the evaluation alone',
      ({ training, evaluation }: ProgramData) => ({ training, evaluation: reversed(evaluation!) }),
      /evaluation data of worker w2 .* other values in field "x"/,
    ],
  ] as const)
    it(`${what} is refused, not warned of: what differs is said, and memory is not blamed`, async () => {
      const expectedDigest = (await runLocal(program, { workers: 0 }).result).digest;
      let joined = false;
      let ended: Promise<unknown> | undefined;
      const { result, events } = await simulate({
        program,
        workers: 2,
        seed: 1,
        worker: (at) => ({
          programHash: 'the same sources',
          ...(at === 2 ? { program: withData(change) } : {}),
        }),
        disturb(_network, clock, join, crew) {
          if (joined || clock.now() < 50) return;
          joined = true;
          join();
          ended = crew[2]!.result.catch((error: unknown) => error);
        },
      });
      assert.equal(result.digest, expectedDigest);
      const warnings = events.flatMap((event) => (event.event === 'warning' ? [event] : []));
      assert.equal(warnings.length, 1);
      assert.equal(warnings[0]!.code, 'REFUSED');
      assert.match(warnings[0]!.message, expected);
      assert.match(warnings[0]!.remedy, /shuffle\(\) and split\(\)/);
      assert.doesNotMatch(JSON.stringify(warnings), /memory/);
      const error = (await ended) as { code: string; message: string };
      assert.equal(error.code, 'REFUSED');
      assert.match(error.message, /data of worker w2 are not those of the job/);
    });
});
