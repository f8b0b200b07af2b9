import { checkKeys } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import type { Batch, Dataset } from '../../contract/dataset.js';
import { checkIndices } from '../../contract/indices.js';
import { SOURCE_KEYS, type SourceOptions } from '../../files/source.js';
import { createExampleParser } from './tfrecord-example.js';
import { createFieldReader, type TfrecordField } from './tfrecord-fields.js';
import { openTfrecordFile, type TfrecordFile } from './tfrecord-file.js';

/**
 * A data set in TFRecord files of tf.train.Example messages, plain or gzip; the files follow one
 * another in the order given. `fields` says what becomes of which feature.
 *
 * One pass on opening notes where the records lie (8 bytes of memory each); then they are read in
 * place, with their checksums verified. Gzip files are held in memory.
 *
 * @example
 * await tfrecord(['train-0.tfrecord', 'train-1.tfrecord'], {
 *   x: { feature: 'image/encoded', type: 'image', width: 96, height: 96, channels: 3 },
 *   y: { feature: 'image/class/label', type: 'int64', classes: 10 },
 * })
 * @throws TuttiError BAD_DATA with file and offset: missing or truncated file, a wrong checksum; on
 * reading: no such feature, of another type or number of values, a label outside `classes`
 */
export async function tfrecord(
  files: string | readonly string[],
  fields: Readonly<Record<string, TfrecordField>>,
  options: SourceOptions = {},
): Promise<Dataset> {
  checkKeys('tfrecord', options, SOURCE_KEYS);
  const parseExample = createExampleParser();
  const readers = await Promise.all(
    Object.entries(fields).map(
      async ([name, field]) => [name, await createFieldReader(name, field)] as const,
    ),
  );
  const parts: TfrecordFile[] = [];
  const close = async () => {
    await Promise.all(parts.map((part) => part.close()));
  };
  try {
    for (const file of typeof files === 'string' ? [files] : files) {
      parts.push(await openTfrecordFile(file, options));
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  // Part i holds the examples from starts[i] up to starts[i + 1].
  const starts = [0];
  for (const part of parts) starts.push(starts.at(-1)! + part.size);
  const size = starts.at(-1)!;
  const name = parts.map(({ file }) => file).join(' and ');
  if (size === 0) {
    await close();
    throw badData('no records', 'Give files with at least one example.', { file: name });
  }

  const empty = parts.filter((part) => part.size === 0);
  const place = (index: number) => {
    const number = starts.findLastIndex((start) => start <= index);
    return { part: parts[number]!, record: index - starts[number]! };
  };
  return {
    size,
    origin(index) {
      const { part, record } = place(index);
      return `record ${record} of ${part.file}`;
    },
    notices: empty.map(({ file }) => ({
      message: `${file}: there are no records in this file`,
      remedy: 'See whether it was written to its end.',
    })),
    async read(indices) {
      checkIndices(indices, size, name);
      const count = indices.length;
      const data = readers.map(([, reader]) => reader.create(count));
      await Promise.all(
        Array.from(indices, async (index, i) => {
          const { part, record } = place(index);
          const { bytes, offset } = await part.read(record);
          const at = { file: part.file, offset };
          const features = parseExample(bytes, at);
          await Promise.all(readers.map(([, reader], f) => reader.read(features, data[f]!, i, at)));
        }),
      );
      return Object.fromEntries(
        readers.map(([field, { shape }], f) => [
          field,
          { data: data[f]!, shape: [count, ...shape] },
        ]),
      ) as Batch;
    },
    close,
  };
}
