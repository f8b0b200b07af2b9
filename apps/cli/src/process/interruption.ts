import { dirname } from 'node:path';
import { isTuttiError, TuttiError } from '@tutti/runtime';
import type { Renderer } from '@tutti/telemetry';
import type { CliContext } from './context.js';

/**
 * The first signal of somebody who wants a run to end: it ends between two steps, with a checkpoint.
 * A second one ends it at once.
 */
export function interruptOf({ onStop }: CliContext, renderer: Renderer): AbortSignal {
  const interrupting = new AbortController();
  onStop?.((name) => {
    renderer.note(`${name}: ends with a checkpoint; once more (Ctrl-C or SIGTERM) ends it at once`);
    interrupting.abort();
    return true;
  });
  return interrupting.signal;
}

/**
 * Runs a training; what ends it with a checkpoint says how to go on.
 * @param command that begins such a run, without what names checkpoints
 */
export async function sayingHowToGoOn<T>(command: string, run: Promise<T>): Promise<T> {
  try {
    return await run;
  } catch (error) {
    const checkpoint = isTuttiError(error) ? error.details.checkpoint : undefined;
    if (!isTuttiError(error) || error.code !== 'ABORTED' || typeof checkpoint !== 'string')
      throw error;
    const folder = quoted(dirname(checkpoint));
    throw new TuttiError('ABORTED', error.message, {
      remedy: `Go on with: ${command} --checkpoint-dir ${folder} --resume latest`,
      cause: error,
      details: { ...error.details },
    });
  }
}

/** For a shell. */
export const quoted = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
