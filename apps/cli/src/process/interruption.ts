import { dirname } from 'node:path';
import { errorToRecord, isTuttiError, TuttiError } from '@tutti/runtime';
import { failedEvent, type Renderer, type RunEvent } from '@tutti/telemetry';
import type { CliContext } from './context.js';

/** Runs that somebody may end, and that say then how they can be gone on with. */
export interface Interruption {
  /** The first signal: a run ends between two steps, with a checkpoint. A second one ends it at once. */
  readonly signal: AbortSignal;
  /** Runs a training; what ends it says how to go on. */
  sayingHowToGoOn<T>(run: Promise<T>): Promise<T>;
}

/** How to go on with a run that has left a checkpoint, or none; undefined if there is no better way than its error says. */
type RemedyOf = (checkpoint: string | undefined) => string | undefined;

/** What is on the disk of a run. */
interface Kept {
  readonly step: number;
  readonly path?: string;
}

/** Shows what it is told, and has others told, too. */
interface Told {
  readonly renderer: Renderer;
  observe(observer: { listen(event: RunEvent): void }): void;
}

export function interruptionOf(
  { onStop }: CliContext,
  { renderer, observe }: Told,
  remedyOf: RemedyOf,
): Interruption {
  const interrupting = new AbortController();
  let kept: Kept = { step: 0 };
  let step = 0;
  observe({
    listen(event) {
      if (event.event === 'step') step = event.step;
      if (event.event === 'checkpoint') kept = event;
      if (event.event !== 'started') return;
      kept = event.resumed ?? { step: 0 };
      step = kept.step;
    },
  });

  function howToGoOn(error: TuttiError): TuttiError {
    const { message, details } = error;
    const { checkpoint } = details;
    const remedy = remedyOf(typeof checkpoint === 'string' ? checkpoint : undefined);
    if (error.code !== 'ABORTED' || remedy === undefined) return error;
    return new TuttiError('ABORTED', message, { remedy, cause: error, details: { ...details } });
  }

  onStop?.(
    (name) => {
      renderer.note(
        `${name}: ends with a checkpoint; once more (Ctrl-C or SIGTERM) ends it at once`,
      );
      interrupting.abort();
      return true;
    },
    () => renderer(failedEvent(errorToRecord(howToGoOn(endedAtOnce(step, kept))))),
  );
  return {
    signal: interrupting.signal,
    async sayingHowToGoOn(run) {
      try {
        return await run;
      } catch (error) {
        throw isTuttiError(error) ? howToGoOn(error) : error;
      }
    },
  };
}

/** Servers elsewhere may hold more than is saved: so it does not say that it is lost. */
function endedAtOnce(reached: number, { step, path }: Kept): TuttiError {
  const when = reached === 0 ? 'before the first step' : `after step ${reached}`;
  const saved = path === undefined ? 'nothing is saved' : `step ${step} is saved in ${path}`;
  return new TuttiError('ABORTED', `Ended at once ${when}; ${saved}`, {
    remedy: 'Start it again. --checkpoint-every keeps what was trained.',
    details: { step, reached, ...(path !== undefined && { checkpoint: path }) },
  });
}

/** @param command that begins such a run, without what names checkpoints */
export const goingOnWith =
  (command: string): RemedyOf =>
  (checkpoint) =>
    checkpoint &&
    `Go on with: ${command} --checkpoint-dir ${quoted(dirname(checkpoint))} --resume latest`;

/** For a shell. */
export const quoted = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
