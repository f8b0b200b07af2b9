import type { Expression, Op, Sharing } from '@tutti/parameters';
import { tf } from '../tf.js';

/** The tensors that expressions read besides stored parameters: made at their first use, and kept. */
export interface Leaves {
  constant(node: Op<'constant'>): tf.Tensor;
  /** The map of a gather: row |i| - 1, negated where i is negative, zeros where i is 0. */
  rows(node: Op<'gather'>): RowMap;
  dispose(): void;
}

export interface RowMap {
  /** Flat, int32. If `signed`, as in the expression; otherwise, rows counted from 0. */
  readonly index: tf.Tensor1D;
  readonly signed: boolean;
}

export function createLeaves({ constant }: Pick<Sharing, 'constant'>): Leaves {
  const tensors = new Map<Expression, tf.Tensor>();
  const maps = new Map<Int32Array, RowMap>();
  return {
    constant(node) {
      let tensor = tensors.get(node);
      if (tensor === undefined) {
        tensor = tf.keep(tf.tensor(constant(node), [...node.shape], 'float32'));
        tensors.set(node, tensor);
      }
      return tensor;
    },
    rows({ index }) {
      let map = maps.get(index);
      if (map === undefined) {
        // Signs stay in the index, so that a map takes four bytes an element, not eight.
        const signed = index.some((at) => at <= 0);
        const values = signed ? index.slice() : index.map((at) => at - 1);
        map = { index: tf.keep(tf.tensor1d(values, 'int32')), signed };
        maps.set(index, map);
      }
      return map;
    },
    dispose() {
      tf.dispose([...tensors.values()]);
      tf.dispose([...maps.values()].map(({ index }) => index));
      tensors.clear();
      maps.clear();
    },
  };
}
