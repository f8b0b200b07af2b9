import type { Sharing } from '@tutti/parameters';
import { type Random, TuttiError } from '@tutti/runtime';
import type { DifferentiableModel } from '../model/differentiable-model.js';
import type { OpenWeights, SharedWeights } from '../sharing/shared-weights.js';
import { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import { drawNoise, type Noise } from '../tfjs/noise.js';
import type { Objective } from './objective.js';

/** What the forward pass over a batch gives, as tensors. */
export interface Values {
  /** One loss for each example, with the penalties. */
  readonly losses: tf.Tensor;
  /** The predictions of each output; their logits, where the softmax is left out. */
  readonly outputs: readonly tf.Tensor[];
  /** What the layers found to count of each output, where they know. */
  readonly masks: readonly (tf.Tensor | undefined)[];
  /** What the sums of metrics of ours are made of, by metric and part. */
  readonly measured: ReadonlyMap<string, tf.Tensor>;
  /** Frees those that a tidy does not. */
  dispose(): void;
}

/** What one micro-batch gives when it is trained on. */
export interface Derivatives extends Values {
  /** By the place of the parameter, where the loss depends on it. */
  readonly gradients: ReadonlyMap<number, tf.Tensor>;
  /** The new values of weights that no gradient moves, by name. */
  readonly written: ReadonlyMap<string, tf.Tensor>;
}

/** Both are called inside a tidy. */
export interface Differentiation {
  evaluate(
    stored: readonly tf.Tensor[],
    batch: BatchTensors,
    context: DifferentiationContext,
  ): Values;
  /** Forward and back, as in training. */
  differentiate(
    stored: readonly tf.Tensor[],
    batch: BatchTensors,
    context: DifferentiationContext,
  ): Derivatives;
}

export type DifferentiationContext = Omit<PassContext, 'training' | 'write'>;

interface PassContext {
  readonly training: boolean;
  readonly random: Random;
  /** Drawn from `Math.random`, if not given. */
  readonly noise?: Noise;
  /** Takes the new value of a weight, by its place. */
  write(weight: number, value: tf.Tensor): void;
  /** Stands between a weight, by its place, and its uses. */
  readonly tap?: ((weight: number, tensor: tf.Tensor) => tf.Tensor) | undefined;
  /** Reads no labels: they are checked later. */
  readonly unchecked?: boolean;
}

export function createDifferentiation(init: {
  readonly model: DifferentiableModel;
  readonly objective: Objective;
  readonly sharing: Sharing;
  readonly shared: SharedWeights;
}): Differentiation {
  const { model, objective, sharing, shared } = init;
  const moved = sharing.parameters.flatMap(({ update }, at) => (update === 'average' ? [] : [at]));

  function forward(
    open: OpenWeights,
    batch: BatchTensors,
    { training, random, noise = drawNoise, write, tap, unchecked }: PassContext,
  ) {
    const weights = new Map<number, tf.Tensor>();
    const weight = (at: number) => {
      let tensor = weights.get(at);
      if (tensor === undefined) {
        const whole = open.weight(at);
        tensor = tap?.(at, whole) ?? whole;
        weights.set(at, tensor);
      }
      return tensor;
    };
    const { outputs, masks, penalties } = model.forward(weight, batch, {
      training,
      random,
      noise,
      write,
      factored: open.factored,
      logits: objective.logits,
      outputs: objective.outputs,
    });
    for (const output of outputs) checkCount(batch, output);
    if (!unchecked)
      objective.check(
        batch,
        outputs.map(({ shape }) => shape),
      );
    const { all, each } = objective.losses({ batch, outputs, masks }, training);
    for (const tensor of [...outputs, ...each.values()]) tf.keep(tensor);
    return {
      outputs,
      masks,
      each,
      losses: penalties.reduce((total, penalty) => total.add(penalty), all),
    };
  }

  /** The tensors of a pass that are there after it, until they are disposed of. */
  const keptOf = ({ outputs, masks, each }: ReturnType<typeof forward>) => [
    ...outputs,
    ...each.values(),
    ...masks.filter((mask) => mask !== undefined),
  ];

  const valuesOf = (batch: BatchTensors, done: ReturnType<typeof forward>) => {
    const { outputs, masks, each } = done;
    const measured = objective.measure({ batch, outputs, masks });
    return { outputs, masks, measured: new Map([...each, ...measured]) };
  };

  return {
    evaluate(stored, batch, context) {
      const open = shared.open(stored);
      let done: ReturnType<typeof forward> | undefined;
      const dispose = () => {
        if (done !== undefined) tf.dispose(keptOf(done));
        open.dispose();
      };
      try {
        done = forward(open, batch, { ...context, training: false, write() {} });
        return { losses: done.losses, ...valuesOf(batch, done), dispose };
      } catch (error) {
        dispose();
        throw error;
      }
    },
    differentiate(stored, batch, context) {
      const written = new Map<string, tf.Tensor>();
      let open: OpenWeights | undefined;
      let done: ReturnType<typeof forward> | undefined;
      const dispose = () => {
        if (done !== undefined) tf.dispose(keptOf(done));
        open?.dispose();
        for (const tensor of written.values()) tensor.dispose();
      };
      function write(at: number, next: tf.Tensor) {
        const { name } = model.weights[at]!;
        const before = written.get(name);
        written.set(name, tf.keep(next));
        if (before !== next) before?.dispose();
      }
      try {
        const { value, grads } = tf.engine().gradients(
          () => {
            open = shared.open(stored);
            done = forward(open, batch, { ...context, training: true, write });
            return done.losses;
          },
          moved.map((at) => stored[at]!),
          undefined,
          true,
        );
        if (!grads.some(Boolean))
          throw new TuttiError('PROGRAM_FAILED', 'The loss does not depend on any weight', {
            remedy: 'Compute it from yPred with operations of tf, without reading values out.',
          });
        const gradients = moved.flatMap((at, i): [number, tf.Tensor][] =>
          grads[i] ? [[at, grads[i]]] : [],
        );
        return {
          losses: value,
          ...valuesOf(batch, done!),
          gradients: new Map(gradients),
          written,
          dispose,
        };
      } catch (error) {
        dispose();
        throw error;
      }
    },
  };
}

/** @throws TuttiError PROGRAM_FAILED unless the model predicts something for each example */
function checkCount(batch: BatchTensors, outputs: tf.Tensor): void {
  const examples = Object.values(batch)[0]?.shape[0];
  if (outputs.shape[0] === examples) return;
  throw new TuttiError(
    'PROGRAM_FAILED',
    `The model gave predictions [${outputs.shape.join(', ')}] for ${examples} examples`,
    { remedy: `Let it give a tensor [${examples}, ...]: the first dimension is the examples.` },
  );
}
