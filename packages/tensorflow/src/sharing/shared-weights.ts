import { type Sharing, useOf, type WeightRole, type WeightUse } from '@tutti/parameters';
import { tf } from '../tf.js';
import { applyTo } from './apply.js';
import { expand } from './expand.js';
import type { FactoredWeight } from './factored-weight.js';
import { createLeaves } from './leaves.js';
import { lookUp } from './look-up.js';

/** The weights of a model as operations on stored parameters. */
export interface SharedWeights {
  /** How each weight is used, by its place. */
  readonly uses: readonly WeightUse[];
  /** The weights for one tensor of each stored parameter, inside a tidy. */
  open(stored: readonly tf.Tensor[]): OpenWeights;
  dispose(): void;
}

export interface OpenWeights {
  /** The whole weight; made at its first use if the layer does without. */
  weight(at: number): tf.Tensor;
  /** What a layer gets instead of the weight, if it is applied or looked up. */
  factored(at: number): FactoredWeight | undefined;
  /** Frees what was made at its first use. */
  dispose(): void;
}

/** @param roles what the model's layers do with each weight */
export function createSharedWeights(
  sharing: Sharing,
  roles: readonly WeightRole[] = [],
): SharedWeights {
  const leaves = createLeaves(sharing);
  const places = new Map(sharing.parameters.map(({ name }, at) => [name, at]));
  const uses = sharing.weights.map(({ expression }, at) => useOf(expression, roles[at] ?? 'other'));
  return {
    uses,
    open(stored) {
      const tensor = (name: string) => stored[places.get(name)!]!;
      const late: tf.Tensor[] = [];
      const whole = sharing.weights.map(({ expression }, at) =>
        uses[at] === 'apply' || uses[at] === 'look up'
          ? undefined
          : expand(expression, tensor, leaves),
      );
      return {
        weight(at) {
          // A layer may read it inside a tidy of its own, and another one later.
          whole[at] ??= kept(expand(sharing.weights[at]!.expression, tensor, leaves), late);
          return whole[at];
        },
        factored(at) {
          const use = uses[at];
          if (use !== 'apply' && use !== 'look up') return undefined;
          const { expression } = sharing.weights[at]!;
          const [rows, columns] = expression.shape as [number, number];
          return {
            apply(x) {
              const flat = x.reshape([-1, rows]);
              const product = applyTo(flat, expression, tensor, leaves);
              return product.reshape([...x.shape.slice(0, -1), columns]);
            },
            lookUp: (ids) => lookUp(ids, expression, tensor, leaves),
          };
        },
        dispose: () => tf.dispose(late),
      };
    },
    dispose: leaves.dispose,
  };
}

function kept(tensor: tf.Tensor, list: tf.Tensor[]): tf.Tensor {
  list.push(tf.keep(tensor));
  return tensor;
}
