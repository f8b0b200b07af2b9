import uPlot from 'uplot';
import type { Mark } from '../view.js';
import type { Colours } from './colours.js';
import { make, setText } from './dom.js';

/** Pixels between the cursor and a mark that belong together. */
const NEAR = 6;

export interface ChartData {
  readonly x: readonly number[];
  /** Each point; drawn faintly. */
  readonly raw: readonly (number | null)[];
  /** What the eye should follow; empty if the points are calm by themselves. */
  readonly smooth: readonly (number | null)[];
  /** Values of evaluations, at their places; null elsewhere. */
  readonly test: readonly (number | null)[];
  readonly marks: readonly { readonly x: number; readonly mark: Mark }[];
}

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

/** One curve over the run: readable with the mouse, the keyboard, and aloud. */
export interface Chart {
  readonly figure: HTMLElement;
  show(data: ChartData): void;
  /** Draws anew: another style, or other colours. */
  restyle(style: ChartStyle, colours: Colours): void;
  whole(): void;
}

export function createChart(
  init: { readonly style: ChartStyle; readonly colours: Colours },
  onZoom: (zoomed: boolean) => void,
): Chart {
  let { style, colours } = init;
  let data: ChartData = { x: [], raw: [], smooth: [], test: [], marks: [] };
  let plot: uPlot | undefined;
  let zoomed = false;

  const title = make('b');
  const reading = make('output');
  const keys = make('span', { class: 'key test', hidden: '' }, 'test');
  const area = make('div', { class: 'plot', tabindex: 0, role: 'slider', 'aria-valuemin': 0 });
  const empty = make('p', { class: 'empty' }, 'It begins with the first step.');
  const figure = make('figure', {}, make('figcaption', {}, title, keys, reading), area);

  const valueAt = (at: number) => data.smooth[at] ?? data.raw[at] ?? null;

  function sayAt(at: number | null | undefined): string {
    const index = at ?? data.x.length - 1;
    const x = data.x[index];
    if (x === undefined) return '';
    const value = valueAt(index);
    const test = data.test[index];
    const near = data.marks.filter(
      (mark) =>
        plot !== undefined && Math.abs(plot.valToPos(mark.x, 'x') - plot.valToPos(x, 'x')) < NEAR,
    );
    return [
      value === null ? 'no finite number' : style.value(value),
      test === null || test === undefined ? '' : `test ${style.value(test)}`,
      at === null || at === undefined ? '' : style.place(x),
      ...(at === null || at === undefined ? [] : near.map(({ mark }) => mark.title)),
    ]
      .filter(Boolean)
      .join(' · ');
  }

  function read(at: number | null | undefined) {
    const said = sayAt(at);
    setText(reading, said);
    area.setAttribute('aria-valuenow', String(at ?? Math.max(0, data.x.length - 1)));
    area.setAttribute('aria-valuetext', said || 'nothing yet');
  }

  function draw() {
    plot?.destroy();
    plot = undefined;
    setText(title, style.title);
    area.setAttribute('aria-label', `${style.title} over the run; arrow keys read it`);
    area.style.minHeight = `${style.height}px`;
    read(null);
    if (data.x.length === 0) return area.replaceChildren(empty);
    empty.remove();
    const width = Math.max(200, area.clientWidth || figure.clientWidth - 28);
    plot = new uPlot(optionsOf(width), columns(), area);
  }

  function columns(): uPlot.AlignedData {
    const positive = (values: readonly (number | null)[]) =>
      style.log ? values.map((value) => (value !== null && value > 0 ? value : null)) : values;
    return [
      data.x,
      positive(data.raw),
      positive(data.smooth),
      positive(data.test),
    ] as unknown as uPlot.AlignedData;
  }

  function optionsOf(width: number): uPlot.Options {
    const font = '12px system-ui, sans-serif';
    const axis = { stroke: colours.muted, font, grid: { stroke: colours.line, width: 1 } };
    const calm = data.smooth.length === 0;
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
          points: { show: true, size: 7, fill: colours.second, stroke: colours.card },
        },
      ],
      hooks: {
        draw: [drawMarks],
        setCursor: [
          (self) =>
            read(self.cursor.left !== undefined && self.cursor.left >= 0 ? self.cursor.idx : null),
        ],
        setSelect: [
          (self) => {
            if (self.select.width <= 0) return;
            zoomed = true;
            onZoom(zoomed);
          },
        ],
      },
    };
  }

  /** Faults and take-overs: a line each, with a sign on it whose form says as much as its colour. */
  function drawMarks(self: uPlot) {
    const { ctx, bbox } = self;
    const unit = devicePixelRatio;
    ctx.save();
    for (const { x, mark } of data.marks) {
      const left = self.valToPos(x, 'x', true);
      if (left < bbox.left - 1 || left > bbox.left + bbox.width + 1) continue;
      const colour = colours[mark.tone as 'fault' | 'recovery' | 'wait' | 'note'] ?? colours.muted;
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.lineWidth = unit;
      ctx.setLineDash(mark.tone === 'fault' ? [] : [3 * unit, 3 * unit]);
      ctx.beginPath();
      ctx.moveTo(left, bbox.top);
      ctx.lineTo(left, bbox.top + bbox.height);
      ctx.stroke();
      sign(ctx, mark.tone, left, bbox.top - 6 * unit, 5 * unit);
    }
    ctx.restore();
  }

  new ResizeObserver(() => {
    const width = area.clientWidth;
    if (plot !== undefined && width > 0 && width !== plot.width)
      plot.setSize({ width, height: style.height });
  }).observe(area);

  area.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50 }[event.key];
    const last = data.x.length - 1;
    if (plot === undefined || last < 0) return;
    if (event.key === 'Escape') return plot.setCursor({ left: -10, top: -10 });
    const from = plot.cursor.idx ?? last;
    const to =
      event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? last
          : step === undefined
            ? null
            : from + step;
    if (to === null) return;
    event.preventDefault();
    const at = Math.min(last, Math.max(0, to));
    const value = valueAt(at);
    plot.setCursor({
      left: plot.valToPos(data.x[at]!, 'x'),
      top: value === null ? 0 : plot.valToPos(value, 'y'),
    });
  });

  return {
    figure,
    show(next) {
      const changedKind = (next.smooth.length === 0) !== (data.smooth.length === 0);
      data = next;
      area.setAttribute('aria-valuemax', String(Math.max(0, data.x.length - 1)));
      keys.hidden = !data.test.some((value) => value !== null);
      if (plot === undefined || changedKind) return draw();
      plot.setData(columns(), !zoomed);
      if (zoomed) plot.redraw();
      if ((plot.cursor.left ?? -1) < 0) read(null);
    },
    restyle(nextStyle, nextColours) {
      style = nextStyle;
      colours = nextColours;
      zoomed = false;
      draw();
    },
    whole() {
      zoomed = false;
      plot?.setData(columns(), true);
    },
  };
}

/** ▼ fault, ▲ recovery, ◆ wait, ● everything else. */
function sign(ctx: CanvasRenderingContext2D, tone: string, x: number, y: number, size: number) {
  ctx.beginPath();
  if (tone === 'fault' || tone === 'recovery') {
    const tip = tone === 'fault' ? size : -size;
    ctx.moveTo(x - size, y - tip * 0.8);
    ctx.lineTo(x + size, y - tip * 0.8);
    ctx.lineTo(x, y + tip * 0.8);
  } else if (tone === 'wait') {
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y + size);
    ctx.lineTo(x - size, y);
  } else ctx.arc(x, y, size * 0.7, 0, 2 * Math.PI);
  ctx.fill();
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
