import type { StartedEvent, StepEvent } from './events.js';
import { formatCount, formatDuration, formatLoss, formatMetric } from './format.js';
import { outOf } from './lines.js';

const BAR_WIDTH = 24;
/** A shorter bar than this says nothing. */
const LEAST_BAR = 8;
const BETWEEN = ' · ';

export interface ProgressLineState {
  readonly started: StartedEvent | undefined;
  readonly latest: StepEvent | undefined;
  /** Milliseconds to the end, where they are known. */
  readonly leftMs: number | undefined;
  /** From 0 to 1. */
  readonly share: number;
}

/**
 * The line of a run under way, no wider than the terminal: first the bar becomes shorter, then what
 * matters least is left out.
 * @param columns of the terminal
 */
export function progressLine(state: ProgressLineState, columns: number): string {
  const { started, latest, leftMs, share } = state;
  const [first, second] = Object.entries(latest?.metrics ?? {}).map(
    ([name, value]) => `${name} ${formatMetric(name, value)}`,
  );
  const step = `step ${outOf(latest?.step ?? 0, started?.steps)}`;
  const epoch = `epoch ${outOf(latest?.epoch ?? 1, started?.epochs)}`;
  const loss = latest === undefined ? '' : `loss ${formatLoss(latest.loss)}`;
  const speed = latest === undefined ? '' : `${formatCount(latest.examplesPerSecond)} examples/s`;
  const left = leftMs === undefined ? '' : `${formatDuration(leftMs)} left`;
  const said = (part: string | undefined): part is string => Boolean(part);
  const shown = [epoch, step, loss, first, second, speed, left].filter(said);
  const expendable = [second, first, epoch, speed, left, loss].filter(said);

  for (;;) {
    const before = shown.filter((part) => part === epoch);
    const after = shown.filter((part) => part !== epoch).join(BETWEEN);
    // The last column is the cursor's.
    const room = columns - 1 - [...before, '', after].join(' ').length;
    if (room >= LEAST_BAR)
      return [...before, bar(Math.min(BAR_WIDTH, room), share), after].join(' ');
    const least = expendable.shift();
    if (least === undefined) return after.slice(0, Math.max(1, columns - 1));
    shown.splice(shown.indexOf(least), 1);
  }
}

function bar(width: number, share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
