import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { type Clock, systemClock, type Timer } from '@tutti/runtime';
import { createTimeLeft, type RunEvent } from '@tutti/telemetry';
import { createCallsInOrder } from './calls-in-order.js';
import type { Tracker } from './tensorboard.js';
import {
  KUBEFLOW_ANSWER_MS,
  KUBEFLOW_MOST_LETTERS,
  KUBEFLOW_MOST_METRICS,
  KUBEFLOW_PAUSE_MS,
} from './tunables.js';

/** Where the Kubeflow Trainer is told of a TrainJob, as it says itself in the environment of its pods. */
export interface KubeflowServer {
  readonly url: string;
  /** The file with the certificate that it is known by; that of a public authority if absent. */
  readonly caFile?: string | undefined;
  /** The file with the token by which it knows us. It is replaced while the run goes on. */
  readonly tokenFile?: string | undefined;
}

/** Undefined where there is no Trainer, or its feature gate TrainJobStatus is off. */
export function kubeflowServer(
  environment: Readonly<Record<string, string | undefined>>,
): KubeflowServer | undefined {
  const url = environment.KUBEFLOW_TRAINER_SERVER_URL;
  if (!url) return undefined;
  return {
    url,
    caFile: environment.KUBEFLOW_TRAINER_SERVER_CA_CERT,
    tokenFile: environment.KUBEFLOW_TRAINER_SERVER_TOKEN,
  };
}

/**
 * Tells the Kubeflow Trainer how far a run is, how long it will take and its numbers, so that
 * `kubectl get trainjob -o yaml` shows them (Kubeflow's KEP-2779). Only what is latest counts there, so it is
 * told every few seconds, and at the end. What goes wrong is a warning, once.
 */
export function createKubeflow(init: {
  readonly server: KubeflowServer;
  readonly emit: (event: RunEvent) => void;
  readonly clock?: Clock;
}): Tracker {
  const { server, emit, clock = systemClock } = init;
  const timeLeft = createTimeLeft(clock);
  const numbers = new Map<string, number>();
  let [step, total] = [0, 0];
  let [done, news] = [false, false];
  let at = 0;
  let timer: Timer | undefined;
  const { next, done: allTold } = createCallsInOrder({
    server: `The Kubeflow Trainer at ${server.url}`,
    remedy:
      'See what its controller says; the training goes on without it. Without KUBEFLOW_TRAINER_SERVER_URL it is not told.',
    emit,
  });

  function status() {
    const leftMs = done ? 0 : timeLeft.estimateMs();
    const metrics = [...numbers]
      .filter(([name]) => name.length > 0 && name.length <= KUBEFLOW_MOST_LETTERS)
      .map(([name, value]) => ({ name, value: String(value) }));
    return {
      // Not all before it is: the model is still to be saved.
      progressPercentage: done ? 100 : Math.min(99, Math.floor((100 * step) / Math.max(1, total))),
      ...(leftMs !== undefined && { estimatedRemainingSeconds: Math.round(leftMs / 1000) }),
      metrics: metrics.slice(0, KUBEFLOW_MOST_METRICS),
      lastUpdatedTime: new Date(at).toISOString(),
    };
  }

  async function send() {
    if (!news) return;
    news = false;
    const { url, caFile, tokenFile } = server;
    const [ca, token] = await Promise.all(
      // Unnamed wait: small files of this pod.
      [caFile, tokenFile].map((file) => (file ? readFile(file, 'utf8') : undefined)),
    );
    // Unnamed wait: it has a limit of its own.
    await post(url, JSON.stringify({ trainerStatus: status() }), ca, token?.trim());
  }

  function tellNow() {
    timer?.cancel();
    timer = undefined;
    next(send);
  }

  function hear(values: Readonly<Record<string, number>>) {
    for (const [name, value] of Object.entries(values))
      if (Number.isFinite(value)) numbers.set(name, value);
    news = true;
    timer ??= clock.after(KUBEFLOW_PAUSE_MS, tellNow);
  }

  return {
    listen(event) {
      ({ at } = event);
      if (event.event === 'started') {
        total = event.steps;
        step = event.resumed?.step ?? 0;
        timeLeft.update(step, total);
        hear({});
        tellNow();
      }
      if (event.event === 'step') {
        ({ step } = event);
        timeLeft.update(step, total);
        hear({ loss: event.loss, ...event.metrics });
      }
      if (event.event === 'epoch' && event.evaluation !== undefined) {
        const { loss, metrics } = event.evaluation;
        const named = Object.entries({ loss, ...metrics });
        hear(Object.fromEntries(named.map(([name, value]) => [`evaluation_${name}`, value])));
      }
      if (event.event === 'finished') {
        done = true;
        hear({});
      }
    },
    async close() {
      tellNow();
      // Unnamed wait: the caller races it.
      await allTold();
    },
  };
}

/** `fetch` takes no certificate. */
function post(
  url: string,
  body: string,
  ca: string | undefined,
  token: string | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const signal = AbortSignal.timeout(KUBEFLOW_ANSWER_MS);
    const call = request(url, { method: 'POST', headers, signal, ...(ca && { ca }) });
    call.on('error', reject);
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        if (text.length < 300) text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`${statusCode} ${text.slice(0, 300)}`));
      });
    });
    call.end(body);
  });
}
