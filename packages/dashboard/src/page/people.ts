import { formatCount, formatDuration, formatRange, formatRanges } from '@tutti/telemetry/internal';
import type { View, WorkerView } from '../view.js';
import { fill, find, make } from './dom.js';
import { laneOf, presence } from './lanes.js';
import type { Store } from './store.js';
import { orDash } from './text.js';

/** More squares than these say less than their numbers. */
const MOST_SQUARES = 32;

const heard = (ms: number | undefined) =>
  ms === undefined ? '–' : ms < 1000 ? 'just now' : `${formatDuration(ms)} ago`;

/** Workers and servers: who they are, what they hold, and when they were heard. */
export function showPeople({ view }: Store, now: number): void {
  const { workers, servers } = view;
  const box = find('#workers .wide');
  find('#workers').hidden = workers.length === 0 && (view.over || view.startedAt !== null);
  fill(box, JSON.stringify([workers, view.endedAt ?? Math.floor(now / 1000)]), () => [
    workers.length === 0
      ? make('p', { class: 'nobody' }, 'Nobody has joined yet.')
      : workerTable(view, now),
  ]);
  find('#servers').hidden = servers.length === 0;
  fill(find('#servers .wide'), JSON.stringify(servers), () => [serverTable(view)]);
}

function workerTable(view: View, now: number): HTMLTableElement {
  // When a run is over, nobody says any more what they hold.
  const told = !view.over || view.workers.some(({ shards }) => shards !== undefined);
  const head: (readonly [name: string, kind: string])[] = [
    ['worker', ''],
    ['took part', ''],
    ...(told
      ? ([
          ['shards', ''],
          ['examples/s', 'number'],
          ['last heard', ''],
          ['is waited for to', 'optional'],
        ] as const)
      : ([['for', '']] as const)),
  ];
  return table(
    head,
    view.workers.map((worker) => (told ? workerRow : pastRow)(worker, view, now)),
  );
}

function workerRow(worker: WorkerView, view: View, now: number): HTMLTableRowElement {
  const { name, host, pid, shards, examplesPerSecond, heardMs, awaited, here } = worker;
  const where = host === undefined ? '' : `${host}, pid ${pid}`;
  return make(
    'tr',
    here || view.over ? {} : { class: 'gone' },
    make('th', { scope: 'row', ...(where && { title: where }) }, name),
    make('td', {}, laneOf(worker, view, now)),
    shardCell(shards, view.shards, here),
    make('td', { class: 'number' }, orDash(examplesPerSecond, formatCount)),
    make('td', {}, here ? heard(heardMs) : view.over ? '' : 'gone'),
    make('td', { class: 'say optional' }, awaited ?? ''),
  );
}

function pastRow(worker: WorkerView, view: View, now: number): HTMLTableRowElement {
  return make(
    'tr',
    {},
    make('th', { scope: 'row' }, worker.name),
    make('td', { class: 'most' }, laneOf(worker, view, now)),
    make('td', {}, formatDuration(presence(worker, view, now).ms)),
  );
}

function shardCell(shards: readonly number[] | undefined, all: number, here: boolean) {
  if (shards === undefined) return make('td', {}, here ? '–' : '');
  const cell = make('td', {});
  if (all <= MOST_SQUARES) {
    const squares = make('span', { class: 'shards', 'aria-hidden': 'true' });
    for (let shard = 0; shard < all; shard++)
      squares.append(make('i', shards.includes(shard) ? { class: 'own' } : {}));
    cell.append(squares);
  }
  cell.append(formatRanges(shards));
  return cell;
}

function serverTable({ servers }: View): HTMLTableElement {
  return table(
    [
      ['server', ''],
      ['role', ''],
      ['chunks', 'optional'],
      ['version', 'number'],
      ['last heard', ''],
      ['is waited for to', 'optional'],
    ],
    servers.map(({ address, hostedBy, role, firstChunk, chunks, version, heardMs, awaited }) =>
      make(
        'tr',
        role === 'lost' ? { class: 'gone' } : {},
        make('th', { scope: 'row' }, hostedBy === undefined ? address : `${address} (${hostedBy})`),
        make('td', {}, role),
        make('td', { class: 'optional' }, formatRange(firstChunk, firstChunk + chunks - 1)),
        make('td', { class: 'number' }, orDash(version, formatCount)),
        make('td', {}, role === 'lost' ? 'lost' : heard(heardMs)),
        make('td', { class: 'say optional' }, awaited ?? ''),
      ),
    ),
  );
}

export function table(
  head: readonly (readonly [name: string, kind: string])[],
  rows: readonly HTMLTableRowElement[],
): HTMLTableElement {
  const names = head.map(([name, kind]) => {
    return make('th', { scope: 'col', class: kind }, name);
  });
  return make('table', {}, make('thead', {}, make('tr', {}, ...names)), make('tbody', {}, ...rows));
}
