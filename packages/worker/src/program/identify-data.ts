import { createHash } from 'node:crypto';
import type { Dataset, Field } from '@tutti/data';
import {
  type DataIdentity,
  type DatasetIdentity,
  EXAMPLE_DIGEST,
  type FieldIdentity,
} from '@tutti/protocol';
import { createRandom, type Monitor, programError } from '@tutti/runtime';
import { COMPARED_EXAMPLES, MOST_DIGESTS } from '../tunables.js';
import type { ProgramData } from './program.js';

/**
 * What the data of a program are known by, to be compared with those of other processes. Reads a few
 * examples, whatever the size.
 * @throws TuttiError BAD_DATA or PROGRAM_FAILED, if they cannot be read
 */
export async function identifyData(
  { training, evaluation }: ProgramData,
  monitor: Monitor,
): Promise<DataIdentity> {
  const identify = (dataset: Dataset, called: string) =>
    monitor.race(identityOf(dataset, called), {
      who: `the ${called} data`,
      what: 'give some examples, to compare them with those of others',
      remedy: 'See whether its disk or host answers.',
    });
  return {
    training: await identify(training, 'training'),
    ...(evaluation && { evaluation: await identify(evaluation, 'evaluation') }),
  };
}

async function identityOf(dataset: Dataset, called: string): Promise<DatasetIdentity> {
  const { size } = dataset;
  if (size < 1) return { size, examples: [], fields: [] };
  const chosen = choose(size);
  try {
    const batch = Object.entries(await dataset.read(chosen)).sort(([a], [b]) => (a < b ? -1 : 1));
    const kept = Math.max(1, Math.floor(MOST_DIGESTS / Math.max(1, batch.length)));
    const fields = batch.map(([name, field]) => identityOfField(name, field, chosen.length, kept));
    return { size, examples: chosen.slice(0, kept), fields };
  } catch (thrown) {
    throw programError(thrown, `read() of the ${called} data`);
  }
}

/** The same for the same size everywhere, in order. The last is among them: rows get lost at the end. */
function choose(size: number): number[] {
  const random = createRandom('identity', size);
  const chosen = new Set([size - 1]);
  while (chosen.size < Math.min(COMPARED_EXAMPLES, size)) chosen.add(random.below(size));
  return [...chosen].sort((a, b) => a - b);
}

/** A field that breaks its contract is described as it is: whoever reads it for training names the fault. */
function identityOfField(
  name: string,
  field: Field,
  examples: number,
  kept: number,
): FieldIdentity {
  const { data, shape = [] } = (field ?? {}) as Partial<Field>;
  if (!ArrayBuffer.isView(data)) return { name, type: typeof data, shape: [], digests: '' };
  const type = data.constructor.name.replace(/Array$/, '').toLowerCase();
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const each = Math.floor(bytes.length / examples);
  const digests = Array.from({ length: Math.min(kept, examples) }, (_, at) =>
    createHash('sha256')
      .update(bytes.subarray(at * each, (at + 1) * each))
      .digest('hex')
      .slice(0, EXAMPLE_DIGEST),
  );
  return { name, type, shape: shape.slice(1).map(Number), digests: digests.join('') };
}
