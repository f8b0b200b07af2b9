import type { Batch } from '@tutti/data';
import { inspectSharing, resolveSharing, sharingPicture } from '@tutti/parameters';
import { createRandom, type Random, TuttiError } from '@tutti/runtime';
import type { Computation, ParameterValues } from '@tutti/worker';
import { createAcceleration, noAcceleration } from '../accelerate/index.js';
import { sum } from '../metrics/metric.js';
import type { DifferentiableModel } from '../model/differentiable-model.js';
import { functionModel } from '../model/function-model.js';
import { layersModel } from '../model/layers-model.js';
import { createSharedWeights } from '../sharing/shared-weights.js';
import { checkBackend, tf } from '../tf.js';
import { type BatchTensors, batchTensors, exampleCount } from '../tfjs/batch-tensors.js';
import { FUNCTION, withoutState } from '../tfjs/outside-state.js';
import { withRandom } from '../tfjs/seeded.js';
import { dropTape, tidied } from '../tfjs/tidied.js';
import { arithmeticFacts } from './arithmetic.js';
import { createDifferentiation, type Derivatives, type Values } from './differentiation.js';
import { createEarlyGradients, soleUses } from './early-gradients.js';
import { floatSource } from './float-source.js';
import { openGraphPasses } from './graph-passes.js';
import { lookUpError } from './look-up-errors.js';
import { createObjective } from './objective.js';
import type { TrainingModel, TrainingOptions } from './training-options.js';
import { uploaded } from './uploaded.js';

/** Loads TensorFlow and builds the model. @throws TuttiError BAD_PROGRAM, NO_TENSORFLOW */
export function createComputation(options: TrainingOptions): Computation {
  checkBackend();
  const acceleration = options.accelerate === false ? noAcceleration : createAcceleration(tf);
  const model = differentiable(options.model);
  const objective = createObjective(options, model, acceleration.softmaxCrossEntropy, {
    skipSoftmax: acceleration.enabled,
  });
  checkMonitors(options, ['loss', ...objective.names]);
  const firstValues = (seed: number) => {
    checkBackend();
    const values = model.initialize(createRandom('initialize', seed));
    return Object.fromEntries(model.weights.map(({ name }, at) => [name, values[at]!]));
  };
  const sharing = resolveSharing(
    options.decay === undefined
      ? model.weights
      : model.weights.map((weight) => ({ ...weight, decay: options.decay!(weight.name) })),
    options.sharing,
    () => firstValues(options.seed),
  );
  const { parameters } = sharing;
  const sizes = parameters.map(({ shape }) => shape.reduce((size, extent) => size * extent, 1));
  const shared = createSharedWeights(sharing, model.roles);
  const sole = soleUses(sharing);

  const load = (weights: ParameterValues) =>
    parameters.map(({ name, shape }, at) => {
      const values = weights[name];
      if (values === undefined || values.length !== sizes[at])
        throw new TuttiError(
          'INTERNAL',
          `"${name}" came with ${values?.length ?? 'no'} values instead of ${sizes[at]}`,
          { remedy: 'Give the values of every stored parameter.' },
        );
      return uploaded(values, shape);
    });

  const differentiation = createDifferentiation({
    model,
    objective,
    sharing,
    shared,
  });
  const graphs = acceleration.enabled
    ? openGraphPasses(options, model.unsteady, differentiation, acceleration.recording)
    : undefined;

  const totalsOf = ({ losses, outputs, masks, measured }: Values, batch: BatchTensors) => ({
    lossSum: sum(losses.dataSync()),
    metrics: objective.sums({ batch, outputs, masks }, measured),
  });

  /** A graph reads no labels. */
  const check = (batch: BatchTensors, { outputs }: Values) =>
    objective.check(
      batch,
      outputs.map(({ shape }) => shape),
    );

  const seeded = <T>(random: Random, batch: Batch, task: () => T): T => {
    checkBackend();
    let thrown: unknown;
    try {
      return withRandom(random, () => acceleration.run(() => tidied(task)));
    } catch (error) {
      thrown = lookUpError(error, batch);
      throw thrown;
    } finally {
      // The program may have changed it, after which tfjs throws anything.
      checkBackend(thrown);
    }
  };

  return {
    parameters,
    sharing: {
      ...(sharing.digest === undefined ? {} : { digest: sharing.digest }),
      frozen: sharing.frozen,
      inspect: (slots) => inspectSharing(sharing, { ...model, slots }),
      picture: (report, title) => sharingPicture(sharing, report, title),
    },
    metricForms: objective.metricForms,
    metricDirections: objective.metricDirections,
    arithmetic: arithmeticFacts(graphs ? 'graph' : acceleration.enabled ? 'accelerated' : 'tfjs'),
    initialize: (seed) => sharing.initial(firstValues(seed), seed),
    gradient(weights, { batch, random }, known) {
      const count = exampleCount(batch);
      if (count === 0)
        return {
          gradient: Object.fromEntries(
            parameters.map(({ name }, at) => [name, new Float32Array(sizes[at]!)]),
          ),
          lossSum: 0,
          count,
          metrics: objective.nothing,
        };
      return seeded(random, batch, () => {
        const stored = load(weights);
        const given = batchTensors(batch);
        const tensors =
          options.augment === undefined
            ? given
            : withoutState('`augment`', FUNCTION, () => options.augment!(given, random));
        checkAugmented(tensors, count);
        let early: ReturnType<typeof createEarlyGradients> | undefined;
        let derivatives: Derivatives | undefined;
        try {
          derivatives = graphs?.differentiate(stored, tensors);
          if (derivatives !== undefined) check(tensors, derivatives);
          else {
            early = known && createEarlyGradients(sole, known);
            const tap = early?.tap;
            derivatives = differentiation.differentiate(stored, tensors, { random, tap });
          }
          const { gradients, written } = derivatives;
          const read = createReader();
          return {
            gradient: Object.fromEntries(
              parameters.flatMap(({ name, update }, at) => {
                if (early?.told.has(name)) return [];
                const tensor = gradients.get(at);
                if (tensor && known) {
                  known(name, floatSource(tensor), true);
                  return [];
                }
                if (tensor) return [[name, read(tensor)]];
                const next = update === 'average' ? written.get(name) : undefined;
                const values =
                  next === undefined
                    ? new Float32Array(sizes[at]!)
                    : change(weights[name]!, next.dataSync(), count);
                return [[name, values]];
              }),
            ),
            count,
            ...totalsOf(derivatives, tensors),
          };
        } catch (error) {
          dropTape();
          throw error;
        } finally {
          derivatives?.dispose();
          early?.dispose();
        }
      });
    },
    evaluate(weights, batch: Batch) {
      const count = exampleCount(batch);
      if (count === 0) return { lossSum: 0, count, metrics: objective.nothing };
      return seeded(createRandom('evaluate'), batch, () => {
        const stored = load(weights);
        const tensors = batchTensors(batch);
        let values: Values | undefined;
        try {
          values = graphs?.evaluate(stored, tensors);
          if (values !== undefined) check(tensors, values);
          else {
            const random = createRandom('evaluate');
            values = differentiation.evaluate(stored, tensors, { random });
          }
          return { count, ...totalsOf(values, tensors) };
        } finally {
          values?.dispose();
        }
      });
    },
    close() {
      graphs?.close();
      shared.dispose();
      model.dispose();
    },
  };
}

/** What is watched at the end of an epoch is missed before the first. @throws TuttiError BAD_PROGRAM */
function checkMonitors(options: TrainingOptions, known: readonly string[]): void {
  for (const option of ['earlyStopping', 'reduceOnPlateau'] as const) {
    const monitor = options[option]?.monitor ?? 'loss';
    if (known.includes(monitor)) continue;
    throw new TuttiError('BAD_PROGRAM', `${option} watches "${monitor}", which nobody measures`, {
      remedy: `Let its monitor be one of ${known.join(', ')}, or add it to the metrics.`,
    });
  }
}

/** @throws TuttiError PROGRAM_FAILED unless there are as many examples as before */
function checkAugmented(tensors: BatchTensors, count: number): void {
  for (const [name, tensor] of Object.entries(tensors))
    if (tensor.shape[0] !== count)
      throw new TuttiError(
        'PROGRAM_FAILED',
        `\`augment\` made [${tensor.shape.join(', ')}] of the ${count} examples of field "${name}"`,
        { remedy: 'Return as many examples as came in, the first dimension of every field.' },
      );
}

function differentiable(model: TrainingModel): DifferentiableModel {
  return typeof model === 'function' ? layersModel(model) : functionModel(model);
}

/** Reads tensors out; two that share memory get an array each. */
function createReader(): (tensor: tf.Tensor) => Float32Array {
  const seen = new Set<ArrayBufferLike>();
  return (tensor) => {
    const values = tensor.dataSync() as Float32Array;
    if (seen.has(values.buffer)) return values.slice();
    seen.add(values.buffer);
    return values;
  };
}

/** What one micro-batch adds to the sum behind a moving average: its change for every example. */
function change(before: Float32Array, after: ArrayLike<number>, count: number): Float32Array {
  return Float32Array.from(before, (value, at) => (after[at]! - value) * count);
}
