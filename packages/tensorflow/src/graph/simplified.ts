import {
  isOperation,
  type Operation,
  type RecordedNode,
  type Recording,
  type Source,
  type TensorType,
} from './recording.js';

/**
 * Without operations that nothing comes of or that pass on what they are given, and with one of those
 * that are the same: half of what tfjs does, and most of it in recurrent layers. TensorFlow would find
 * them too, in seconds instead of milliseconds. No bit of a result changes.
 */
export function simplified(recording: Recording): Recording {
  const { captured, obstacle } = recording;
  const { nodes, outputs } = withoutPassing(recording);
  const kept: RecordedNode[] = [];
  const keptNodes = new Map<string, number>();
  const places = new Map<number, number>();
  const moved = ({ node, output }: Source): Source => ({ node: places.get(node)!, output });
  const needed = neededNodes(nodes, outputs);
  nodes.forEach((node, at) => {
    if (!needed.has(at)) return;
    const here = node.kind === 'operation' ? { ...node, inputs: node.inputs.map(moved) } : node;
    // One of two inputs that are the same tensor now may be another later.
    const key = here.kind === 'input' ? `input ${at}` : keyOf(here);
    const same = keptNodes.get(key);
    const place = same ?? kept.push(here) - 1;
    keptNodes.set(key, place);
    places.set(at, place);
  });
  return { nodes: kept, outputs: outputs.map(moved), captured, obstacle };
}

/** The same, but nobody reads a Cast to the type or a Reshape to the shape that was there before. */
function withoutPassing({ nodes, outputs }: Recording): Pick<Recording, 'nodes' | 'outputs'> {
  const passed = new Map<number, Source>();
  const through = (source: Source): Source => passed.get(source.node) ?? source;
  const read: RecordedNode[] = [];
  for (const [at, node] of nodes.entries()) {
    if (node.kind !== 'operation') {
      read.push(node);
      continue;
    }
    const inputs = node.inputs.map(through);
    // The second of two changes of shape alone counts.
    const [first] = inputs;
    const inner = node.name === 'Reshape' ? read[first!.node] : undefined;
    if (isOperation(inner, 'Reshape')) inputs[0] = inner.inputs[0]!;
    read.push({ ...node, inputs });
    if (passesOn(node, typeOf(read, inputs[0]))) passed.set(at, inputs[0]!);
  }
  return { nodes: read, outputs: outputs.map(through) };
}

function passesOn({ name, types }: Operation, given: TensorType | undefined): boolean {
  const [made] = types;
  if (given === undefined || made === undefined || given.dtype !== made.dtype) return false;
  return name === 'Cast' || (name === 'Reshape' && given.shape.join() === made.shape.join());
}

function typeOf(nodes: readonly RecordedNode[], source: Source | undefined) {
  const node = source && nodes[source.node];
  return node?.kind === 'operation' ? node.types[source!.output] : node?.type;
}

/** What is given must be there even where it is not used. */
function neededNodes(
  nodes: readonly RecordedNode[],
  outputs: readonly Source[],
): ReadonlySet<number> {
  const needed = new Set(outputs.map(({ node }) => node));
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at]!;
    if (node.kind === 'input') needed.add(at);
    // What a node reads comes before it.
    if (node.kind === 'operation' && needed.has(at))
      for (const input of node.inputs) needed.add(input.node);
  }
  return needed;
}

function keyOf(node: RecordedNode): string {
  // Which tensor it reads decides nothing but the shape and the type.
  if (isOperation(node, 'ZerosLike')) return JSON.stringify({ ...node, inputs: [] });
  if (node.kind !== 'constant') return JSON.stringify(node);
  return `${JSON.stringify(node.type)} ${Buffer.from(node.bytes).toString('latin1')}`;
}
