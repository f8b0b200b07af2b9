import type { WorkerStatus } from '@tutti/protocol';
import type { Stamped } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { MOST_SPANS, MOST_WORKERS } from './tunables.js';
import type { WorkerView } from './view.js';

interface Known {
  readonly spans: { from: number; to: number | null }[];
  status?: WorkerStatus | undefined;
}

/** Who took part in a run, and when. */
export interface Crew {
  event(event: Stamped<RunEvent>): void;
  /** What the coordinator says of those who are there at a time. */
  status(workers: readonly WorkerStatus[], at: number): void;
  views(): WorkerView[];
}

export function createCrew(): Crew {
  const crew = new Map<string, Known>();

  const isHere = ({ spans }: Known) => spans.at(-1)?.to === null;

  function come(name: string, at: number) {
    const known = crew.get(name) ?? { spans: [] };
    if (isHere(known)) return;
    known.spans.push({ from: at, to: null });
    if (known.spans.length > MOST_SPANS) known.spans.shift();
    crew.set(name, known);
    if (crew.size <= MOST_WORKERS) return;
    for (const [other, each] of crew) if (!isHere(each)) return void crew.delete(other);
  }

  function go(name: string, at: number) {
    const known = crew.get(name);
    if (known === undefined || !isHere(known)) return;
    known.spans.at(-1)!.to = at;
    known.status = undefined;
  }

  return {
    event(event) {
      if (event.event === 'worker-joined') come(event.worker, event.at);
      if (event.event === 'worker-left' || event.event === 'worker-excluded')
        go(event.worker, event.at);
      if (event.event === 'finished' || event.event === 'failed')
        for (const name of crew.keys()) go(name, event.at);
    },
    status(workers, at) {
      const named = new Map(workers.map((worker) => [worker.name, worker]));
      for (const [name, known] of crew) {
        known.status = named.get(name);
        // Its coordinator was started again, and has not told of it.
        if (known.status === undefined) go(name, at);
      }
      for (const [name, status] of named) {
        come(name, at);
        crew.get(name)!.status = status;
      }
    },
    views: () =>
      [...crew]
        .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
        .map(([name, known]) => {
          const { name: _, ...status } = known.status ?? { name };
          return { ...status, name, here: isHere(known), spans: [...known.spans] };
        }),
  };
}
