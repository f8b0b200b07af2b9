import { formatCount } from '@tutti/telemetry/internal';
import type { View } from '../view.js';
import { fill, find, make } from './dom.js';
import { table } from './people.js';
import type { Store } from './store.js';
import { ratioText } from './text.js';

/** What the model reads, and what of it is stored, sent and optimised. */
export function showWeights({ view }: Store): void {
  const { weights } = view;
  find('#weights').hidden = weights === null;
  if (weights === null) return;
  const { elements, stored } = weights;
  const fewer = elements > stored ? `, ${ratioText(elements, stored)} times fewer` : '';
  fill(find('#weights .sum'), `${elements} ${stored}`, () => [
    document.createTextNode('The model reads '),
    make('b', {}, formatCount(elements)),
    document.createTextNode(' weights; stored, sent and optimised are '),
    make('b', {}, formatCount(stored)),
    document.createTextNode(`${fewer}.`),
  ]);
  fill(find('#weights .wide'), JSON.stringify(weights), () => [
    table(
      [
        ['weight', ''],
        ['shape', 'optional'],
        ['sharing', ''],
        ['weights', 'number'],
        ['stored', 'number'],
        ['', 'optional'],
      ],
      weights.rows.map(row),
    ),
  ]);
}

function row({ weight, shape, kind, elements, own }: NonNullable<View['weights']>['rows'][number]) {
  const bar = make('i');
  bar.style.width = `${Math.min(100, (100 * own) / elements)}%`;
  const share = own === 0 ? 'all those of another weight' : `1 in ${ratioText(elements, own)}`;
  return make(
    'tr',
    {},
    make('th', { scope: 'row' }, weight),
    make('td', { class: 'optional' }, shape.join(' × ') || '1'),
    make('td', {}, kind === 'none' ? '–' : kind),
    make('td', { class: 'number' }, formatCount(elements)),
    make('td', { class: 'number' }, own === 0 && elements > 0 ? 'tied' : formatCount(own)),
    make(
      'td',
      { class: 'optional' },
      make('div', { class: 'share', role: 'img', 'aria-label': share, title: share }, bar),
    ),
  );
}
