import { formatCount, formatDuration } from '@tutti/telemetry/internal';
import type { Mark, View } from '../view.js';
import { fill, find, make } from './dom.js';
import type { Store } from './store.js';
import { clockTime } from './text.js';

const SIGNS: Record<Mark['tone'], string> = {
  fault: '▼',
  recovery: '▲',
  wait: '◆',
  note: '●',
  quiet: '·',
};

/** Until somebody asks for all: what is quiet must not push what matters out of sight. */
const FIRST = 12;
const FIRST_QUIET = 3;
let all = false;

/** The list of what happened, the newest first. */
export function showHappened({ view }: Store): void {
  const { marks } = view;
  find('#happened').hidden = marks.length === 0;
  const list = find('#happened ol');
  const newest = [...marks].sort((a, b) => b.at - a.at);
  const quiet = newest.filter(({ tone }) => tone === 'quiet').slice(0, FIRST_QUIET);
  const notable = newest.filter((mark) => mark.tone !== 'quiet' || quiet.includes(mark));
  const shown = all ? newest : notable.slice(0, FIRST);
  fill(list, JSON.stringify([shown, marks.length]), () => [
    ...shown.map((mark) => item(mark, view)),
    ...(shown.length < marks.length ? [moreButton(marks.length - shown.length, view)] : []),
  ]);
}

function item({ at, step, tone, title, detail }: Mark, { startedAt }: View): HTMLElement {
  const after = startedAt === null || at < startedAt ? '' : formatDuration(at - startedAt);
  const where = step > 0 ? ` · step ${formatCount(step)}` : '';
  const time = make('time', { datetime: new Date(at).toISOString() }, clockTime(at));
  return make(
    'li',
    { 'data-tone': tone },
    make('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[tone]),
    make('span', { class: 'when', ...(after && { title: `after ${after}` }) }, time, where),
    make(
      'span',
      { class: 'what' },
      make('b', {}, title),
      ' ',
      make('span', { class: 'detail' }, detail),
    ),
  );
}

function moreButton(count: number, view: View): HTMLElement {
  const button = make('button', { type: 'button' }, `Show ${count} more`);
  button.addEventListener('click', () => {
    all = true;
    showHappened({ view } as Store);
  });
  return make('li', { class: 'more' }, button);
}
