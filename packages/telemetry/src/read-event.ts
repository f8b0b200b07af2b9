import { isRecord, type Stamped } from '@tutti/runtime';
import type { RunEvent } from './events.js';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
/** JSON has no NaN: it becomes null. */
const real: Check = (value) => value === null || number(value);
const flag: Check = (value) => typeof value === 'boolean';
const list: Check = (value) => Array.isArray(value);
const metrics: Check = (value) => isRecord(value) && Object.values(value).every(real);
const path: Check = (value) => value === null || text(value);

/** What must be there of each event for it to be used; what may be absent is looked at where it is. */
const FIELDS: { readonly [Name in RunEvent['event']]: Readonly<Record<string, Check>> } = {
  listening: { address: text },
  started: { workers: number, servers: number, shards: number, steps: number },
  weights: { elements: number, stored: number, weights: list },
  step: { step: number, epoch: number, loss: real, metrics, examples: number, stepMs: real },
  epoch: { epoch: number, step: number, loss: real, metrics },
  'learning-rate': { step: number, epoch: number, factor: number },
  'early-stop': { step: number, epoch: number, monitor: text },
  'worker-joined': { worker: text, workers: number },
  'worker-left': { worker: text, reason: text, politely: flag, workers: number },
  'worker-restarted': { worker: text, reason: text, restarts: number, maxRestarts: number },
  'worker-excluded': { worker: text, step: number },
  'server-caught-up': { address: text, step: number, ms: number },
  waiting: { who: text, what: text, sinceMs: number, remedy: text },
  checkpoint: { step: number, path: text },
  warning: { code: text, message: text, remedy: text },
  finished: { steps: number, examples: number, loss: real, metrics, digest: text, modelPath: path },
  failed: { code: text, message: text, remedy: text, details: isRecord },
};

/** An event as it was written or sent, numbers that JSON does not have restored; undefined if it is none. */
export function readEvent(event: unknown): Stamped<RunEvent> | undefined {
  if (!isRecord(event)) return undefined;
  const fields = Object.hasOwn(FIELDS, String(event.event))
    ? FIELDS[event.event as RunEvent['event']]
    : undefined;
  if (fields === undefined || !number(event.at)) return undefined;
  if (!Object.entries(fields).every(([name, check]) => check(event[name]))) return undefined;
  return restored(event) as unknown as Stamped<RunEvent>;
}

const REALS = ['loss', 'examplesPerSecond', 'stepMs', 'wireBytesPerStep'];

function restored(event: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...event };
  for (const name of REALS) if (copy[name] === null) copy[name] = Number.NaN;
  if (isRecord(copy.metrics))
    copy.metrics = Object.fromEntries(
      Object.entries(copy.metrics).map(([name, mean]) => [name, mean ?? Number.NaN]),
    );
  if (isRecord(copy.evaluation)) copy.evaluation = restored(copy.evaluation);
  return copy;
}
