import {
  isOperation,
  type Operation,
  type RecordedNode,
  type Source,
  typeOf,
} from './recording.js';

type Nodes = readonly RecordedNode[];

/**
 * Whether it is a product of two matrices: of `rows` by something, or of `columns` of one by rows of the other,
 * which is a sum over examples.
 */
export function isProduct(
  nodes: Nodes,
  node: RecordedNode | undefined,
  kind: 'rows' | 'columns',
): node is Operation {
  if (!isOperation(node, 'BatchMatMulV2')) return false;
  const flag = (name: string) => node.attributes.find((each) => each.name === name)?.value;
  const fits = kind === 'rows' ? !flag('adj_x') : flag('adj_x') && !flag('adj_y');
  const isMatrix = ({ shape }: { readonly shape: readonly number[] }) =>
    shape.slice(0, -2).every((extent) => extent === 1);
  return Boolean(fits) && node.inputs.every((source) => isMatrix(typeOf(nodes, source)));
}

/** What is behind a Reshape, if that is there. */
export function unshaped(nodes: Nodes, source: Source): Source {
  const node = nodes[source.node];
  return isOperation(node, 'Reshape') ? node.inputs[0]! : source;
}

/** So many floats are copied within the cache of a processor. */
const CACHED = 1 << 15;

/**
 * Whether one product in place of many saves more than it costs: what they read and make is there all at once,
 * but none of them reads, or makes and adds, a whole matrix any more.
 */
export function isPaying(
  nodes: Nodes,
  { inputs, types }: Operation,
  kind: 'rows' | 'columns',
): boolean {
  const sizes = [...inputs.map((source) => typeOf(nodes, source)), types[0]!].map(({ shape }) =>
    shape.reduce((product, extent) => product * extent, 1),
  );
  const [matrix] = sizes.splice(kind === 'rows' ? 1 : -1, 1);
  return sizes.reduce((sum, size) => sum + size) <= Math.max(matrix!, CACHED);
}
