import { appendFile, readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  ensureFolder,
  type Stamped,
  systemClock,
  type Timer,
  toTuttiError,
} from '@tutti/runtime';
import { type RunEvent, type StartedEvent, warningOf } from '@tutti/telemetry';
import { framed, recordsOf } from './records.js';
import {
  scalarsEvent,
  sessionEndEvent,
  sessionStartEvent,
  stepOf,
  versionEvent,
} from './tensorboard-events.js';
import { FLUSH_MS } from './tunables.js';

/** Who keeps a run somewhere. */
export interface Tracker {
  listen(event: Stamped<RunEvent>): void;
  /** Resolves once what was heard is kept. */
  close(): Promise<void>;
}

/** Before the names of what was evaluated. */
const EVALUATION = 'evaluation/';

const FILE = /^events\.out\.tfevents\./;

/**
 * Writes a run's numbers as event files of TensorBoard, into a folder of its own in `directory`: those of
 * each step and of evaluations, what it was begun with, and how it ended. No step is there twice: what a
 * run computes again after a crash is cut off of the files first.
 * @param init.emit is told once, as a warning, that nothing can be written
 * @param init.host is part of the file's name, as the process id is
 */
export function createTensorboard(init: {
  readonly directory: string;
  readonly host: string;
  readonly pid: number;
  readonly emit: (event: RunEvent) => void;
  readonly clock?: Clock;
}): Tracker {
  const { directory, host, pid, emit, clock = systemClock } = init;
  let run: { readonly folder: string; readonly file: string } | undefined;
  let failed = false;
  let waiting: Uint8Array[] = [];
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** The last step that was told; what is not later is a second time. */
  let last: number | undefined;

  /** What is done, is done in order; an error ends it. */
  function next(work: () => Promise<void>) {
    writing = writing.then(async () => {
      if (failed) return;
      await work();
    });
    writing = writing.catch((thrown: unknown) => {
      failed = true;
      const what = `Nothing more is written for TensorBoard in ${directory}`;
      emit(
        warningOf(toTuttiError(thrown, 'STORAGE', what, 'Make room, or choose another folder.')),
      );
    });
  }

  function flush() {
    timer?.cancel();
    timer = undefined;
    const events = waiting;
    waiting = [];
    const { folder, file } = run ?? {};
    if (folder === undefined || file === undefined || events.length === 0) return;
    next(async () => {
      await ensureFolder(folder);
      await appendFile(join(folder, file), Buffer.concat(events.map(framed)));
    });
  }

  function write(...events: Uint8Array[]) {
    if (run === undefined) return;
    waiting.push(...events);
    timer ??= clock.after(FLUSH_MS, flush);
  }

  function begin(event: Stamped<StartedEvent>) {
    const { at, job, program = job, hyperparameters = {} } = event;
    flush();
    const folder = join(directory, `${program.replace(/[^\w.-]+/g, '-')}-${job.slice(0, 8)}`);
    const seconds = Math.floor(at / 1000);
    run = { folder, file: `events.out.tfevents.${seconds}.${host}.${pid}.tutti` };
    last = undefined;
    write(versionEvent(at), sessionStartEvent(at, job, hyperparameters));
  }

  /** The scalars of a step, after those that another process, or this one, has told of it are gone. */
  function tell(at: number, step: number, scalars: Readonly<Record<string, number>>) {
    if (run === undefined) return;
    const { folder } = run;
    if (last === undefined || step <= last) {
      flush();
      next(() => cutFrom(folder, step));
    }
    last = step;
    write(scalarsEvent(at, step, scalars));
  }

  /** Those of an evaluation, which follows a step; who goes on from a checkpoint evaluates that again. */
  function tellEvaluation(at: number, step: number, scalars: Readonly<Record<string, number>>) {
    if (run === undefined) return;
    const { folder, file } = run;
    const event = scalarsEvent(at, step, scalars);
    if (last === step) return write(event);
    flush();
    last = step;
    next(async () => {
      // Unnamed wait: the caller races it.
      await cutFrom(folder, step + 1);
      // Unnamed wait: the caller races it.
      if (await isEvaluated(folder, step)) return;
      // Unnamed wait: the caller races it.
      await appendFile(join(folder, file), framed(event));
    });
  }

  return {
    listen(event) {
      const { at } = event;
      if (event.event === 'started') begin(event);
      if (event.event === 'step') {
        const { step, epoch, loss, metrics, examplesPerSecond } = event;
        const speed = { examples_per_second: examplesPerSecond };
        tell(at, step, { loss, ...metrics, ...speed, epoch });
      }
      if (event.event === 'epoch' && event.evaluation !== undefined) {
        const { loss, metrics } = event.evaluation;
        const named = Object.entries({ loss, ...metrics }).map(([name, mean]) => [
          `${EVALUATION}${name}`,
          mean,
        ]);
        tellEvaluation(at, event.step, Object.fromEntries(named));
      }
      if (event.event === 'finished' || event.event === 'failed') {
        write(sessionEndEvent(at, event.event === 'finished'));
        flush();
      }
    },
    async close() {
      flush();
      // Unnamed wait: the caller races it.
      await writing;
    },
  };
}

/** The files of a run. */
async function filesOf(folder: string): Promise<string[]> {
  // Unnamed wait: the caller races it.
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => FILE.test(name)).map((name) => join(folder, name));
}

/** Takes the events of a step, and of all that came after it, out of the files of a run. */
async function cutFrom(folder: string, step: number): Promise<void> {
  // Unnamed wait: the caller races it.
  for (const path of await filesOf(folder)) {
    // Unnamed wait: the caller races it.
    for (const { start, content } of recordsOf(await readFile(path))) {
      if (stepOf(content) < step) continue;
      // Unnamed wait: the caller races it.
      await truncate(path, start);
      break;
    }
  }
}

async function isEvaluated(folder: string, step: number): Promise<boolean> {
  // Unnamed wait: the caller races it.
  // Unnamed wait: the caller races it.
  for (const path of await filesOf(folder))
    for (const { content } of recordsOf(await readFile(path)))
      if (stepOf(content) === step && Buffer.from(content).includes(EVALUATION)) return true;
  return false;
}
