import type { JobStatus } from '@tutti/protocol';
import type { Clock, Stamped } from '@tutti/runtime';
import {
  createTimeLeft,
  type EpochEvent,
  type FailedEvent,
  type FinishedEvent,
  loadingCode,
  type Metrics,
  type RunEvent,
  type StartedEvent,
  type StepEvent,
  type WeightsEvent,
} from '@tutti/telemetry';
import { createCrew } from './crew.js';
import { createCurves, finite, type RunCurves } from './curves.js';
import { markOf } from './marks.js';
import { MOST_EPOCHS, MOST_MARKS } from './tunables.js';
import type { EpochView, Mark, Numbers, RunPhase, View, WaitView } from './view.js';

/** Phases of a coordinator before the first step. */
const STARTING: readonly RunPhase[] = [
  'looking for servers',
  'gathering workers',
  'opening servers',
];

/** What is known of a run, from its events and from what its coordinator says: bounded, however long it is. */
export interface RunHistory {
  event(event: Stamped<RunEvent>): void;
  /** What the coordinator at `address` says of itself now; undefined if it does not answer. */
  status(address: string, status: JobStatus | undefined): void;
  /** There are no more events than those. */
  complete(): void;
  readonly curves: RunCurves;
  view(): View;
  /** Counts what has changed: to send nothing where nothing has. */
  changes(): number;
}

/** @param init.program what it is called before it has said so itself */
export function createRunHistory(init: {
  readonly clock: Clock;
  readonly program?: string | undefined;
}): RunHistory {
  const { clock } = init;
  const curves = createCurves();
  const crew = createCrew();
  const timeLeft = createTimeLeft(clock);
  const marks: Mark[] = [];
  let faults = 0;
  let epochs: EpochView[] = [];
  let waiting: (WaitView & { readonly mark: number })[] = [];
  let started: Stamped<StartedEvent> | undefined;
  let startedAt: number | undefined;
  let step: StepEvent | undefined;
  let weights: WeightsEvent | undefined;
  let end: Stamped<FinishedEvent | FailedEvent> | undefined;
  let lastAt: number | undefined;
  let job: string | null = null;
  let status: JobStatus | undefined;
  let coordinator: View['coordinator'] = null;
  let cutOff = false;
  let changes = 0;

  function mark(event: Stamped<RunEvent>) {
    const made = markOf(event, { step: step?.step ?? 0, started: started !== undefined });
    if (made === undefined) return;
    // A wait that lasts is told again: it is one mark.
    const same = event.event === 'waiting' ? lasting(event.who, event.what) : undefined;
    const before = marks.findIndex(({ id }) => id === same);
    if (made.tone === 'fault') faults++;
    if (before < 0) marks.push({ ...made, id: changes });
    else marks[before] = { ...made, id: marks[before]!.id, at: marks[before]!.at };
    if (marks.length <= MOST_MARKS) return;
    const quiet = marks.findIndex(({ tone }) => tone === 'quiet');
    marks.splice(Math.max(0, quiet), 1);
  }

  const lasting = (who: string, what: string) =>
    waiting.find((wait) => wait.who === who && wait.what === what)?.mark;

  /** The coordinator's word is from before: its job has begun meanwhile. */
  function begun() {
    const { phase } = status ?? {};
    if (status !== undefined && STARTING.includes(phase!))
      status = { ...status, phase: 'training' };
  }

  function done(event: Stamped<StepEvent>) {
    begun();
    step = event;
    startedAt ??= event.at - (finite(event.stepMs) ?? 0);
    epochs = epochs.filter((each) => each.step < event.step);
    waiting = [];
    curves.add(event, event.at);
    timeLeft.update(event.step, started?.steps);
  }

  function take(event: Stamped<RunEvent>) {
    switch (event.event) {
      case 'started':
        started = event;
        startedAt ??= event.at;
        end = undefined;
        break;
      case 'step':
        done(event);
        break;
      case 'epoch':
        epochs = [...epochs, epochView(event)].slice(-MOST_EPOCHS);
        break;
      case 'weights':
        weights = event;
        break;
      case 'waiting': {
        const wait = { ...event, mark: lasting(event.who, event.what) ?? changes };
        waiting = [...waiting.filter((each) => each.mark !== wait.mark), wait];
        break;
      }
      case 'finished':
      case 'failed':
        end = event;
        waiting = [];
    }
  }

  function phase(): RunPhase {
    if (end?.event === 'finished') return 'finished';
    if (end?.event === 'failed') return end.code === 'ABORTED' ? 'stopped' : 'failed';
    if (cutOff) return 'cut off';
    return status?.phase ?? (started === undefined ? 'starting' : 'training');
  }

  function waits(): readonly WaitView[] {
    const told = waiting.map(({ by, who, what, sinceMs, remedy }) => ({
      ...{ who, what, sinceMs, remedy },
      ...(by === undefined ? {} : { by }),
    }));
    // The coordinator's own word is fresher than what it told.
    if (status === undefined) return told.toSorted((a, b) => Number('by' in a) - Number('by' in b));
    return [...status.waits, ...told.filter(({ by }) => by !== undefined)];
  }

  return {
    curves,
    changes: () => changes,
    event(event) {
      changes++;
      job = event.job ?? job;
      lastAt = event.at;
      mark(event);
      take(event);
      crew.event(event);
    },
    status(address, said) {
      changes++;
      const now = clock.wallTime();
      const silentSince = said === undefined ? (coordinator?.silentSince ?? now) : null;
      coordinator = { address, silentSince };
      if (said === undefined || end !== undefined) return;
      status = said;
      if (said.phase !== 'looking for servers') crew.status(said.workers, now);
      timeLeft.update(said.step, said.steps);
    },
    complete() {
      changes++;
      cutOff = end === undefined;
    },
    view(): View {
      const finished = end?.event === 'finished' ? end : undefined;
      const failed = end?.event === 'failed' && end.code !== 'ABORTED' ? end : undefined;
      const over = end !== undefined || cutOff;
      return {
        now: clock.wallTime(),
        program: started?.program ?? status?.program ?? init.program ?? null,
        job: job ?? status?.job ?? null,
        folder: started?.folder ?? null,
        phase: phase(),
        over,
        startedAt: startedAt ?? null,
        endedAt: over ? (end?.at ?? lastAt ?? null) : null,
        leftMs: over ? null : finite(timeLeft.estimateMs()),
        step: Math.max(step?.step ?? 0, over ? 0 : (status?.step ?? 0)),
        steps: started?.steps ?? status?.steps ?? 0,
        epoch: step?.epoch ?? status?.epoch ?? 0,
        epochs: started?.epochs ?? status?.epochs ?? 0,
        loss: finite(step?.loss ?? status?.loss),
        metrics: numbers(step?.metrics ?? status?.metrics ?? {}),
        examplesPerSecond: finite(
          finished?.examplesPerSecond ?? step?.examplesPerSecond ?? status?.examplesPerSecond,
        ),
        examples: step?.examples ?? 0,
        wireBytesPerStep: finite(finished?.wireBytesPerStep ?? status?.wireBytesPerStep),
        shards: started?.shards ?? status?.shards ?? 0,
        storedParameters: started?.storedParameters ?? status?.storedParameters ?? 0,
        hyperparameters: started?.hyperparameters ?? {},
        dataset: started?.dataset ?? null,
        startsWith: status?.startsWith ?? started?.workers ?? null,
        workers: crew.views(),
        servers: status?.servers ?? [],
        waits: over ? [] : waits(),
        marks: [...marks],
        faults,
        epochsDone: epochs,
        weights:
          weights === undefined
            ? null
            : { elements: weights.elements, stored: weights.stored, rows: weights.weights },
        result: finished === undefined ? null : resultView(finished),
        failure:
          failed === undefined
            ? null
            : { code: failed.code, message: failed.message, remedy: failed.remedy },
        coordinator,
      };
    },
  };
}

const numbers = (metrics: Metrics): Numbers =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, finite(value)]));

function epochView({ epoch, step, at, loss, metrics, evaluation }: Stamped<EpochEvent>): EpochView {
  return {
    ...{ epoch, step, at, loss: finite(loss), metrics: numbers(metrics) },
    evaluation:
      evaluation === undefined
        ? null
        : { loss: finite(evaluation.loss), metrics: numbers(evaluation.metrics) },
  };
}

function resultView({ digest, loss, metrics, modelPath }: FinishedEvent) {
  const loading = modelPath === null ? [] : loadingCode(modelPath);
  return { digest, loss: finite(loss), metrics: numbers(metrics), modelPath, loading };
}
