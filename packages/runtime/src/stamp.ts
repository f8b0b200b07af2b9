import type { Clock } from './clock.js';

/** An event as it is told: when it happened, and to which job it belongs. */
export type Stamped<Event> = Event & {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Null until it is clear which job it is. */
  readonly job: string | null;
};

/** What an event may say by itself; what it does not say is added. */
export type Stampable<Event> = Event & Partial<Stamped<object>>;

/** Adds the time to events, and the job that the last one named. */
export function createStamp(
  clock: Pick<Clock, 'wallTime'>,
): <Event extends object>(event: Stampable<Event>) => Stamped<Event> {
  let job: string | null = null;
  return <Event extends object>(event: Stampable<Event>) => {
    const { at = clock.wallTime(), job: named, ...rest } = event;
    job = named ?? job;
    // Last, whoever has added them: lines that people look through begin with what happened.
    return { ...rest, at, job } as Stamped<Event>;
  };
}
