import { type Clock, systemClock } from './clock.js';
import { abortError } from './monitor.js';
import { createStamp, type Stampable, type Stamped } from './stamp.js';

/** Something started: awaited by its `result`, iterated for its events, stopped by its signal. */
export interface Running<Event, Result> extends AsyncIterable<Event> {
  /** Settles when it has ended and everything it opened is closed. */
  readonly result: Promise<Result>;
  /** Asks it to stop and waits until it has; never rejects. */
  stop(): Promise<void>;
}

/** Who is told of each event at once; several hear it in their order. */
export type EventListeners<Event> = ((event: Event) => void) | readonly ((event: Event) => void)[];

/** Events kept for an iterator that comes late or is slow; the oldest are dropped. */
const EVENT_BACKLOG = 4096;

/**
 * Runs `body` until it returns. Every iterator sees the events from when it was asked for; the
 * first also those before. An iterator ends with the run, and throws what the run threw. Whatever
 * event is told, it is stamped here.
 */
export function start<Event extends object, Result>(
  body: (emit: (event: Stampable<Event>) => void, signal: AbortSignal) => Promise<Result>,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onEvent?: EventListeners<Stamped<Event>> | undefined;
    readonly clock?: Clock | undefined;
  } = {},
): Running<Stamped<Event>, Result> {
  const stopping = new AbortController();
  const { signal, onEvent = [], clock = systemClock } = options;
  const listeners = typeof onEvent === 'function' ? [onEvent] : onEvent;
  const stamp = createStamp(clock);
  const forward = () => stopping.abort(signal === undefined ? undefined : abortError(signal));
  if (signal?.aborted) forward();
  else signal?.addEventListener('abort', forward, { once: true });

  const backlog: Stamped<Event>[] = [];
  let first = true;
  let ended = false;
  const readers = new Set<{ queue: Stamped<Event>[]; wake: () => void }>();
  const push = (queue: Stamped<Event>[], event: Stamped<Event>) => {
    if (queue.length >= EVENT_BACKLOG) queue.shift();
    queue.push(event);
  };
  const emit = (told: Stampable<Event>) => {
    const event = stamp<Event>(told);
    for (const listen of listeners) listen(event);
    if (first) push(backlog, event);
    for (const reader of readers) {
      push(reader.queue, event);
      reader.wake();
    }
  };

  const result = body(emit, stopping.signal).finally(() => {
    ended = true;
    signal?.removeEventListener('abort', forward);
    for (const reader of readers) reader.wake();
  });
  // Whoever only iterates still sees the error: not an unhandled rejection.
  result.catch(() => {});

  return {
    result,
    async stop() {
      stopping.abort();
      await result.catch(() => {});
    },
    async *[Symbol.asyncIterator]() {
      const reader = { queue: first ? backlog.splice(0) : [], wake: () => {} };
      first = false;
      readers.add(reader);
      try {
        for (;;) {
          while (reader.queue.length > 0) yield reader.queue.shift()!;
          if (ended) break;
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
        }
        await result;
      } finally {
        readers.delete(reader);
      }
    },
  };
}
