import { createReadStream } from 'node:fs';
import { appendFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, withCleanUp } from '@tutti/runtime';
import { badCheckpoint } from './bad-checkpoint.js';

/** Beside the checkpoints of a run: a line for each step that was made. */
export const STEPS_FILE = 'steps.jsonl';

/** Beside the checkpoints of a run: a line for each of its events. */
export const EVENTS_FILE = 'events.jsonl';

/** Appends lines of JSON to a file, those together that come while others are written. */
export interface LineLog {
  /** Resolves once the line is in the file; rejects with the error of the file system. */
  append(record: unknown): Promise<void>;
  /** Resolves once nothing is being written. */
  close(): Promise<void>;
}

export function createLineLog(directory: string, file: string): LineLog {
  const path = join(directory, file);
  let waiting = '';
  let last: Promise<void> = Promise.resolve();
  /** A process that was killed, or a full disk, may have left a part of a line. */
  let unsure = true;

  async function flush() {
    const lines = waiting;
    waiting = '';
    if (lines === '') return;
    await ensureFolder(directory);
    const end = unsure && (await endsWithinLine(path)) ? '\n' : '';
    unsure = true;
    await appendFile(path, end + lines);
    unsure = false;
  }

  return {
    append(record) {
      waiting += `${JSON.stringify(record)}\n`;
      const written = last.then(flush);
      last = written.catch(() => {});
      return written;
    },
    close: () => last,
  };
}

async function endsWithinLine(path: string): Promise<boolean> {
  const handle = await open(path, 'a+');
  return withCleanUp(
    () => handle.close(),
    async () => {
      const { size } = await handle.stat();
      const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 });
      return size > 0 && buffer[0] !== '\n'.charCodeAt(0);
    },
  );
}

/** The lines of a log, in the order in which they were written; torn ones are left out. */
export function parseLines(text: string): unknown[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}

/** The same of a text that comes in pieces: one line at a time is kept. */
export async function* parseLinesOf(pieces: AsyncIterable<string>): AsyncGenerator<unknown> {
  let rest = '';
  for await (const piece of pieces) {
    const end = piece.lastIndexOf('\n') + 1;
    if (end > 0) yield* parseLines(rest + piece.slice(0, end));
    rest = end > 0 ? piece.slice(end) : rest + piece;
  }
  yield* parseLines(rest);
}

/** What was recorded of the steps of a run; nothing if there is no such file, BAD_CHECKPOINT if it cannot be read. */
export async function* readStepLog(directory: string): AsyncGenerator<unknown> {
  const path = join(directory, STEPS_FILE);
  try {
    yield* parseLinesOf(createReadStream(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw badCheckpoint(path, message);
  }
}
