import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { badData, fileError } from '../contract/bad-data.js';

/** The bytes of a file, or of a part of one. */
export interface Source {
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** All of them, where they are held in memory. */
  readonly bytes?: Uint8Array;
  /**
   * Fills `target` from `position`.
   * @throws TuttiError BAD_DATA if the file ends before
   */
  readInto(target: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

export interface SourceOptions {
  /**
   * Files up to this many bytes are held in memory; of larger ones, only what is asked for is read.
   * Default 256 MiB. A file compressed with gzip has no positions to read at: it is always held.
   */
  readonly memoryLimitBytes?: number;
}

export const SOURCE_KEYS: Readonly<Record<keyof SourceOptions, true>> = { memoryLimitBytes: true };

const GZIP_MAGIC = [0x1f, 0x8b];

/** Opens a file, plain or gzip (recognised by its content, not by its name). */
export async function openSource(file: string, options: SourceOptions = {}): Promise<Source> {
  const { memoryLimitBytes = 256 * 2 ** 20 } = options;
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const { size } = await handle.stat();
    const magic = new Uint8Array(2);
    await handle.read(magic, 0, 2, 0);
    const zipped = magic.every((byte, i) => byte === GZIP_MAGIC[i]);
    if (!zipped && size > memoryLimitBytes) {
      const source = fileSource(file, handle, size);
      handle = undefined;
      return source;
    }
    const content = await handle.readFile();
    return memorySource(file, zipped ? await unzip(content, file) : content);
  } catch (thrown) {
    throw fileError(thrown, file);
  } finally {
    await handle?.close();
  }
}

export function memorySource(file: string, bytes: Uint8Array): Source {
  return {
    file,
    size: bytes.length,
    bytes,
    async readInto(target, position) {
      if (position + target.length > bytes.length) {
        throw endedEarly(file, position, target.length, bytes.length - position);
      }
      target.set(bytes.subarray(position, position + target.length));
    },
    async close() {},
  };
}

/** `length` bytes of another source from `start`; closing it closes the other. */
export function sectionOf(source: Source, start: number, length: number): Source {
  if (source.bytes) return memorySource(source.file, source.bytes.subarray(start, start + length));
  return {
    file: source.file,
    size: length,
    readInto: (target, position) => source.readInto(target, start + position),
    close: () => source.close(),
  };
}

function fileSource(file: string, handle: FileHandle, size: number): Source {
  return {
    file,
    size,
    async readInto(target, position) {
      let done = 0;
      try {
        while (done < target.length) {
          const left = target.length - done;
          const { bytesRead } = await handle.read(target, done, left, position + done);
          if (bytesRead === 0) throw endedEarly(file, position, target.length, done);
          done += bytesRead;
        }
      } catch (thrown) {
        throw fileError(thrown, file);
      }
    },
    close: () => handle.close(),
  };
}

function endedEarly(file: string, offset: number, expected: number, found: number) {
  return badData(
    `expected ${expected} bytes but the file ends after ${Math.max(0, found)}`,
    'The file is truncated: fetch or write it again.',
    { file, offset, expected, found },
  );
}

async function unzip(content: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(content);
  } catch (thrown) {
    const reason = (thrown as Error).message;
    throw badData(
      `its ${content.length} bytes are no whole gzip file (${reason})`,
      'The file is truncated or damaged: fetch it again.',
      { file, found: content.length, cause: thrown },
    );
  }
}
