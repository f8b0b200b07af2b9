import { formatCount, formatDuration, formatLoss, formatMetric } from '@tutti/telemetry/internal';
import { smoothed } from '../smooth.js';
import { type Chart, createChart } from './chart.js';
import { currentColours, onSchemeChange } from './colours.js';
import { find } from './dom.js';
import type { ChartStyle } from './plot-options.js';
import type { Store } from './store.js';
import { nameText } from './text.js';

/** What a point holds, before its metrics: [step, at, loss, examples/s, ms of a step]. */
const [STEP, AT, LOSS, SPEED, METRICS] = [0, 1, 2, 3, 5];
const MOST_METRICS = 5;
const WEIGHT = { quiet: 0, note: 1, wait: 2, recovery: 3, fault: 4 } as const;

interface Shown {
  readonly chart: Chart;
  /** Where its numbers are in a point. */
  readonly column: number;
  readonly name: 'loss' | 'examples/s' | string;
  readonly isMetric: boolean;
}

/** All curves of the run, over the same axis. */
export function createCharts(): { show(store: Store): void } {
  const place = find('#curves .charts');
  const whole = find<HTMLButtonElement>('#whole');
  const form = find<HTMLFormElement>('#curves form');
  let shown: Shown[] = [];
  let store: Store | undefined;

  const along = () => new FormData(form).get('along') as 'step' | 'time';
  const log = () => new FormData(form).has('log');

  function styleOf({ name, isMetric }: Pick<Shown, 'name' | 'isMetric'>): ChartStyle {
    const isLoss = name === 'loss' && !isMetric;
    const value = isMetric
      ? (number: number) => formatMetric(name, number)
      : isLoss
        ? formatLoss
        : formatCount;
    return {
      title: nameText(name),
      height: isLoss ? 260 : 180,
      log: isLoss && log(),
      value,
      tick: isMetric ? (number) => metricTick(name, number) : isLoss ? short : formatCount,
      place: (x) =>
        along() === 'step' ? `step ${formatCount(x)}` : `after ${formatDuration(1000 * x)}`,
      xTick: (x) => (along() === 'step' ? formatCount(x) : timeTick(x)),
    };
  }

  /** One chart each for the loss, the metrics and the speed; made again if there are other metrics. */
  function arrange(metrics: readonly string[]) {
    const colours = currentColours();
    const zoom = (zoomed: boolean) => {
      whole.hidden = !zoomed;
    };
    const plan = [
      { name: 'loss', column: LOSS, isMetric: false },
      ...metrics
        .slice(0, MOST_METRICS)
        .map((name, at) => ({ name, column: METRICS + at, isMetric: true })),
      { name: 'examples/s', column: SPEED, isMetric: false },
    ];
    shown = plan.map((each) => ({
      ...each,
      chart: createChart({ style: styleOf(each), colours }, zoom),
    }));
    shown[0]!.chart.figure.className = 'first';
    shown.at(-1)!.chart.figure.className = 'last';
    place.replaceChildren(...shown.map(({ chart }) => chart.figure));
    place.dataset.metrics = metrics.join();
  }

  function show(next: Store) {
    store = next;
    const { points, metrics } = store.curves;
    const { view } = store;
    if (shown.length === 0 || place.dataset.metrics !== metrics.join()) arrange(metrics);
    const start = view.startedAt ?? 0;
    const xOf = (step: number, at: number) => (along() === 'step' ? step : (at - start) / 1000);
    const x = points.map((point) => xOf(point[STEP]!, point[AT]!));
    const faults = new Set(
      view.marks.filter(({ tone }) => tone === 'fault').map(({ step }) => step),
    );
    const marks = view.marks
      .filter(({ tone, at }) => tone !== 'quiet' && at >= start)
      .filter(({ title }) => title !== 'Finished')
      // What is said of a fault besides is in the list.
      .filter(({ tone, step }) => tone !== 'note' || !faults.has(step))
      .map((mark) => ({ x: xOf(mark.step, mark.at), mark }))
      // The last is drawn on top.
      .sort((a, b) => WEIGHT[a.mark.tone] - WEIGHT[b.mark.tone]);
    for (const { chart, column, name, isMetric } of shown) {
      const raw = points.map((point) => point[column] ?? null);
      const test: (number | null)[] = points.map(() => null);
      if (column !== SPEED)
        for (const { step, evaluation } of view.epochsDone) {
          const value = isMetric ? evaluation?.metrics[name] : evaluation?.loss;
          const at = points.findIndex((point) => point[STEP]! >= step);
          if (at >= 0) test[at] = value ?? null;
        }
      chart.show({ x, raw, smooth: smoothed(raw), test, marks });
    }
  }

  function restyle() {
    whole.hidden = true;
    for (const each of shown) each.chart.restyle(styleOf(each), currentColours());
    if (store !== undefined) show(store);
  }

  form.addEventListener('change', restyle);
  onSchemeChange(restyle);
  whole.addEventListener('click', () => {
    whole.hidden = true;
    for (const { chart } of shown) chart.whole();
  });
  return { show };
}

/** A share in whole per cent. */
const metricTick = (name: string, value: number) => {
  const text = formatMetric(name, value);
  return text.endsWith('%') ? `${Math.round(1000 * value) / 10} %` : short(value);
};

const short = (value: number) =>
  value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e5)
    ? value.toExponential(0)
    : String(Math.round(value * 1e4) / 1e4);

/** Seconds on an axis. */
const timeTick = (seconds: number) => {
  if (seconds < 100) return `${Math.round(seconds * 10) / 10} s`;
  const rest = String(Math.round(seconds) % 60).padStart(2, '0');
  if (seconds < 5400) return `${Math.floor(Math.round(seconds) / 60)}:${rest} min`;
  return `${Math.round(seconds / 360) / 10} h`;
};
