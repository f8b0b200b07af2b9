import type { BatchTensors } from './batch-tensors.js';
import type { Derivatives, Differentiation } from './differentiation.js';
import type { Outcome } from './graph/capture.js';
import { createGraphs, tell } from './graph/graphs.js';
import { tf } from './tf.js';
import type { TrainingOptions } from './training.js';

/** Derivatives from graphs of TensorFlow. */
export interface GraphDerivatives {
  /** Undefined where there is no graph. The labels are not checked. */
  of(stored: readonly tf.Tensor[], batch: BatchTensors): Derivatives | undefined;
  close(): void;
}

/** Which tensors a graph gives after the losses and the outputs. */
interface Facts {
  readonly gradients: readonly number[];
  readonly written: readonly string[];
  readonly measured: readonly string[];
}

/**
 * Undefined where gradients are not to be captured: by rule, for their bits depend on it. What a
 * function of the program does at another call nobody can know, so there the program decides.
 * @param unsteady why the model might do something else at another call
 * @param recording runs a task so that it uses operations that a graph may have
 */
export function openGraphDerivatives(
  { graph, loss }: Pick<TrainingOptions, 'graph' | 'loss'>,
  unsteady: string | undefined,
  { differentiate }: Differentiation,
  recording: <T>(task: () => T) => T,
): GraphDerivatives | undefined {
  const reason =
    graph === undefined
      ? (unsteady ?? (typeof loss === 'function' ? 'its loss is a function' : undefined))
      : graph
        ? undefined
        : 'it says so';
  if (reason !== undefined) {
    tell(`The program has no graphs: ${reason}`);
    return undefined;
  }
  const graphs = createGraphs<Facts>(tf);
  return {
    of(stored, batch) {
      const inputs = [
        ...stored.map((tensor, at) => [`parameter ${at}`, tensor] as const),
        ...Object.entries(batch).sort(([a], [b]) => (a < b ? -1 : 1)),
      ];
      const outcome = graphs.run(inputs, (random, noise) =>
        recording(() => flat(differentiate(stored, batch, { random, noise, unchecked: true }))),
      );
      return outcome && named(outcome);
    },
    close: () => graphs.close(),
  };
}

function flat(derivatives: Derivatives): Outcome<Facts> {
  const { losses, outputs, gradients, written, measured } = derivatives;
  const tensors = [
    losses,
    outputs,
    ...[gradients, written, measured].flatMap((each) => [...each.values()]),
  ];
  // Of the tidy around, unlike those that are kept.
  const clones = tensors.map((tensor) => tensor.clone());
  derivatives.dispose();
  return {
    tensors: clones,
    facts: {
      gradients: [...gradients.keys()],
      written: [...written.keys()],
      measured: [...measured.keys()],
    },
  };
}

function named({ tensors, facts }: Outcome<Facts>): Derivatives {
  const [losses, outputs, ...rest] = tensors;
  const next = <Key>(keys: readonly Key[]) =>
    new Map(keys.map((key): [Key, tf.Tensor] => [key, rest.shift()!]));
  return {
    losses: losses!,
    outputs: outputs!,
    gradients: next(facts.gradients),
    written: next(facts.written),
    measured: next(facts.measured),
    dispose() {},
  };
}
