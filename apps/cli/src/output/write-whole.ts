import { resolve } from 'node:path';
import { writeWhole as write } from '@tutti/checkpoint/internal';

/**
 * Writes a file, with the folders above it, durably and all or nothing.
 * @returns its absolute path
 * @throws TuttiError STORAGE
 */
export async function writeWhole(file: string, content: Uint8Array): Promise<string> {
  const path = resolve(file);
  // Unnamed wait: the caller races it.
  await write(path, [content], content.length);
  return path;
}

/** What a command waits for that writes files. */
export const untilDiskTakes = (what: string) => ({
  who: 'the disk',
  what: `take ${what}`,
  remedy: 'See whether it is full, or slow.',
});
