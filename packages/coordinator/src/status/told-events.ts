import type { HistoryPart, HistoryPlace } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { MOST_OTHER_EVENTS, MOST_STEP_EVENTS, MOST_TOLD_AT_ONCE } from '../tunables.js';

/** What a coordinator has told of its job, for whoever comes to look at it later. */
export interface ToldEvents {
  tell(event: RunEvent, job: string | null): void;
  /** What somebody does not have yet. Whoever has that of an earlier coordinator gets all. */
  since(place: HistoryPlace): HistoryPart;
}

interface Told {
  readonly number: number;
  readonly event: Readonly<Record<string, unknown>>;
}

export function createToldEvents(clock: Pick<Clock, 'wallTime'>): ToldEvents {
  const begun = clock.wallTime();
  let steps: Told[] = [];
  let others: Told[] = [];
  let next = 0;
  /** One step of so many is kept. */
  let every = 1;
  let stepsSeen = 0;

  return {
    tell(event, job) {
      if (event.event === 'step' && stepsSeen++ % every !== 0) return;
      const told = { number: next++, event: { ...event, at: clock.wallTime(), job } };
      if (event.event === 'step') {
        steps.push(told);
        if (steps.length < MOST_STEP_EVENTS) return;
        steps = steps.filter((_, at) => at % 2 === 0);
        every *= 2;
      } else {
        others.push(told);
        // The first ones say what the run is.
        if (others.length > MOST_OTHER_EVENTS)
          others = [...others.slice(0, 10), ...others.slice(20)];
      }
    },
    since(place) {
      const from = place.begun === begun ? place.next : 0;
      const all = [...steps, ...others]
        .filter(({ number }) => number >= from)
        .sort((a, b) => a.number - b.number);
      const part = all.slice(0, MOST_TOLD_AT_ONCE);
      const more = part.length < all.length;
      return {
        begun,
        next: more ? part.at(-1)!.number + 1 : next,
        more,
        events: part.map(({ event }) => event),
      };
    },
  };
}
