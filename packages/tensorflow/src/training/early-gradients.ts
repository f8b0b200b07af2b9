import type { Sharing } from '@tutti/parameters';
import type { TakeKnown } from '@tutti/worker';
import { tf } from '../tf.js';
import { floatSource } from './float-source.js';

/** Stored parameters that one weight alone uses, as it is: by the place of that weight. */
export type SoleUses = ReadonlyMap<number, string>;

export function soleUses({ parameters, weights }: Sharing): SoleUses {
  const trained = new Set(
    parameters.filter(({ update }) => update !== 'average').map(({ name }) => name),
  );
  const uses = (parameter: string) =>
    weights.filter(({ parameters: read }) => read.includes(parameter)).length;
  return new Map(
    [...weights.entries()].flatMap(([at, { expression }]) =>
      expression.op === 'stored' && trained.has(expression.name) && uses(expression.name) === 1
        ? [[at, expression.name]]
        : [],
    ),
  );
}

/**
 * Tells gradients while the backward pass still runs. Each weight goes through an identity on the
 * tape, put there where the weight is first used: going back, the identity comes after all uses, so
 * its gradient is the whole one, and the layers before it are still to come.
 */
export function createEarlyGradients(
  sole: SoleUses,
  known: TakeKnown,
): {
  readonly tap: (weight: number, tensor: tf.Tensor) => tf.Tensor;
  /** The parameters whose gradient has been told. */
  readonly told: ReadonlySet<string>;
  dispose(): void;
} {
  const told = new Set<string>();
  const identities: tf.Tensor[] = [];
  return {
    told,
    dispose: () => tf.dispose(identities),
    tap(weight, tensor) {
      const parameter = sole.get(weight);
      if (parameter === undefined) return tensor;
      const identity = tf.customGrad((x) => ({
        value: (x as tf.Tensor).clone(),
        gradFunc: (dy: tf.Tensor) => {
          known(parameter, floatSource(dy));
          told.add(parameter);
          return dy;
        },
      }));
      // A layer may read it first inside a tidy of its own, and again in the next.
      const read = tf.keep(identity(tensor));
      identities.push(read);
      return read;
    },
  };
}
