import { buffer } from 'node:stream/consumers';
import checksums from '@node-rs/crc32';
import { checkKeys } from '@tutti/runtime';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { badData, fileError } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { checkNumbers } from '../../contract/options.js';
import {
  memorySource,
  openSource,
  SOURCE_KEYS,
  type Source,
  sectionOf,
} from '../../files/source.js';
import { type NpyOptions, readNpyHeader } from './npy.js';
import { openAll, TABLE_KEYS, table } from './table.js';

export interface NpzOptions extends NpyOptions {
  /** Which member of the archive holds which field. Default: { x: 'x', y: 'y' }. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

const STORED = 0;

const KNOWN: Readonly<Record<keyof NpzOptions, true>> = {
  fields: true,
  ...TABLE_KEYS,
  ...SOURCE_KEYS,
};

/**
 * A data set in one file of numpy.savez or numpy.savez_compressed; numbers as for `npy`.
 *
 * Members of numpy.savez over `memoryLimitBytes` are read where an example lies; compressed ones are
 * held in memory. Checksums are verified for what is held in memory.
 *
 * @example await npz('mnist.npz', { fields: { x: 'x_train', y: 'y_train' }, scale: 1 / 255 })
 * @throws TuttiError BAD_DATA: as for `npy`; also no zip archive, no such member, a wrong checksum
 */
export async function npz(file: string, options: NpzOptions = {}): Promise<Dataset> {
  checkKeys('npz', options, KNOWN);
  checkNumbers('npz()', options);
  const { fields = { x: 'x', y: 'y' } } = options;
  const archive = await openArchive(file);
  try {
    const members = new Map<string, Entry>();
    for await (const entry of archive.eachEntry()) {
      members.set(entry.fileName.replace(/\.npy$/, ''), entry);
    }
    const stored = await openAll(fields, async (name) => {
      const entry = members.get(name);
      if (entry === undefined) {
        throw badData(
          `has no member ${name}, only ${[...members.keys()].join(', ') || 'none at all'}`,
          'Name the members in `fields`: { x: "x_train", y: "y_train" }.',
          { file, expected: name, found: [...members.keys()] },
        );
      }
      return readNpyHeader(await openMember(file, archive, entry, options));
    });
    return await table(stored, options);
  } catch (thrown) {
    throw archiveError(thrown, file);
  } finally {
    archive.close();
  }
}

async function openArchive(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file, { autoClose: false, lazyEntries: true });
  } catch (thrown) {
    throw archiveError(thrown, file);
  }
}

async function openMember(
  file: string,
  archive: ZipFile,
  entry: Entry,
  { memoryLimitBytes = 256 * 2 ** 20 }: NpzOptions,
): Promise<Source> {
  const { fileDataStart } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
  if (entry.compressionMethod === STORED && entry.uncompressedSize > memoryLimitBytes) {
    const whole = await openSource(file, { memoryLimitBytes: 0 });
    return sectionOf(whole, fileDataStart, entry.uncompressedSize);
  }
  const content = await buffer(await archive.openReadStreamPromise(entry));
  const found = checksums.crc32(content);
  if (found !== entry.crc32) {
    throw badData(
      `the checksum of member ${entry.fileName} is ${found}, but ${entry.crc32} was stored`,
      'The file is damaged: fetch or write it again.',
      { file, offset: fileDataStart, expected: entry.crc32, found },
    );
  }
  return memorySource(`${file} (${entry.fileName})`, content);
}

/** yauzl and zlib throw plain errors about damaged archives; the file system has its own. */
function archiveError(thrown: unknown, file: string) {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code !== undefined && !code.startsWith('Z_')) return fileError(thrown, file);
  return badData(
    `is no whole zip archive (${message})`,
    'Give a file that numpy.savez wrote; if it is one, it is truncated: fetch it again.',
    { file, cause: thrown },
  );
}
