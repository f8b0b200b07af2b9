import { smoothed } from '../smooth.js';
import type { Mark } from '../view.js';
import { html, type Markup } from './html.js';

const [WIDTH, HEIGHT] = [720, 220];
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 12, 16, 24];

/** As many points as columns of pixels: more are not seen. */
const MOST_POINTS = WIDTH;

/** Of more evaluations than these the dots would hide the curve with their edges. */
const MOST_SEPARATE = 40;

export interface CurveData {
  readonly title: string;
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
  readonly tests: readonly { readonly step: number; readonly value: number | null }[];
  readonly marks: readonly Mark[];
  /** The steps of the whole run. */
  readonly last: number;
  readonly format: (value: number) => string;
}

/** A curve over the steps of a run as a picture (SVG) with a sentence for those who do not see it. */
export function curve(data: CurveData): Markup {
  const { title, steps, values, tests, marks, last, format } = data;
  const known = [...values, ...tests.map(({ value }) => value)].filter((value) => value !== null);
  if (known.length === 0) return html``;
  const [least, most] = rangeOf(known);
  const x = (step: number) => LEFT + ((WIDTH - LEFT - RIGHT) * step) / Math.max(1, last);
  const y = (value: number) =>
    TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - least) / (most - least || 1));
  const path = (line: readonly (number | null)[]) => {
    const stride = Math.max(1, Math.ceil(line.length / MOST_POINTS));
    let pen = 'M';
    const parts: string[] = [];
    for (let at = 0; at < line.length; at += stride) {
      const value = line[at];
      if (value === null || value === undefined) pen = 'M';
      else {
        parts.push(`${pen}${x(steps[at]!).toFixed(1)} ${y(value).toFixed(1)}`);
        pen = 'L';
      }
    }
    return parts.join('');
  };
  const smooth = smoothed(values);
  const evaluated = tests.flatMap(({ step, value }) => (value === null ? [] : [{ step, value }]));
  const [dot, radius] = evaluated.length > MOST_SEPARATE ? ['test many', 1.5] : ['test', 3.5];
  const first = values.find((value) => value !== null) ?? null;
  const end = values.findLast((value) => value !== null) ?? null;
  const test = evaluated.at(-1);
  const said = [
    first !== null && end !== null
      ? `${title}, from ${format(first)} at the first step to ${format(end)} at the last`
      : title,
    test === undefined ? '' : `, ${format(test.value)} in the last evaluation`,
  ].join('');
  return html`<figure>
<figcaption><b>${title}</b>${test === undefined ? null : html` <span class="key">test ${format(test.value)}</span>`}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${said}">
${ticks(least, most).map((value) => html`<path class="grid" d="M${LEFT} ${y(value).toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${tickText(format(value))}</text>`)}
${ticks(0, last).map((step) => html`<text x="${x(step).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="middle">${step.toLocaleString('en-US')}</text>`)}
<path class="${smooth.length === 0 ? 'line' : 'raw'}" d="${path(values)}"/>
${smooth.length === 0 ? null : html`<path class="line" d="${path(smooth)}"/>`}
${marks.map(({ step, tone, title: name }) => html`<path class="mark ${tone}" d="M${x(step).toFixed(1)} ${TOP - 4}V${HEIGHT - BOTTOM}"><title>${name}</title></path><path class="sign ${tone}" d="${sign(tone, x(step))}"/>`)}
${evaluated.map(({ step, value }) => html`<circle class="${dot}" cx="${x(step).toFixed(1)}" cy="${y(value).toFixed(1)}" r="${radius}"/>`)}
</svg>
</figure>
`;
}

/** ▼ fault, ▲ everything that is made good. */
function sign(tone: Mark['tone'], x: number): string {
  const [flat, tip] = tone === 'fault' ? [2, 11] : [11, 2];
  return `M${(x - 5).toFixed(1)} ${flat}H${(x + 5).toFixed(1)}L${x.toFixed(1)} ${tip}Z`;
}

function rangeOf(values: readonly number[]): [number, number] {
  let [least, most] = [values[0]!, values[0]!];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const room = (most - least || Math.abs(most) || 1) * 0.05;
  return [least >= 0 && least - room < 0 ? 0 : least - room, most + room];
}

/** Without the zeros that only fill up: "20.00 %" is 20 %. */
const tickText = (text: string) => (text.includes('.') ? text.replace(/\.?0+(?= %|$)/, '') : text);

/** Round numbers, four to eight of them. */
function ticks(least: number, most: number): number[] {
  const rough = (most - least) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough)!;
  const all = [];
  for (let at = Math.ceil(least / unit); at * unit <= most; at++)
    all.push(Number((at * unit).toPrecision(12)));
  return all;
}
