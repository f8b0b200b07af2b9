import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder } from '@tutti/runtime';

/** Beside the checkpoints of a folder: a line for each step that was made. */
export const STEPS_FILE = 'steps.jsonl';

/** Appends lines of JSON to a file, those together that come while others are written. */
export interface StepLog {
  /** Resolves once the line is in the file; rejects with the error of the file system. */
  append(record: unknown): Promise<void>;
  /** Resolves once nothing is being written. */
  close(): Promise<void>;
}

export function createStepLog(directory: string): StepLog {
  const path = join(directory, STEPS_FILE);
  let waiting = '';
  let last: Promise<void> = Promise.resolve();

  async function flush() {
    const lines = waiting;
    waiting = '';
    if (lines === '') return;
    await ensureFolder(directory);
    await appendFile(path, lines);
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

/** The lines of a folder's log, in the order in which they were written; torn ones are left out. */
export async function readStepLog(directory: string): Promise<unknown[]> {
  const text = await readFile(join(directory, STEPS_FILE), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}
