import { formatBytes, formatCount, formatDuration } from '@tutti/telemetry/internal';
import type { RunPhase, View } from '../view.js';
import { find, make, setText } from './dom.js';
import type { Store } from './store.js';
import { clockTime, counted, elapsedText, lossText, metricText, nameText } from './text.js';

/** Shorter waits are the way a step goes. */
const WORTH_TELLING_MS = 2000;
/** A fault is news for so long. */
const NEWS_MS = 20_000;

const TONES: Partial<Record<RunPhase, string>> = {
  training: 'good',
  evaluating: 'good',
  finished: 'recovery',
  failed: 'fault',
  'rolling back': 'wait',
  'gathering workers': 'wait',
  'looking for servers': 'wait',
  'cut off': 'wait',
};

/** The head of the page: what it is, how far, and the one thing worth knowing now. */
export function showHeadline(store: Store, now: number): void {
  const { view } = store;
  const name = view.program ?? (view.job === null ? 'A run' : `job ${view.job.slice(0, 8)}`);
  setText(find('#program'), name);
  const share = view.steps === 0 ? 0 : view.step / view.steps;
  const title = view.steps === 0 || view.over ? view.phase : `${Math.floor(100 * share)} %`;
  document.title = `${title} · ${name} · Tutti`;
  const phase = find('#phase');
  setText(phase, view.phase);
  phase.dataset.tone = TONES[view.phase] ?? 'quiet';
  setText(find('#place'), placeText(view, now));
  const progress = find('#progress');
  progress.setAttribute('aria-valuemax', String(view.steps));
  progress.setAttribute('aria-valuenow', String(view.step));
  find('#progress > div').style.width = `${100 * share}%`;
  const { tone, subject, text } = noticeOf(store, now);
  const notice = find('#notice');
  notice.dataset.tone = tone;
  if (notice.textContent !== `${subject} ${text}`)
    notice.replaceChildren(
      make('span', {}, make('strong', {}, subject), document.createTextNode(` ${text}`)),
    );
}

function placeText(view: View, now: number): string {
  if (view.steps === 0) return 'The number of steps is not known yet.';
  const parts = [`step ${formatCount(view.step)} of ${formatCount(view.steps)}`];
  if (view.epoch > 0) parts.push(`epoch ${view.epoch} of ${view.epochs}`);
  if (view.startedAt !== null)
    parts.push(view.over ? `took ${elapsedText(view, now)}` : `for ${elapsedText(view, now)}`);
  if (view.leftMs !== null) parts.push(`about ${formatDuration(view.leftMs)} left`);
  return parts.join(' · ');
}

interface Notice {
  readonly tone: string;
  readonly subject: string;
  readonly text: string;
}

/** Silence has a name: who is waited for, and what to do; or that all is well. */
export function noticeOf({ view, connected }: Store, now: number): Notice {
  const say = (tone: string, subject: string, text: string) => ({ tone, subject, text });
  if (view.failure !== null)
    return say('fault', `${view.failure.message.replace(/[.!?]?$/, '.')}`, view.failure.remedy);
  if (view.phase === 'finished') return say('recovery', 'Finished.', 'The model is trained.');
  if (view.phase === 'stopped')
    return say('note', 'Stopped.', 'It can go on from its last checkpoint with --resume latest.');
  if (view.phase === 'cut off')
    return say('wait', 'No end was recorded.', 'The process was killed, or is still running.');
  if (!connected)
    return say(
      'wait',
      'This page is alone.',
      'The process that serves it does not answer; it is asked again and again. If the run is over, `tutti dashboard` and its folder show it.',
    );
  const { coordinator } = view;
  if (coordinator !== null && coordinator.silentSince !== null)
    return say(
      'wait',
      'The coordinator does not answer.',
      `${coordinator.address} has been silent for ${formatDuration(now - coordinator.silentSince)}; it is asked again every second. The numbers are from before.`,
    );
  const wait = view.waits.find(({ sinceMs }) => sinceMs >= WORTH_TELLING_MS);
  if (wait !== undefined) {
    const by = wait.by === undefined ? 'Waiting' : `${wait.by} waits`;
    const end =
      wait.deadlineMs === undefined
        ? ''
        : ` (the run ends after ${formatDuration(wait.deadlineMs)} of it)`;
    return say(
      'wait',
      `${by} for ${wait.who}`,
      `to ${wait.what}, for ${formatDuration(wait.sinceMs)} now${end}. ${wait.remedy}`,
    );
  }
  const news = view.marks.findLast(({ tone }) => tone === 'fault' || tone === 'recovery');
  if (news !== undefined && now - news.at < NEWS_MS)
    return say(news.tone, `${news.title}.`, news.detail);
  const here = view.workers.filter((worker) => worker.here).length;
  if (view.startedAt === null) {
    const wanted = view.startsWith === null ? '' : ` of ${view.startsWith}`;
    return say('quiet', 'Starting.', `${here}${wanted} workers are here.`);
  }
  if (view.workers.length === 0)
    return say('good', 'One process trains,', 'without workers and without a network.');
  return say('good', 'All is well:', `${counted(here, 'worker')} at work, nobody is waited for.`);
}

/** The numbers of now. */
export function showNumbers({ view }: Store, now: number): void {
  const evaluation = view.epochsDone.findLast((epoch) => epoch.evaluation !== null)?.evaluation;
  const test = (text: string | null | undefined) => (text ? `test ${text}` : '');
  const tiles: [name: string, value: string, more: string][] = [
    ['loss', lossText(view.loss), test(evaluation && lossText(evaluation.loss))],
    ...Object.entries(view.metrics)
      .slice(0, 2)
      .map(([name, value]): [string, string, string] => [
        nameText(name),
        metricText(name, value),
        test(evaluation && metricText(name, evaluation.metrics[name])),
      ]),
    [
      'examples/s',
      view.examplesPerSecond === null ? '–' : formatCount(view.examplesPerSecond),
      view.examples === 0 ? '' : `${formatCount(view.examples)} so far`,
    ],
    [
      'on the wire a step',
      view.wireBytesPerStep === null ? '–' : formatBytes(view.wireBytesPerStep),
      view.wireBytesPerStep === 0 ? 'one process' : '',
    ],
    [
      'stored parameters',
      view.storedParameters === 0 ? '–' : formatCount(view.storedParameters),
      view.weights === null ? '' : `read as ${formatCount(view.weights.elements)}`,
    ],
    [
      'time',
      elapsedText(view, now),
      view.startedAt === null ? '' : `since ${clockTime(view.startedAt)}`,
    ],
  ];
  const list = find('#numbers .tiles');
  // Made once, then only their text: nothing flickers, and nothing moves.
  const names = tiles.map(([name]) => name).join();
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    list.replaceChildren(
      ...tiles.map(([name]) =>
        make('div', {}, make('dt', {}, name), make('dd'), make('dd', { class: 'more' })),
      ),
    );
  }
  for (const [at, [, value, more]] of tiles.entries()) {
    const [main, second] = list.children[at]!.querySelectorAll('dd');
    setText(main!, value);
    setText(second!, more);
  }
}
