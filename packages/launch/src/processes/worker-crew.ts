import type { WorkerObserver } from '@tutti/coordinator';
import { type Clock, TuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import { LAST_CHANCE_MS } from '../tunables.js';
import { type Child, withoutLastLines } from './child.js';

/** Ends that another process may be spared: a program that is wrong is wrong again. */
const WORTH_ANOTHER_TRY: readonly string[] = ['CHILD_DIED', 'PEER_LOST', 'DEADLINE'];

/** The worker processes of a run: those that die or hang are replaced, as often as is allowed. */
export interface WorkerCrew {
  start(name: string): void;
  /** For the coordinator: a worker that it has lost is ended, and nobody is replaced once its job has. */
  readonly observer: WorkerObserver;
}

interface Entry {
  readonly child: Child;
  /** Whether the coordinator has it. */
  present: boolean;
  /** Whether it has joined at least once. */
  joined: boolean;
  /** Why it was ended. */
  lost?: string;
}

export function createWorkerCrew(init: {
  readonly startWorker: (name: string) => Child;
  readonly maxRestarts: number;
  /** Whether the run may wait for others, or go on without, when one is not replaced. */
  readonly spareable: boolean;
  /** What else is lost with a worker, and what to do: said where its end is that of the run. */
  readonly lostToo?: string | undefined;
  readonly emit: (event: RunEvent) => void;
  /** The run cannot go on. */
  readonly fail: (error: TuttiError) => void;
  readonly clock: Clock;
}): WorkerCrew {
  const { clock, startWorker, maxRestarts, spareable, lostToo, emit, fail } = init;
  const living = new Map<string, Entry>();
  let restarts = 0;
  let started = false;
  let over = false;

  function start(name: string) {
    const entry: Entry = { child: startWorker(name), present: false, joined: false };
    living.set(name, entry);
    void entry.child.exited.then((death) => {
      if (over) return;
      living.delete(name);
      if (death === undefined) return;
      const error = entry.lost === undefined ? death : ended(entry.child, entry.lost);
      if (WORTH_ANOTHER_TRY.includes(error.code) && restarts < maxRestarts)
        return restart(name, error);
      // All are awaited before the first step.
      if (!started || !spareable) return fail(withLoss(error));
      emit(warningOf(error));
    });
  }

  function restart(name: string, { message }: TuttiError) {
    restarts++;
    const reason = withoutLastLines(message);
    emit({ event: 'worker-restarted', worker: name, reason, restarts, maxRestarts });
    start(name);
  }

  function withLoss(error: TuttiError): TuttiError {
    const { code, message, remedy, details } = error;
    if (lostToo === undefined || !started || !WORTH_ANOTHER_TRY.includes(code)) return error;
    return new TuttiError(code, message, { remedy: `${remedy} ${lostToo}`, cause: error, details });
  }

  return {
    start,
    observer: {
      started() {
        started = true;
      },
      ended() {
        over = true;
      },
      starting: () => [...living.values()].some(({ joined }) => !joined),
      joined(worker) {
        const entry = living.get(worker);
        if (entry === undefined) return;
        entry.present = true;
        entry.joined = true;
      },
      lost(worker, reason) {
        const entry = living.get(worker);
        // One that has not joined yet is the next of that name.
        if (entry === undefined || !entry.present) return;
        entry.present = false;
        clock.after(LAST_CHANCE_MS, () => {
          if (over || entry.present || living.get(worker) !== entry) return;
          entry.lost = reason;
          entry.child.kill();
        });
      },
    },
  };
}

function ended({ name, pid }: Child, reason: string): TuttiError {
  return new TuttiError('DEADLINE', `${name} (pid ${pid}) was lost and ended: ${reason}`, {
    remedy:
      'See what it was doing. --max-restarts replaces it; --progress-deadline-ms is patience.',
    details: { worker: name, pid },
  });
}
