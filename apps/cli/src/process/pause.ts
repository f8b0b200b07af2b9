import { abortError, type Clock } from '@tutti/runtime';

/** Resolves after a while; rejects as soon as the signal aborts. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  // Unnamed wait: it is the pause between two answers.
  return new Promise((resolve, reject) => {
    const stop = () => {
      timer.cancel();
      reject(abortError(signal));
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}
