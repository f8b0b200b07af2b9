import { type Clock, type Stamped, systemClock, type Timer } from '@tutti/runtime';
import type { RunEvent, StartedEvent } from '@tutti/telemetry';
import { createCallsInOrder } from './calls-in-order.js';
import type { Tracker } from './tensorboard.js';
import {
  MLFLOW_ANSWER_MS,
  MLFLOW_BATCH,
  MLFLOW_FLUSH_MS,
  MLFLOW_MOST_WAITING,
} from './tunables.js';

interface Metric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/** MLflow takes only names that a file could have. */
const nameOf = (name: string) => name.replace(/[^\p{L}\p{N}_./ -]/gu, '_');

/** What a run of MLflow is found by again. */
const JOB_TAG = 'tutti.job';

/**
 * Tells a run to an MLflow tracking server (REST API 2.0): an experiment by the name of the program, a
 * run by that of the job, what it was begun with, its numbers, how it ended. A job that goes on is the
 * same run there, which is told what is beyond its last step only. What goes wrong is a warning, once.
 * @param init.url of the server, such as http://127.0.0.1:5000
 */
export function createMlflow(init: {
  readonly url: string;
  readonly emit: (event: RunEvent) => void;
  readonly clock?: Clock;
}): Tracker {
  const { emit, clock = systemClock } = init;
  const base = `${init.url.replace(/\/+$/, '')}/api/2.0/mlflow/`;
  let run: { readonly id: string; readonly last: number } | undefined;
  let waiting: Metric[] = [];
  let timer: Timer | undefined;
  const { next, done } = createCallsInOrder({
    server: `MLflow at ${init.url}`,
    remedy: 'See whether it runs there, and what it says; the training goes on without it.',
    emit,
  });

  async function call<T>(path: string, body: object, method = 'POST'): Promise<T> {
    const query = method === 'GET' ? `?${new URLSearchParams(body as Record<string, string>)}` : '';
    const response = await fetch(`${base}${path}${query}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(MLFLOW_ANSWER_MS),
    });
    if (response.ok) return (await response.json()) as T;
    const text = (await response.text()).slice(0, 300);
    throw Object.assign(new Error(`${path}: ${response.status} ${text}`), {
      status: response.status,
    });
  }

  async function experimentOf(name: string): Promise<string> {
    try {
      const asked = { experiment_name: name };
      const found = await call<{ experiment: { experiment_id: string } }>(
        'experiments/get-by-name',
        asked,
        'GET',
      );
      return found.experiment.experiment_id;
    } catch (error) {
      if ((error as { status?: number }).status !== 404) throw error;
      const made = await call<{ experiment_id: string }>('experiments/create', { name });
      return made.experiment_id;
    }
  }

  async function begin(event: Stamped<StartedEvent>) {
    const { at, job, program = job, hyperparameters = {}, folder } = event;
    const experiment = await experimentOf(program);
    const { runs = [] } = await call<{ runs?: FoundRun[] }>('runs/search', {
      experiment_ids: [experiment],
      filter: `tags.\`${JOB_TAG}\` = '${job}'`,
    });
    const [found] = runs;
    if (found !== undefined) {
      const steps = (found.data.metrics ?? []).map(({ step = 0 }) => Number(step));
      run = { id: found.info.run_id, last: Math.max(-1, ...steps) };
      await call('runs/update', { run_id: run.id, status: 'RUNNING' });
      return;
    }
    const tags = { [JOB_TAG]: job, ...(folder === undefined ? {} : { 'tutti.folder': folder }) };
    const made = await call<{ run: FoundRun }>('runs/create', {
      experiment_id: experiment,
      run_name: `${program} ${job.slice(0, 8)}`,
      start_time: at,
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    });
    run = { id: made.run.info.run_id, last: -1 };
    const params = Object.entries(hyperparameters).map(([key, value]) => ({
      key,
      value: String(value),
    }));
    await call('runs/log-batch', { run_id: run.id, params });
  }

  /** The numbers of a job that goes on may be there already. */
  async function send() {
    if (run === undefined) return;
    const { id, last } = run;
    let refused: unknown;
    while (waiting.length > 0) {
      const batch = new Set(waiting.slice(0, MLFLOW_BATCH));
      const metrics = [...batch].filter(({ step }) => step > last);
      try {
        if (metrics.length > 0) await call('runs/log-batch', { run_id: id, metrics });
      } catch (error) {
        // What it has looked at and does not take, it would not take the next time.
        if ((error as { status?: number }).status !== 400) throw error;
        refused = error;
      }
      // Others may have been let go meanwhile.
      waiting = waiting.filter((metric) => !batch.has(metric));
    }
    if (refused !== undefined) throw refused;
  }

  function tell(at: number, step: number, numbers: Readonly<Record<string, number>>) {
    for (const [key, value] of Object.entries(numbers))
      if (Number.isFinite(value)) waiting.push({ key: nameOf(key), value, timestamp: at, step });
    if (waiting.length > MLFLOW_MOST_WAITING) waiting = waiting.slice(-MLFLOW_MOST_WAITING);
    timer ??= clock.after(MLFLOW_FLUSH_MS, () => {
      timer = undefined;
      next(send);
    });
  }

  return {
    listen(event) {
      const { at } = event;
      if (event.event === 'started') next(() => begin(event));
      if (event.event === 'step') {
        const { step, loss, metrics, examplesPerSecond } = event;
        tell(at, step, { loss, ...metrics, examples_per_second: examplesPerSecond });
      }
      if (event.event === 'epoch' && event.evaluation !== undefined) {
        const { loss, metrics } = event.evaluation;
        const named = Object.entries({ loss, ...metrics });
        const test = named.map(([name, value]) => [`evaluation_${name}`, value]);
        tell(at, event.step, Object.fromEntries(test));
      }
      if (event.event === 'finished' || event.event === 'failed') {
        next(send);
        next(async () => {
          if (run === undefined) return;
          const stopped = event.event === 'failed' && event.code === 'ABORTED';
          const status = event.event === 'finished' ? 'FINISHED' : stopped ? 'KILLED' : 'FAILED';
          await call('runs/update', { run_id: run.id, status, end_time: at });
        });
      }
    },
    async close() {
      timer?.cancel();
      next(send);
      // Unnamed wait: the caller races it.
      await done();
    },
  };
}

interface FoundRun {
  readonly info: { readonly run_id: string };
  readonly data: { readonly metrics?: readonly { readonly step?: number | string }[] };
}
