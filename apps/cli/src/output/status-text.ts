import type { JobStatus, ServerStatus, WorkerStatus } from '@tutti/protocol';
import {
  formatCount,
  formatDuration,
  formatLoss,
  formatMetrics,
  formatRange,
  formatRanges,
} from '@tutti/telemetry';
import { type Column, table } from './table.js';

/** The status of a job for a reader: how far it is, who takes part, who is waited for. */
export function statusText(status: JobStatus, { colour = false } = {}): string {
  const strong = (text: string) => (colour ? `\x1b[1m${text}\x1b[22m` : text);
  const workers = `workers: ${status.workers.length}, the job starts with ${status.startsWith}`;
  return [
    strong(headline(status)),
    numbers(status),
    '',
    strong(workers),
    ...table(status.workers, WORKER_COLUMNS),
    '',
    strong('servers'),
    ...table(status.servers, serverColumns(status)),
    '',
    ...(status.waits.length === 0 ? ['nobody is waited for'] : status.waits.flatMap(waitLines)),
  ].join('\n');
}

function headline({ job, program, phase, step, steps, epoch, epochs, runningMs }: JobStatus) {
  const far =
    steps === 0
      ? 'no plan yet'
      : `step ${formatCount(step)} of ${formatCount(steps)}, epoch ${epoch} of ${epochs}`;
  const what = program === undefined ? `job ${job}` : `${program} (job ${job})`;
  return `${what}: ${phase}, ${far}, for ${formatDuration(runningMs)} now`;
}

function numbers(status: JobStatus): string {
  const { loss, metrics = {}, examplesPerSecond, storedParameters, shards } = status;
  return [
    loss === undefined ? '' : `loss ${formatLoss(loss)}`,
    formatMetrics(metrics),
    examplesPerSecond === undefined ? '' : `${formatCount(examplesPerSecond)} examples/s`,
    `${formatCount(storedParameters)} stored parameters`,
    `${formatCount(shards)} shards`,
  ]
    .filter(Boolean)
    .join(', ');
}

function waitLines({ who, what, sinceMs, remedy, deadlineMs }: JobStatus['waits'][number]) {
  const end =
    deadlineMs === undefined ? '' : ` (the job ends after ${formatDuration(deadlineMs)} of it)`;
  return [`waiting for ${who} to ${what}, for ${formatDuration(sinceMs)} now${end}`, `  ${remedy}`];
}

const ago = (ms: number | undefined) => (ms === undefined ? 'never' : `${formatDuration(ms)} ago`);
const counted = (value: number | undefined) => (value === undefined ? '-' : formatCount(value));

const HOSTS: readonly Column<ServerStatus>[] = [['process of', ({ hostedBy = '-' }) => hostedBy]];

const WORKER_COLUMNS: readonly Column<WorkerStatus>[] = [
  ['name', ({ name }) => name],
  ['host', ({ host }) => host],
  ['pid', ({ pid }) => String(pid)],
  ['shards', ({ shards }) => formatRanges(shards)],
  ['examples/s', ({ examplesPerSecond }) => counted(examplesPerSecond)],
  ['last heard', ({ heardMs }) => ago(heardMs)],
  ['is waited for to', ({ awaited = '' }) => awaited],
];

const serverColumns = ({ servers }: JobStatus): readonly Column<ServerStatus>[] => [
  ['address', ({ address }) => address],
  ...(servers.some(({ hostedBy }) => hostedBy !== undefined) ? HOSTS : []),
  ['role', ({ role }) => role],
  ['chunks', ({ firstChunk, chunks }) => formatRange(firstChunk, firstChunk + chunks - 1)],
  ['version', ({ version }) => counted(version)],
  ['last heard', ({ heardMs }) => ago(heardMs)],
  ['is waited for to', ({ awaited = '' }) => awaited],
];
