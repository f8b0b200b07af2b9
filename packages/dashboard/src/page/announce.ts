import { find, setText } from './dom.js';
import type { Store } from './store.js';

let phase: string | undefined;
let mark: number | undefined;

/** Tells a screen reader what matters, once: the phase, faults and take-overs; not every step. */
export function announce({ view }: Store): void {
  const news = view.marks.findLast(({ tone }) => tone !== 'quiet' && tone !== 'note');
  const said: string[] = [];
  if (phase !== undefined && view.phase !== phase && view.phase !== 'evaluating')
    said.push(`The run is ${view.phase}.`);
  if (news !== undefined && news.id !== mark && phase !== undefined)
    said.push(`${news.title}. ${news.detail}`);
  if (view.phase !== 'evaluating') phase = view.phase;
  mark = news?.id ?? mark;
  if (said.length > 0) setText(find('#announcer'), said.join(' '));
}
