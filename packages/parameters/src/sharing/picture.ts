import { evaluate } from './expressions/evaluate.js';
import { type Expression, nodesOf, sizeOf, storedIn } from './expressions/expression.js';
import type { SharingReport } from './inspect.js';
import type { Sharing } from './resolve.js';

/** Elements shown of a side; a larger weight shows its first corner. */
const MOST = 48;
const CELL = 4;
const PANEL_WIDTH = 250;
const PANEL_HEIGHT = 262;
const TITLE_HEIGHT = 46;
const COLUMNS = 4;
const MARGIN = 20;

/**
 * The sharing pattern of every weight as one SVG picture: elements of one colour read one stored
 * value, lighter where they read it negated; white ones read none. Constants are grey, and weights
 * that are products are drawn factor by factor.
 */
export function sharingPicture(sharing: Sharing, report: SharingReport, title: string): string {
  const rows = Math.ceil(sharing.weights.length / COLUMNS);
  const width = 2 * MARGIN + Math.min(COLUMNS, sharing.weights.length) * PANEL_WIDTH;
  const top = MARGIN + 56;
  const height = top + rows * PANEL_HEIGHT + MARGIN;
  const panels = sharing.weights.map(({ weight, shape, kind, expression }, at) => {
    const { stored, own, elements } = report.weights[at]!;
    const x = MARGIN + (at % COLUMNS) * PANEL_WIDTH;
    const y = top + Math.floor(at / COLUMNS) * PANEL_HEIGHT;
    const from = own === 0 && stored > 0 ? ` of ${storedIn(expression)[0]}` : '';
    const facts = `${shape.join(' × ')} from ${grouped(stored)}${from}`;
    const ratio = stored > 0 && stored < elements ? ` · 1/${short(elements / stored)}` : '';
    return [
      `<g transform="translate(${x} ${y})">`,
      text(0, 12, weight, 'name'),
      text(0, 28, `${kind === 'none' ? 'stored as it is' : kind} · ${facts}${ratio}`, 'facts'),
      `<g transform="translate(0 ${TITLE_HEIGHT - 8})">${drawing(expression)}</g>`,
      '</g>',
    ].join('');
  });
  const summary = `${grouped(report.elements)} weights from ${grouped(report.stored)} stored values · ${grouped(report.wireBytesPerStep)} bytes on the wire a step and worker`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" shape-rendering="crispEdges" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif">`,
    '<style>.title{font-size:20px;font-weight:600;fill:#1d1d1f}.name{font-size:13px;font-weight:600;fill:#1d1d1f}.facts{font-size:11px;fill:#6e6e73}.sign{font-size:20px;fill:#6e6e73}</style>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(MARGIN, MARGIN + 14, title, 'title'),
    text(MARGIN, MARGIN + 34, summary, 'facts'),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

const DRAWING = MOST * CELL;

function drawing(expression: Expression): string {
  const parts = partsOf(expression);
  if (parts.length === 1) return partDrawing(parts[0]!, 0, DRAWING).svg;
  const signs = 22 * (parts.length - 1);
  const widths = parts.map((part) => extentsOf(part.expression)[1]);
  const heights = parts.map((part) => extentsOf(part.expression)[0]);
  const scale = Math.min(
    (DRAWING + 30 - signs) / widths.reduce((sum, width) => sum + Math.max(width, 3), 0),
    DRAWING / Math.max(...heights),
    CELL * 2,
  );
  let x = 0;
  return parts
    .map((part) => {
      const sign = part.sign === '' ? '' : text(x + 5, 16, part.sign, 'sign');
      x += part.sign === '' ? 0 : 22;
      const drawn = partDrawing(part, x, scale * Math.max(...extentsOf(part.expression)), scale);
      x += drawn.width;
      return sign + drawn.svg;
    })
    .join('');
}

interface Part {
  /** What stands before it. */
  readonly sign: string;
  readonly expression: Expression;
}

/** The factors and terms that a weight is drawn as. */
function partsOf(expression: Expression): readonly Part[] {
  const joined = (left: Expression, sign: string, right: Expression) => [
    ...partsOf(left),
    ...partsOf(right).map((part, at) => (at === 0 ? { ...part, sign } : part)),
  ];
  switch (expression.op) {
    case 'matmul':
      return joined(expression.left, '·', expression.right);
    case 'kronecker':
      return joined(expression.left, '⊗', expression.right);
    case 'add':
      return joined(expression.left, '+', expression.right);
    case 'scale':
      return typeof expression.by === 'number'
        ? partsOf(expression.of)
        : expression.by.op === 'constant'
          ? partsOf(expression.of)
          : joined(expression.of, '∘', expression.by);
    case 'reshape':
      return isPattern(expression) ? [{ sign: '', expression }] : partsOf(expression.of);
    default:
      return [{ sign: '', expression }];
  }
}

function partDrawing(
  { expression }: Part,
  x: number,
  size: number,
  scale?: number,
): { svg: string; width: number } {
  const [rows, columns] = extentsOf(expression);
  const cell = scale ?? Math.min(CELL * 4, size / Math.max(rows, columns));
  const [width, height] = [Math.max(3, columns * cell), Math.max(3, rows * cell)];
  const frame = `<rect x="${round(x - 0.5)}" y="-0.5" width="${round(width + 1)}" height="${round(height + 1)}" fill="none" stroke="#d2d2d7"/>`;
  const inside =
    expression.op === 'constant'
      ? `<rect x="${round(x)}" width="${round(width)}" height="${round(height)}" fill="#e5e5ea"/>`
      : `<g transform="translate(${round(x)} 0) scale(${round(width / columns)} ${round(height / rows)})">${cells(expression, rows, columns)}</g>`;
  return { svg: inside + frame, width };
}

/** One path for each colour. */
function cells(expression: Expression, rows: number, columns: number): string {
  const wide = expression.shape.at(-1) ?? 1;
  const shown = readers(expression);
  const at = (r: number, c: number) => shown[r * wide + c] ?? 0;
  const used = new Set<number>();
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) if (at(r, c) !== 0) used.add(Math.abs(at(r, c)));
  const order = [...used].sort((a, b) => a - b);
  const ranks = new Map(order.map((id, rank) => [id, rank / Math.max(1, order.length)]));
  const paths = new Map<string, string>();
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const reader = at(r, c);
      if (reader === 0) continue;
      const colour = colourOf(ranks.get(Math.abs(reader))!, reader < 0);
      let end = c + 1;
      while (end < columns && at(r, end) === reader) end++;
      paths.set(colour, `${paths.get(colour) ?? ''}M${c} ${r}h${end - c}v1h-${end - c}z`);
      c = end - 1;
    }
  return [...paths].map(([fill, d]) => `<path fill="${fill}" d="${d}"/>`).join('');
}

/**
 * Which stored value each element reads, negative where negated, 0 for none; of several, the first.
 * Factors make no difference.
 */
function readers(expression: Expression): Float64Array {
  if (expression.op === 'scale' || expression.op === 'reshape') return readers(expression.of);
  if (expression.op === 'sum') {
    const entries = readers(expression.of);
    const width = expression.of.shape.at(-1)!;
    return Float64Array.from({ length: sizeOf(expression.shape) }, (_, i) => {
      const row = entries.subarray(i * width, (i + 1) * width);
      return row.find((at) => at !== 0) ?? 0;
    });
  }
  const [name] = storedIn(expression);
  if (name === undefined) return new Float64Array(sizeOf(expression.shape));
  const leaf = nodesOf(expression).find((node) => node.op === 'stored')!;
  const numbers = Float64Array.from({ length: sizeOf(leaf.shape) }, (_, at) => at + 1);
  return evaluate(expression, {
    stored: () => numbers,
    constant: ({ shape }) => new Float64Array(sizeOf(shape)).fill(1),
  });
}

/** Whether every element reads one stored value or none. */
function isPattern(expression: Expression): boolean {
  return nodesOf(expression).every(({ op }) => !['matmul', 'kronecker', 'add'].includes(op));
}

/** Rows and columns that are shown: all dimensions but the last are rows. */
function extentsOf({ shape }: Expression): readonly [number, number] {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.length < 2 ? 1 : sizeOf(shape.slice(0, -1));
  return [Math.min(MOST, rows), Math.min(MOST, columns)];
}

/** From blue over violet and red to yellow and green, in steps that few paths make up. */
function colourOf(rank: number, negated: boolean): string {
  const step = Math.round(rank * 47) / 48;
  return `hsl(${Math.round(215 + 360 * step)} ${negated ? '55%' : '68%'} ${negated ? '82%' : '56%'})`;
}

function text(x: number, y: number, content: string, style: string): string {
  const escaped = content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${round(x)}" y="${round(y)}" class="${style}">${escaped}</text>`;
}

const round = (value: number) => Math.round(value * 100) / 100;
const short = (value: number) =>
  value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
const grouped = (value: number) => value.toLocaleString('en-US');
