import uPlot from 'uplot';
import { drawMarks, type PlacedMark } from './chart-marks.js';
import type { Colours } from './colours.js';
import { make, setText } from './dom.js';
import { type ChartStyle, plotOptions } from './plot-options.js';

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
  readonly marks: readonly PlacedMark[];
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
    const calm = data.smooth.length === 0;
    plot = new uPlot(plotOptions({ style, colours, width, calm, hooks }), columns(), area);
  }

  const hooks: uPlot.Hooks.Arrays = {
    draw: [(self) => drawMarks(self, data.marks, colours)],
    setCursor: [
      ({ cursor }) => read(cursor.left !== undefined && cursor.left >= 0 ? cursor.idx : null),
    ],
    setSelect: [
      ({ select }) => {
        if (select.width <= 0) return;
        zoomed = true;
        onZoom(zoomed);
      },
    ],
  };

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
