import { resolve } from 'node:path';
import type { Settings } from '@tutti/config';
import type { Output } from '../output/output.js';

/** Says at the end of a run where its timeline is, if one was asked for. */
export function announceTimeline(
  { timeline }: Pick<Settings, 'timeline'>,
  { json, renderer, observe }: Pick<Output, 'json' | 'renderer' | 'observe'>,
): void {
  if (timeline === undefined || json) return;
  let started = false;
  observe({
    listen({ event }) {
      started ||= event === 'started';
    },
    async close() {
      if (started)
        renderer.note(`timeline: ${resolve(timeline)} (https://ui.perfetto.dev shows it)`);
    },
  });
}
