import { abortError } from './monitor.js';

/** Something started: awaited by its `result`, iterated for its events, stopped by its signal. */
export interface Running<Event, Result> extends AsyncIterable<Event> {
  /** Settles when it has ended and everything it opened is closed. */
  readonly result: Promise<Result>;
  /** Asks it to stop and waits until it has; never rejects. */
  stop(): Promise<void>;
}

/** Events kept for an iterator that comes late or is slow; the oldest are dropped. */
const EVENT_BACKLOG = 4096;

/**
 * Runs `body` until it returns. Every iterator sees the events from when it was asked for; the
 * first also those before. An iterator ends with the run, and throws what the run threw.
 */
export function start<Event, Result>(
  body: (emit: (event: Event) => void, signal: AbortSignal) => Promise<Result>,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onEvent?: ((event: Event) => void) | undefined;
  } = {},
): Running<Event, Result> {
  const stopping = new AbortController();
  const { signal, onEvent } = options;
  const forward = () => stopping.abort(signal === undefined ? undefined : abortError(signal));
  if (signal?.aborted) forward();
  else signal?.addEventListener('abort', forward, { once: true });

  const backlog: Event[] = [];
  let first = true;
  let ended = false;
  const readers = new Set<{ queue: Event[]; wake: () => void }>();
  const push = (queue: Event[], event: Event) => {
    if (queue.length >= EVENT_BACKLOG) queue.shift();
    queue.push(event);
  };
  const emit = (event: Event) => {
    onEvent?.(event);
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
