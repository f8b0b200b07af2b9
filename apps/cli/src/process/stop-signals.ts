import type { Clock, Timer } from '@tutti/runtime';
import { ORDERLY_END_MS, SAME_SIGNAL_MS } from '../tunables.js';

/** What asks a process to end, and the number that its exit code has above 128. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGPIPE: 13, SIGTERM: 15 } as const;

export type StopSignal = keyof typeof NUMBERS;

/** What signals do: the first one asks, the second one ends. */
export interface StopSignals {
  receive(name: StopSignal): void;
  /** Aborts when everything is to end now. */
  readonly signal: AbortSignal;
  /**
   * What the first signal does instead of aborting; it returns false for a signal that it leaves.
   * @param lastWords what is said before the process is ended
   */
  onStop(instead: (name: StopSignal) => boolean, lastWords?: () => void): void;
  /** The first that was received. */
  stoppedBy(): StopSignal | undefined;
}

/** @param init.exit ends the process at once */
export function createStopSignals(init: {
  readonly clock: Clock;
  readonly exit: (code: number) => void;
  /** Said before it where the command has no words of its own. */
  readonly lastWords: () => void;
  /** Whether a first signal waits until the command says what it does instead, but for Ctrl-C. */
  readonly held?: boolean;
}): StopSignals {
  const { clock, exit } = init;
  let held = init.held === true;
  const stopping = new AbortController();
  let instead: (name: StopSignal) => boolean = () => false;
  let { lastWords } = init;
  let first: { readonly name: StopSignal; readonly at: number } | undefined;
  let force: Timer | undefined;

  function end(name: StopSignal) {
    force?.cancel();
    lastWords();
    exit(exitCodeOfSignal(name));
  }

  return {
    receive(name) {
      if (first === undefined) {
        first = { name, at: clock.now() };
        if (held && name !== 'SIGINT') return;
        if (instead(name)) return;
        stopping.abort();
        force = clock.after(ORDERLY_END_MS, () => end(name));
        return;
      }
      // Nobody closes a terminal or a pipe twice to say that it is urgent.
      if (name === 'SIGHUP' || name === 'SIGPIPE' || clock.now() - first.at < SAME_SIGNAL_MS)
        return;
      end(name);
    },
    signal: stopping.signal,
    onStop(given, words = init.lastWords) {
      instead = given;
      lastWords = words;
      const waiting = held && first !== undefined && first.name !== 'SIGINT';
      held = false;
      if (waiting && !instead(first!.name)) stopping.abort();
    },
    stoppedBy: () => first?.name,
  };
}

/** As a shell tells of a process that a signal ended. */
export const exitCodeOfSignal = (name: StopSignal): number => 128 + NUMBERS[name];
