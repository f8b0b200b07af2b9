import type { ShardReport } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';

/** Whoever computes for longer says in between that it goes on. */
export const SIGN_OF_LIFE_MS = 1000;

/** Gathers what is to be reported: told in the end, or earlier if that takes long. */
export interface Speaker {
  add(report: ShardReport): void;
  /** Something was done, if only a part of what is reported. */
  goesOn(): void;
  /** Tells what has not been told. */
  finish(): void;
}

export function createSpeaker(
  clock: Clock,
  tell: (reports: readonly ShardReport[]) => void,
): Speaker {
  let reports: ShardReport[] = [];
  let spoke = clock.now();

  const speaker: Speaker = {
    add(report) {
      reports.push(report);
      speaker.goesOn();
    },
    goesOn() {
      if (clock.now() - spoke >= SIGN_OF_LIFE_MS) speaker.finish();
    },
    finish() {
      tell(reports);
      reports = [];
      spoke = clock.now();
    },
  };
  return speaker;
}
