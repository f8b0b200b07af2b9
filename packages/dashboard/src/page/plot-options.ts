import type uPlot from 'uplot';
import type { Colours } from './colours.js';

export interface ChartStyle {
  readonly title: string;
  readonly height: number;
  readonly log: boolean;
  readonly place: (x: number) => string;
  readonly value: (value: number) => string;
  /** For the axis: short. */
  readonly tick: (value: number) => string;
  readonly xTick: (x: number) => string;
}

/**
 * How a curve is drawn: its points, what the eye should follow, and evaluations.
 * @param init.calm whether the points are what the eye should follow
 */
export function plotOptions(init: {
  readonly style: ChartStyle;
  readonly colours: Colours;
  readonly width: number;
  readonly calm: boolean;
  readonly hooks: uPlot.Hooks.Arrays;
}): uPlot.Options {
  const { style, colours, width, calm, hooks } = init;
  const font = '12px system-ui, sans-serif';
  const axis = { stroke: colours.muted, font, grid: { stroke: colours.line, width: 1 } };
  return {
    width,
    height: style.height,
    legend: { show: false },
    padding: [14, 22, 0, 0],
    cursor: {
      sync: { key: 'run' },
      points: { size: 7, fill: colours.accent, stroke: colours.card },
      drag: { x: true, y: false },
    },
    scales: {
      x: { time: false },
      y: { distr: style.log ? 3 : 1, range: style.log ? logRange : calmRange },
    },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        ticks: { show: false },
        values: (_, splits) => splits.map((value) => style.xTick(value)),
      },
      {
        ...axis,
        size: 58,
        space: 34,
        ticks: { show: false },
        values: (_, splits) => splits.map((value) => (value === null ? '' : style.tick(value))),
      },
    ],
    series: [
      {},
      {
        stroke: calm ? colours.accent : colours.accentSoft,
        width: calm ? 1.5 : 1,
        points: { show: false },
      },
      { stroke: colours.accent, width: 2, points: { show: false }, spanGaps: true },
      {
        stroke: colours.second,
        width: 1,
        dash: [3, 4],
        spanGaps: true,
        points: {
          show: true,
          size: 7,
          fill: colours.second,
          stroke: (self) => (isCrowded(self) ? colours.second : colours.card),
        },
      },
    ],
    hooks,
  };
}

/** So many evaluations that the edges of their dots would hide them all. */
function isCrowded({ data: [, , , tests], width }: uPlot): boolean {
  const shown = Array.from(tests ?? []).filter((value) => value !== null).length;
  return shown > width / 12;
}

/** A constant has room above and below it; nothing at all has an axis too. */
function calmRange(_: uPlot, least: number, most: number): [number, number] {
  if (!Number.isFinite(least) || !Number.isFinite(most) || least === null) return [0, 1];
  const room = (most - least || Math.abs(most) || 1) * 0.06;
  const low = least - room;
  return [least >= 0 && low < 0 ? 0 : low, most + room];
}

function logRange(_: uPlot, least: number, most: number): [number, number] {
  if (!(least > 0) || !(most > 0)) return [0.1, 1];
  return [10 ** Math.floor(Math.log10(least)), 10 ** Math.ceil(Math.log10(most) + 1e-9)];
}
