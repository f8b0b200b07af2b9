import { NoTextError, textOf } from '@tutti/runtime';
import { badData } from '../contract/bad-data.js';
import { openSource } from './source.js';

/**
 * All the text of a file, plain or gzip.
 * @throws TuttiError BAD_DATA also for what is neither UTF-8 nor UTF-16 with its byte-order mark
 */
export async function readText(file: string): Promise<string> {
  const source = await openSource(file, { memoryLimitBytes: Number.POSITIVE_INFINITY });
  try {
    return textOf(source.bytes!);
  } catch (thrown) {
    if (!(thrown instanceof NoTextError)) throw thrown;
    throw badData(thrown.message, 'Save it as UTF-8.', { file, cause: thrown });
  } finally {
    await source.close();
  }
}
