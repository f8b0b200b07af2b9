import type { MetricForm, MetricForms } from '@tutti/protocol';

/** Sums of the parts of one metric, by the part: 0 where there is none. */
type Parts = ReadonlyMap<string, number>;

/**
 * Metrics as people read them, from their sums over `count` examples. What would be divided by zero
 * is 0, as in Keras.
 */
export function metricValues(
  sums: Readonly<Record<string, number>>,
  count: number,
  forms: MetricForms,
): Record<string, number> {
  const values: Record<string, number> = {};
  const parts = new Map(Object.keys(forms).map((name) => [name, new Map<string, number>()]));
  for (const [key, sum] of Object.entries(sums)) {
    const slash = key.lastIndexOf('/');
    const own = parts.get(key.slice(0, Math.max(slash, 0)));
    if (own === undefined) values[key] = sum / count;
    else own.set(key.slice(slash + 1), sum);
  }
  for (const [name, own] of parts) if (own.size > 0) values[name] = FORMULAS[forms[name]!](own);
  return values;
}

const FORMULAS: Readonly<Record<MetricForm, (parts: Parts) => number>> = {
  ratio,
  root: (parts) => Math.sqrt(ratio(parts)),
  exponential: (parts) => Math.exp(ratio(parts)),
  determination,
  area,
};

function ratio(parts: Parts): number {
  return quotient(at(parts, 'over'), at(parts, 'under'));
}

/**
 * R²: of each column what the predictions explain of the variance; their mean. Labels that are all the same
 * have none, but for what rounding made of it: 0, as in Keras.
 */
function determination(parts: Parts): number {
  const count = at(parts, 'count');
  let [columns, total] = [0, 0];
  for (; parts.has(`total${columns}`); columns++) {
    const sum = at(parts, `total${columns}`);
    const square = at(parts, `square${columns}`);
    const variance = square - quotient(sum * sum, count);
    if (variance > count * Number.EPSILON * square)
      total += 1 - at(parts, `residual${columns}`) / variance;
  }
  return quotient(total, columns);
}

/** By trapezoids between the thresholds, from the highest to the lowest. */
function area(parts: Parts): number {
  const histogram = (label: 'p' | 'n') =>
    new Map(
      [...parts].flatMap(([part, sum]) =>
        part[0] === label ? [[Number(part.slice(1)), sum]] : [],
      ),
    );
  const [positives, negatives] = [histogram('p'), histogram('n')];
  const bins = [...new Set([...positives.keys(), ...negatives.keys()])].sort((a, b) => b - a);
  let [found, before, twice] = [0, 0, 0];
  let wrong = 0;
  for (const bin of bins) {
    const more = negatives.get(bin) ?? 0;
    before = found;
    found += positives.get(bin) ?? 0;
    wrong += more;
    twice += more * (before + found);
  }
  return quotient(twice, 2 * found * wrong);
}

function at(parts: Parts, part: string): number {
  return parts.get(part) ?? 0;
}

function quotient(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}
