import type { WeightRole, WeightSpec } from '@tutti/parameters';
import { type Random, TuttiError } from '@tutti/runtime';
import { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import { FUNCTION, withoutState } from '../tfjs/outside-state.js';
import { withRandom } from '../tfjs/seeded.js';
import { tidied } from '../tfjs/tidied.js';
import type { DifferentiableModel } from './differentiable-model.js';

/** A model as a function over named parameters. */
export interface FunctionModel<Name extends string = string> {
  /**
   * The shape of every parameter; `update: 'average'` for one that `context.update` moves, `frozen`
   * for one that keeps its first values and is stored by nobody.
   */
  readonly parameters: Readonly<Record<Name, ParameterDeclaration>>;
  /** First values of every parameter. `tf.randomNormal` and the like are seeded as well. */
  initialize(random: Random): Readonly<Record<Name, tf.Tensor | ArrayLike<number>>>;
  /** The predictions for a batch, [n, ...]; several by the names that have a loss. Synchronous. */
  apply(
    weights: Readonly<Record<Name, tf.Tensor>>,
    batch: BatchTensors,
    context: FunctionContext<Name>,
  ): tf.Tensor | Readonly<Record<string, tf.Tensor>>;
}

export type ParameterDeclaration =
  | readonly number[]
  | {
      readonly shape: readonly number[];
      readonly update?: 'gradient' | 'average' | 'frozen';
      /** False exempts it from weight decay. */
      readonly decay?: boolean;
      /**
       * What it is for, if it is a matrix that is shared and need not be made whole: `product` for
       * `context.product`, `rows` for `context.rows`.
       */
      readonly role?: 'product' | 'rows';
    };

export interface FunctionContext<Name extends string = string> {
  readonly training: boolean;
  /** Follows from (seed, epoch, step, shard), as everything random inside `apply` must. */
  readonly random: Random;
  /** While training: the new value of an `average` parameter, as seen from this micro-batch. */
  update(name: Name, value: tf.Tensor): void;
  /** x W, for x [..., rows] and a parameter W [rows, columns]: factor by factor, where that is less. */
  product(x: tf.Tensor, name: Name): tf.Tensor;
  /** Rows of a parameter [rows, columns], for their numbers [...]: [..., columns]. */
  rows(ids: tf.Tensor, name: Name): tf.Tensor;
}

export function functionModel<Name extends string>(
  model: FunctionModel<Name>,
): DifferentiableModel {
  const weights = (Object.entries(model.parameters) as [Name, ParameterDeclaration][]).map(
    ([name, declared]): WeightSpec & { name: Name; role?: WeightRole } =>
      isShape(declared) ? { name, shape: declared } : { ...declared, name },
  );
  const indexOf = new Map<string, number>(weights.map(({ name }, at) => [name, at]));
  const matrix = (called: 'product' | 'rows', name: Name): number => {
    const at = indexOf.get(name);
    if (at !== undefined && weights[at]!.shape.length === 2) return at;
    throw new TuttiError(
      'PROGRAM_FAILED',
      `context.${called}("${name}") names no parameter that is a matrix`,
      { remedy: 'Declare it with a shape of two dimensions.' },
    );
  };
  return {
    weights,
    roles: weights.map(({ role = 'other' }) => role),
    repeats: weights.map(() => 1),
    outputs: undefined,
    softmax: [],
    unsteady: 'its model is a function',
    initialize(random) {
      return tidied(() => {
        const values = withRandom(random, () => model.initialize(random));
        return weights.map((weight) => flatValues(weight, values[weight.name]));
      });
    },
    forward(weight, batch, { training, random, write, factored, outputs: names }) {
      const named = Object.defineProperties(
        {},
        Object.fromEntries(
          weights.map(({ name }, at) => [name, { enumerable: true, get: () => weight(at) }]),
        ),
      );
      const context: FunctionContext<Name> = {
        training,
        random,
        update(name, value) {
          const at = indexOf.get(name);
          if (at === undefined || weights[at]!.update !== 'average')
            throw new TuttiError(
              'PROGRAM_FAILED',
              `context.update("${name}") names no parameter with update: 'average'`,
              { remedy: "Declare it as { shape, update: 'average' }." },
            );
          if (training) write(at, value);
        },
        product(x, name) {
          const at = matrix('product', name);
          const [rows, columns] = weights[at]!.shape as [number, number];
          const whole = () => x.reshape([-1, rows]).matMul(weight(at));
          return (factored(at)?.apply(x) ?? whole()).reshape([...x.shape.slice(0, -1), columns]);
        },
        rows(ids, name) {
          const at = matrix('rows', name);
          const flat = ids.cast('int32').reshape([-1]) as tf.Tensor1D;
          const found = factored(at)?.lookUp(flat) ?? weight(at).gather(flat);
          return found.reshape([...ids.shape, weights[at]!.shape[1]!]);
        },
      };
      const outputs = withoutState('`model.apply`', FUNCTION, () =>
        model.apply(named as Record<Name, tf.Tensor>, batch, context),
      );
      return { outputs: tensorsOf(outputs, names), masks: [], penalties: [] };
    },
    dispose() {},
  };
}

/** @throws TuttiError PROGRAM_FAILED unless there is a tensor for each name */
function tensorsOf(
  given: ReturnType<FunctionModel['apply']>,
  names: readonly string[] | undefined,
): tf.Tensor[] {
  if (names === undefined) {
    if (given instanceof tf.Tensor) return [given];
    throw new TuttiError('PROGRAM_FAILED', '`model.apply` did not return a tensor', {
      remedy:
        'Return the predictions as one tensor, or give the loss of each by its name; `apply` must be synchronous.',
    });
  }
  return names.map((name) => {
    const output = given instanceof tf.Tensor ? undefined : given?.[name];
    if (output instanceof tf.Tensor) return output;
    throw new TuttiError('PROGRAM_FAILED', `\`model.apply\` did not return "${name}"`, {
      remedy: `Return a tensor for each that has a loss: { ${names.join(', ')} }.`,
    });
  });
}

function isShape(declared: ParameterDeclaration): declared is readonly number[] {
  return Array.isArray(declared);
}

function flatValues(
  { name, shape }: WeightSpec,
  given: tf.Tensor | ArrayLike<number> | undefined,
): Float32Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = given instanceof tf.Tensor ? given.dataSync() : given;
  if (values === undefined || values.length !== size)
    throw new TuttiError(
      'BAD_PROGRAM',
      `\`model.initialize\` gave ${values?.length ?? 'no'} values for "${name}" [${shape.join(', ')}], which has ${size}`,
      { remedy: 'Give every parameter as many values as its shape says.' },
    );
  return Float32Array.from(values);
}
