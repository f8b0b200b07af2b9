import { createGraphs, type Graphs, tell } from '../graph/graphs.js';
import type { GraphResult } from '../graph/trace-graph.js';
import { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import type {
  Derivatives,
  Differentiation,
  DifferentiationContext,
  Values,
} from './differentiation.js';
import type { TrainingOptions } from './training-options.js';

/**
 * The passes over a batch as graphs of TensorFlow. Undefined where there is none; labels are not checked.
 * Both throw TuttiError PROGRAM_FAILED where a program says `graph: true` of what is seen to be unsteady.
 */
export interface GraphPasses {
  evaluate(stored: readonly tf.Tensor[], batch: BatchTensors): Values | undefined;
  differentiate(stored: readonly tf.Tensor[], batch: BatchTensors): Derivatives | undefined;
  close(): void;
}

/** Which tensors a graph gives after the losses and the outputs. */
interface Facts {
  readonly gradients: readonly number[];
  readonly written: readonly string[];
  readonly measured: readonly string[];
  readonly outputs: number;
  /** Which outputs have a mask. */
  readonly masks: readonly boolean[];
}

/**
 * Undefined where the program is not to be traced: by rule, for the bits of its gradients depend on
 * it. What a function of the program does at another call nobody can know, so there it decides.
 * @param unsteady why the model might do something else at another call
 * @param recording runs a task so that it uses operations that a graph may have
 */
export function openGraphPasses(
  { graph, loss }: Pick<TrainingOptions, 'graph' | 'loss'>,
  unsteady: string | undefined,
  { evaluate, differentiate }: Differentiation,
  recording: <T>(task: () => T) => T,
): GraphPasses | undefined {
  const reason =
    graph === undefined
      ? (unsteady ??
        (losses(loss).some((each) => typeof each === 'function')
          ? 'its loss is a function'
          : undefined))
      : graph
        ? undefined
        : 'it says so';
  if (reason !== undefined) {
    tell(`The program has no graphs: ${reason}`);
    return undefined;
  }
  const all: Graphs<Facts>[] = [];
  /** The same pass, by graphs of its own. */
  const graphed = (what: string, pass: Pass) => {
    const graphs = createGraphs<Facts>(tf, what, graph === true);
    all.push(graphs);
    return (stored: readonly tf.Tensor[], batch: BatchTensors): Derivatives | undefined => {
      const inputs = [
        ...stored.map((tensor, at) => [`parameter ${at}`, tensor] as const),
        ...Object.entries(batch).sort(([a], [b]) => (a < b ? -1 : 1)),
      ];
      const result = graphs.run(inputs, (random, noise) =>
        recording(() => flat(pass(stored, batch, { random, noise, unchecked: true }))),
      );
      return result && named(result);
    };
  };
  return {
    evaluate: graphed('Evaluations', evaluate),
    differentiate: graphed('Gradients', differentiate),
    close() {
      for (const graphs of all) graphs.close();
    },
  };
}

/** That of the only output, or those of all. */
function losses(loss: TrainingOptions['loss']): unknown[] {
  return typeof loss === 'object' ? Object.values(loss) : [loss];
}

type Pass = (
  stored: readonly tf.Tensor[],
  batch: BatchTensors,
  context: DifferentiationContext,
) => Values | Derivatives;

function flat(values: Values | Derivatives): GraphResult<Facts> {
  const none = { gradients: new Map<number, tf.Tensor>(), written: new Map<string, tf.Tensor>() };
  const { losses, outputs, masks, gradients, written, measured } = { ...none, ...values };
  const tensors = [
    losses,
    ...outputs,
    ...masks.filter((mask) => mask !== undefined),
    ...[gradients, written, measured].flatMap((each) => [...each.values()]),
  ];
  // Clones belong to the tidy around, unlike those that are kept.
  const clones = tensors.map((tensor) => tensor.clone());
  values.dispose();
  return {
    tensors: clones,
    facts: {
      gradients: [...gradients.keys()],
      written: [...written.keys()],
      measured: [...measured.keys()],
      outputs: outputs.length,
      masks: masks.map(Boolean),
    },
  };
}

function named({ tensors, facts }: GraphResult<Facts>): Derivatives {
  const [losses, ...rest] = tensors;
  const outputs = rest.splice(0, facts.outputs);
  const next = <Key>(keys: readonly Key[]) =>
    new Map(keys.map((key): [Key, tf.Tensor] => [key, rest.shift()!]));
  return {
    losses: losses!,
    outputs,
    masks: facts.masks.map((there) => (there ? rest.shift() : undefined)),
    gradients: next(facts.gradients),
    written: next(facts.written),
    measured: next(facts.measured),
    dispose() {},
  };
}
