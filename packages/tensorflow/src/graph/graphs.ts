import { debuglog } from 'node:util';
import { TuttiError } from '@tutti/runtime';
import type { Tf, tf as types } from '../tf.js';
import type { Obstacle } from './obstacle.js';
import { type Graph, type GraphResult, type TracedFunction, traceGraph } from './trace-graph.js';

/** A function of tensors, computed by graphs wherever it has one. */
export interface Graphs<Facts> {
  /**
   * Undefined where there is no graph for inputs of these names, types and shapes.
   * @throws TuttiError PROGRAM_FAILED if the program promised to be steady, and is seen not to be
   */
  run(inputs: readonly Input[], traced: TracedFunction<Facts>): GraphResult<Facts> | undefined;
  close(): void;
}

type Input = readonly [name: string, tensor: types.Tensor];

/** For a program whose micro-batches differ in shape: each graph takes megabytes. */
const KEPT = 16;

/** Shown with NODE_DEBUG=tutti-graph in the environment. */
export const tell: (message: string) => void = debuglog('tutti-graph');

/**
 * One graph for each combination of names, types and shapes, traced when it is first needed.
 * @param what they compute, in the plural
 * @param promised what they compute depends on shapes alone, says the program
 */
export function createGraphs<Facts>(tf: Tf, what: string, promised: boolean): Graphs<Facts> {
  const graphs = new Map<string, Graph<Facts> | Obstacle>();
  const drop = (key: string) => {
    const graph = graphs.get(key);
    if (graph !== undefined && 'run' in graph) graph.close();
    graphs.delete(key);
  };
  return {
    run(inputs, traced) {
      const key = signatureOf(inputs);
      const tensors = inputs.map(([, tensor]) => tensor);
      let graph = graphs.get(key);
      if (graph === undefined) {
        graph = traceGraph(tf, tensors, traced);
        const computedAs =
          'run' in graph ? 'are a graph now' : `stay single operations, since ${graph.reason}`;
        tell(`${what} of ${key} ${computedAs}`);
      }
      // The one that was used last comes last.
      graphs.delete(key);
      graphs.set(key, graph);
      if (graphs.size > KEPT) drop(graphs.keys().next().value!);
      if ('run' in graph) return graph.run(tensors);
      if (promised && !graph.steady) throw brokenPromise(what, key, graph);
      return undefined;
    },
    close() {
      for (const key of [...graphs.keys()]) drop(key);
    },
  };
}

/** Another process might not see it, and would take a graph: its results would have other bits. */
function brokenPromise(what: string, key: string, { reason }: Obstacle): TuttiError {
  return new TuttiError(
    'PROGRAM_FAILED',
    `The program says \`graph: true\`, but it does not do the same each time: ${what.toLowerCase()} of ${key} are to be a graph, and ${reason}`,
    {
      remedy:
        'Have model, layers and loss compute by operations of tf alone, which ones and with which constants following from shapes; or say `graph: false`.',
    },
  );
}

/** Also tells which inputs are the same tensor: "x float32[64,784], y float32[64,784] = x". */
function signatureOf(inputs: readonly Input[]): string {
  const names = new Map<object, string>();
  return inputs
    .map(([name, { dataId, dtype, shape }]) => {
      const same = names.get(dataId);
      if (same === undefined) names.set(dataId, name);
      return `${name} ${dtype}[${shape.join()}]${same === undefined ? '' : ` = ${same}`}`;
    })
    .join(', ');
}
