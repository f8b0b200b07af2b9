import type { Stamped } from '@tutti/runtime';
import { formatDuration, type RunEvent } from '@tutti/telemetry';
import type { Mark } from './view.js';

/** What an event is on the time line; undefined for those that are not on it. */
export function markOf(
  event: Stamped<RunEvent>,
  run: { readonly step: number; readonly started: boolean },
): Omit<Mark, 'id'> | undefined {
  const mark = (tone: Mark['tone'], title: string, detail = '', step = run.step) => ({
    ...{ at: event.at, step, tone, title, detail },
  });
  switch (event.event) {
    case 'started':
      if (event.resumed !== undefined)
        return mark(
          'quiet',
          `Goes on from step ${event.resumed.step}`,
          event.resumed.path,
          event.resumed.step,
        );
      if (event.from !== undefined)
        return mark('quiet', 'Begins with earlier weights', event.from.path, 0);
      return undefined;
    case 'worker-joined':
      return run.started
        ? mark('recovery', `${event.worker} joined`, countOf(event.workers))
        : undefined;
    case 'worker-left':
      return event.politely
        ? mark('quiet', `${event.worker} left`, `${event.reason}; ${countOf(event.workers)}`)
        : mark('fault', `${event.worker} was lost`, `${event.reason}. ${takenOver(event.workers)}`);
    case 'worker-restarted':
      return mark(
        'note',
        `${event.worker} is started again`,
        `${event.restarts} of ${event.maxRestarts} restarts; ${event.reason}`,
      );
    case 'worker-excluded':
      return mark(
        'fault',
        `${event.worker} computed wrong`,
        'It is sent away, and the step is computed again without it.',
        event.step,
      );
    case 'server-caught-up':
      return mark(
        'recovery',
        'A server stands by again',
        `That at ${event.address} was given what another has, in ${formatDuration(event.ms)}.`,
        event.step,
      );
    case 'waiting': {
      const who = event.by === undefined ? '' : `${event.by}: `;
      const title = `${who}waiting for ${event.who}`;
      // Before the first step somebody is always waited for.
      return mark(
        run.started ? 'wait' : 'quiet',
        title,
        `to ${event.what}, for ${formatDuration(event.sinceMs)}. ${event.remedy}`,
      );
    }
    case 'learning-rate': {
      const share = `${Number((100 * event.factor).toPrecision(3))} %`;
      return mark(
        'note',
        'Learning rate reduced',
        `No better after epoch ${event.epoch}: it is ${share} of what it would be from now on.`,
        event.step,
      );
    }
    case 'early-stop':
      return mark(
        'note',
        'Ends early',
        `No better by ${event.monitor} after epoch ${event.epoch}.`,
        event.step,
      );
    case 'checkpoint':
      return mark('quiet', 'Checkpoint', event.path, event.step);
    case 'warning': {
      const detail = `${event.message.replace(/[.!?]?$/, '.')} ${event.remedy}`;
      return event.code === 'PEER_LOST'
        ? mark('fault', 'A process was lost', detail)
        : mark('note', 'Warning', detail);
    }
    case 'failed':
      return event.code === 'ABORTED'
        ? mark('note', 'Stopped', event.message)
        : mark(
            'fault',
            'The run failed',
            `${event.message.replace(/[.!?]?$/, '.')} ${event.remedy}`,
          );
    case 'finished':
      return mark('recovery', 'Finished', `digest ${event.digest.slice(0, 16)}…`, event.steps);
    case 'listening':
    case 'weights':
    case 'step':
    case 'epoch':
      return undefined;
  }
}

const countOf = (workers: number) =>
  workers === 1 ? '1 worker takes part' : `${workers} workers take part`;

const takenOver = (workers: number) =>
  workers === 0
    ? 'Nobody is left to compute: the run waits for a worker.'
    : 'The others take its shards over; the result stays the same.';
