import { debuglog } from 'node:util';
import type { Tf, tf as types } from '../tf.js';
import { type Graph, type GraphResult, type TracedFunction, traceGraph } from './trace-graph.js';

/** A function of tensors, computed by graphs wherever it has one. */
export interface Graphs<Facts> {
  /** Undefined where there is no graph for inputs of these names, types and shapes. */
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
 */
export function createGraphs<Facts>(tf: Tf, what: string): Graphs<Facts> {
  const graphs = new Map<string, Graph<Facts> | string>();
  const drop = (key: string) => {
    const graph = graphs.get(key);
    if (typeof graph === 'object') graph.close();
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
          typeof graph === 'string' ? `stay single operations, since ${graph}` : 'are a graph now';
        tell(`${what} of ${key} ${computedAs}`);
      }
      // The one that was used last comes last.
      graphs.delete(key);
      graphs.set(key, graph);
      if (graphs.size > KEPT) drop(graphs.keys().next().value!);
      return typeof graph === 'string' ? undefined : graph.run(tensors);
    },
    close() {
      for (const key of [...graphs.keys()]) drop(key);
    },
  };
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
