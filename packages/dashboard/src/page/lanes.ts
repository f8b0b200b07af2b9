import { formatDuration } from '@tutti/telemetry/internal';
import type { View, WorkerView } from '../view.js';
import { make } from './dom.js';

/** How long a worker took part, within the time that the run has had. */
export function presence({ spans }: WorkerView, view: View, now: number) {
  const from = view.startedAt ?? Math.min(now, ...spans.map((span) => span.from));
  const to = Math.max(view.endedAt ?? now, from + 1000);
  const within = (at: number) => Math.min(to, Math.max(from, at));
  const ms = spans.reduce((sum, span) => sum + within(span.to ?? to) - within(span.from), 0);
  return { from, to, within, ms };
}

/** When a worker took part, from the beginning of the run to now: a bar for each stretch. */
export function laneOf(worker: WorkerView, view: View, now: number): HTMLElement {
  const { from, to, within, ms } = presence(worker, view, now);
  const share = (at: number) => (within(at) - from) / (to - from);
  const label = `${formatDuration(ms)}${worker.here || view.over ? '' : ', gone now'}`;
  const lane = make('div', { class: 'lane', role: 'img', 'aria-label': label, title: label });
  for (const span of worker.spans) {
    // The end of the run is nobody's loss.
    const lost = span.to !== null && span.to < (view.endedAt ?? Number.POSITIVE_INFINITY);
    const bar = make('i', lost ? { class: 'ended' } : {});
    bar.style.left = `${100 * share(span.from)}%`;
    bar.style.width = `${100 * (share(span.to ?? to) - share(span.from))}%`;
    lane.append(bar);
  }
  return lane;
}
