import { type Expression, nodesOf, sizeOf, storedIn } from './expressions/expression.js';
import { useOf, type WeightRole, type WeightUse } from './plan-use.js';
import type { Sharing } from './resolve.js';

/** What one weight of the model costs, and what it is made of. */
export interface WeightReport {
  readonly weight: string;
  readonly shape: readonly number[];
  readonly kind: string;
  readonly use: WeightUse;
  /** The stored parameters that it reads. */
  readonly parameters: readonly string[];
  /** Elements that the model reads. */
  readonly elements: number;
  /** Values of the parameters that it reads. */
  readonly stored: number;
  /** Those of them that no weight before it reads: they add up to what is stored. */
  readonly own: number;
  /** How often a stored value is used for one example, on average, by this weight. */
  readonly usesPerValue: number;
  /** For its own stored values: a worker receives each at every step, and sends its gradient. */
  readonly wireBytesPerStep: number;
  /** What the optimizer keeps for its own stored values. */
  readonly optimizerBytes: number;
  /** Bytes of maps, frozen and grown values, in every worker, that no weight before it counts. */
  readonly constantBytes: number;
}

export interface SharingReport {
  readonly weights: readonly WeightReport[];
  readonly elements: number;
  readonly stored: number;
  readonly wireBytesPerStep: number;
  readonly optimizerBytes: number;
  readonly constantBytes: number;
}

/**
 * What a model's weights are made of.
 * @param init.roles what layers do with each weight
 * @param init.repeats how often a layer uses each element for one example: a convolution at every
 *   place of the image, a recurrent layer at every step of the sequence
 * @param init.slots values that the optimizer keeps for each trained one
 */
export function inspectSharing(
  sharing: Sharing,
  init: {
    readonly roles: readonly WeightRole[];
    readonly repeats: readonly number[];
    readonly slots: number;
  },
): SharingReport {
  const sizes = new Map(sharing.parameters.map(({ name, shape }) => [name, sizeOf(shape)]));
  const total = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + sizes.get(name)!, 0);
  const trained = new Set(
    sharing.parameters.filter(({ update }) => update !== 'average').map(({ name }) => name),
  );
  const seen = new Set<string>();
  const known = new Set<Expression | Int32Array>();
  const weights = sharing.weights.map(({ weight, shape, kind, expression }, at): WeightReport => {
    const parameters = storedIn(expression);
    const own = parameters.filter((name) => !seen.has(name));
    for (const name of own) seen.add(name);
    const elements = sizeOf(shape);
    const stored = total(parameters);
    const reads = elements * readsOf(expression) * (init.repeats[at] ?? 1);
    return {
      weight,
      shape,
      kind,
      use: useOf(expression, init.roles[at] ?? 'other'),
      parameters,
      elements,
      stored,
      own: total(own),
      usesPerValue: stored === 0 ? 0 : reads / stored,
      wireBytesPerStep: 2 * FLOAT_BYTES * total(own),
      optimizerBytes: FLOAT_BYTES * init.slots * total(own.filter((name) => trained.has(name))),
      constantBytes: constantBytes(expression, known),
    };
  });
  const sum = (measure: (report: WeightReport) => number) =>
    weights.reduce((total, report) => total + measure(report), 0);
  return {
    weights,
    elements: sum(({ elements }) => elements),
    stored: sum(({ own }) => own),
    wireBytesPerStep: sum((report) => report.wireBytesPerStep),
    optimizerBytes: sum((report) => report.optimizerBytes),
    constantBytes: sum((report) => report.constantBytes),
  };
}

const FLOAT_BYTES = 4;

/** Counts what no weight before has counted. */
function constantBytes(expression: Expression, known: Set<Expression | Int32Array>): number {
  let bytes = 0;
  for (const node of nodesOf(expression)) {
    const constant = node.op === 'constant' ? node : node.op === 'gather' ? node.index : undefined;
    if (constant === undefined || known.has(constant)) continue;
    known.add(constant);
    bytes += FLOAT_BYTES * ('length' in constant ? constant.length : sizeOf(constant.shape));
  }
  return bytes;
}

/** How many stored values an element reads, on average. */
function readsOf(expression: Expression): number {
  switch (expression.op) {
    case 'stored':
      return 1;
    case 'constant':
      return 0;
    case 'gather': {
      const used = expression.index.reduce((count, at) => count + (at === 0 ? 0 : 1), 0);
      return (readsOf(expression.of) * used) / expression.index.length;
    }
    case 'matmul':
      return expression.left.shape[1]! * (readsOf(expression.left) + readsOf(expression.right));
    case 'kronecker':
    case 'add':
      return readsOf(expression.left) + readsOf(expression.right);
    case 'scale': {
      const { of: input, by } = expression;
      return readsOf(input) + (typeof by === 'number' ? 0 : readsOf(by));
    }
    case 'sum':
      return readsOf(expression.of) * expression.of.shape.at(-1)!;
    case 'concat':
      return (
        expression.of.reduce((sum, part) => sum + readsOf(part) * sizeOf(part.shape), 0) /
        sizeOf(expression.shape)
      );
    default:
      return readsOf(expression.of);
  }
}
