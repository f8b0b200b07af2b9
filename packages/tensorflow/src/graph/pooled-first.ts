import { isOperation, type Operation, type RecordedNode, type Recording } from './recording.js';

/**
 * Takes a maximum before the bias is added and the ReLU applied, where it was after them: with
 * pooling by 2 x 2, these and their gradients have a quarter to do. Both are monotone, also when
 * rounded, so the values stay what they were, bit for bit. Where rounding had made two of a window
 * equal, the gradient now goes to the one that was larger.
 */
export function pooledFirst(recording: Recording): Recording {
  const { nodes: before } = recording;
  const nodes = [...before];
  const readers = readersOf(recording);
  const operationAt = (place: number) => before[place] as Operation;
  /** Output 0 of what is at a place; all operations here have one. */
  const from = (node: number) => ({ node, output: 0 });

  for (const pool of before.keys()) {
    const found = findBefore(before, pool, readers);
    if (found === undefined) continue;
    const { bias, relu, poolGrad, reluGrad } = found;
    // Each takes the place of one that stands late enough, so nothing else has to move.
    const first = bias ?? relu;
    const [unpooled] = operationAt(first).inputs;
    const { types } = operationAt(pool);
    nodes[first] = { ...operationAt(pool), inputs: [unpooled!] };
    if (bias !== undefined)
      nodes[relu] = {
        ...operationAt(bias),
        inputs: [from(bias), operationAt(bias).inputs[1]!],
        types,
      };
    nodes[pool] = {
      ...operationAt(relu),
      inputs: [from(bias === undefined ? first : relu)],
      types,
    };
    // And back: what arrives at the pooled values goes through the ReLU, then to where each was.
    const arriving = operationAt(poolGrad).inputs[2]!;
    nodes[poolGrad] = { ...operationAt(reluGrad), inputs: [arriving, from(pool)], types };
    nodes[reluGrad] = {
      ...operationAt(poolGrad),
      inputs: [unpooled!, from(first), from(poolGrad)],
    };
    // Pooling's gradient only spreads values out: their sums are the same before it.
    for (const reader of readers.get(reluGrad)!)
      if (isOperation(before[reader], 'BiasAddGrad'))
        nodes[reader] = { ...operationAt(reader), inputs: [from(poolGrad)] };
  }
  return { ...recording, nodes };
}

/** Who reads each node, by place; for an output of the recording, a place that there is not. */
type Readers = ReadonlyMap<number, readonly number[]>;

function readersOf({ nodes, outputs }: Recording): Readers {
  const readers = new Map<number, number[]>(nodes.map((_node, place) => [place, []]));
  for (const [place, node] of nodes.entries())
    if (node.kind === 'operation')
      for (const input of node.inputs) readers.get(input.node)!.push(place);
  for (const { node } of outputs) readers.get(node)!.push(nodes.length);
  return readers;
}

/** What is before the pooling at a place, and both gradients, if nothing else reads in between. */
function findBefore(nodes: readonly RecordedNode[], pool: number, readers: Readers) {
  const pooling = nodes[pool];
  if (!isOperation(pooling, 'MaxPool')) return undefined;
  const relu = pooling.inputs[0]!.node;
  const rectifying = nodes[relu];
  if (!isOperation(rectifying, 'Relu')) return undefined;
  const readerOf = (place: number, name: string) =>
    readers.get(place)!.find((reader) => isOperation(nodes[reader], name));
  const poolGrad = readerOf(relu, 'MaxPoolGrad');
  const reluGrad = readerOf(relu, 'ReluGrad');
  if (poolGrad === undefined || reluGrad === undefined) return undefined;
  const isReadBy = (place: number, ...expected: number[]) =>
    readers
      .get(place)!
      .toSorted((a, b) => a - b)
      .join() === expected.join();
  const reads = (place: number, ...expected: number[]) =>
    expected.every((input, at) => (nodes[place] as Operation).inputs[at]!.node === input);
  const fits =
    isReadBy(relu, pool, poolGrad, reluGrad) &&
    reads(poolGrad, relu, pool) &&
    isReadBy(poolGrad, reluGrad) &&
    reads(reluGrad, poolGrad, relu);
  if (!fits) return undefined;
  const bias = rectifying.inputs[0]!.node;
  const biased = isOperation(nodes[bias], 'BiasAdd') && isReadBy(bias, relu);
  return { relu, poolGrad, reluGrad, bias: biased ? bias : undefined };
}
