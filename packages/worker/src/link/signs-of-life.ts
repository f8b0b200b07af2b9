import { SIGN_OF_LIFE_MS } from '@tutti/protocol';
import type { Clock, Timer } from '@tutti/runtime';
import type { Enrolment } from './enrolment.js';

/**
 * Has a worker that waits for weights say so, or it is taken for one that hangs. While the program
 * computes, nothing is said here: if that never ends, it must show.
 */
export interface SignsOfLife {
  /**
   * It waits for this version from now on: says so whenever nothing else was said for a while.
   * @returns what ends that
   */
  begin(version: number): () => void;
}

export function createSignsOfLife(init: {
  readonly enrolment: Pick<Enrolment, 'spokeAt' | 'send'>;
  readonly clock: Clock;
}): SignsOfLife {
  const { enrolment, clock } = init;
  return {
    begin(version) {
      const say = () => enrolment.send({ type: 'waiting', version });
      // Many waits can be too short for the timer, and have nothing done between them.
      if (clock.now() - enrolment.spokeAt() >= SIGN_OF_LIFE_MS) say();
      let timer: Timer;
      const arm = () => {
        timer = clock.after(SIGN_OF_LIFE_MS, () => {
          say();
          arm();
        });
      };
      arm();
      return () => timer.cancel();
    },
  };
}
