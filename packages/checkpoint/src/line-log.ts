import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder } from '@tutti/runtime';

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

/** What was recorded of the steps of a run; nothing if there is no such file. */
export async function readStepLog(directory: string): Promise<unknown[]> {
  return parseLines(await readFile(join(directory, STEPS_FILE), 'utf8').catch(() => ''));
}
