import { checkKeys } from '@tutti/runtime';
import { gather, sizeOf } from '../expressions/expression.js';
import {
  badRule,
  called,
  type KindRule,
  type Pretrained,
  type Size,
  show,
  storedSize,
} from '../rule.js';
import { readByElements } from '../values.js';

export interface PrunedOptions extends Size {
  /** Instead of a size: which elements are kept (true, or anything but 0). */
  readonly mask?: ArrayLike<number | boolean> | undefined;
  /** What is pruned; the model's own first values, if not given. */
  readonly from?: Pretrained | undefined;
}

/**
 * Only some elements are stored, the others are 0: the largest by magnitude, `stored` or `ratio` of
 * them (Han et al. 2015), or those of a mask.
 */
export function pruned(names: string | readonly string[], options: PrunedOptions): KindRule {
  checkKeys('pruned', options, { stored: true, ratio: true, mask: true, from: true });
  const { mask, from } = options;
  return {
    kind: 'pruned',
    names: [names].flat(),
    from,
    define([weight], valuesOf) {
      const { name, shape } = weight!;
      const rule = called('pruned', [name]);
      const size = sizeOf(shape);
      const kept =
        mask === undefined
          ? largest(valuesOf(weight!), storedSize(rule, size, options))
          : given(rule, mask, shape);
      const index = new Int32Array(size);
      let count = 0;
      for (let i = 0; i < size; i++) if (kept[i]) index[i] = ++count;
      if (count === 0) throw badRule(`${rule} keeps no element`, 'Give a mask that keeps some.');
      return readByElements(name, [count], (values) => gather(values, index, shape));
    },
  };
}

/** Where magnitudes are equal, the first. */
function largest(values: Float32Array, count: number): Uint8Array {
  const order = Uint32Array.from(values, (_, i) => i).sort(
    (a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b,
  );
  const kept = new Uint8Array(values.length);
  for (const at of order.subarray(0, count)) kept[at] = 1;
  return kept;
}

function given(
  rule: string,
  mask: ArrayLike<number | boolean>,
  shape: readonly number[],
): ArrayLike<number | boolean> {
  if (mask.length === sizeOf(shape)) return mask;
  throw badRule(
    `The mask of ${rule} has ${mask.length} elements, but the weight is ${show(shape)}`,
  );
}
