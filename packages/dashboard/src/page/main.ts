import type { Update } from '../view.js';
import { announce } from './announce.js';
import { createCharts } from './charts.js';
import { fill, find, make, setText } from './dom.js';
import { showHappened } from './happened.js';
import { showHeadline, showNumbers } from './headline.js';
import { showPeople } from './people.js';
import { type Store, takeUpdate } from './store.js';
import { metricText, nameText } from './text.js';
import { showWeights } from './weights.js';

let store: Store | undefined;
const charts = createCharts();

/** The process that serves the page may be gone for long: it is looked for so often. */
const AGAIN_MS = 2000;

function follow() {
  const source = new EventSource('updates');
  source.onmessage = ({ data }) => {
    store = takeUpdate(store, JSON.parse(data) as Update);
    show();
  };
  source.onerror = () => {
    source.close();
    if (store !== undefined) {
      store.connected = false;
      tick();
      // What is over needs nobody any more.
      if (store.view.over) return;
    }
    setTimeout(follow, AGAIN_MS);
  };
}

const now = () => Date.now() + (store?.skewMs ?? 0);

function show() {
  if (store === undefined) return;
  charts.show(store);
  showHappened(store);
  showWeights(store);
  showResult(store);
  announce(store);
  const { job, folder, coordinator } = store.view;
  const origin = [job && `job ${job}`, folder, coordinator && `coordinator ${coordinator.address}`];
  setText(find('#origin'), origin.filter(Boolean).join(' · ') || 'Tutti');
  document.documentElement.dataset.step = String(store.view.step);
  tick();
}

/** What moves with the time alone. */
function tick() {
  if (store === undefined) return;
  showHeadline(store, now());
  showNumbers(store, now());
  showPeople(store, now());
}

function showResult({ view }: Store) {
  const { result } = view;
  find('#result').hidden = result === null;
  if (result === null) return;
  const rows: [string, string][] = [
    ...Object.entries(result.metrics).map(([name, value]): [string, string] => [
      nameText(name),
      metricText(name, value),
    ]),
    ['digest', result.digest],
    ['model', result.modelPath ?? 'was not saved'],
  ];
  fill(find('#result .body'), JSON.stringify(result), () => [
    make(
      'dl',
      {},
      ...rows.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
    ),
    ...(result.loading.length === 0 ? [] : [make('pre', {}, result.loading.join('\n'))]),
  ]);
}

follow();
setInterval(() => {
  if (store !== undefined && !store.view.over) tick();
}, 1000);
