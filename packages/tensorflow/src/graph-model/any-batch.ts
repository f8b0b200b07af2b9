import { differenceOf } from '../graph/difference.js';
import {
  type Operation,
  type RecordedAttribute,
  type RecordedNode,
  type Recording,
  type Source,
  type TensorType,
  typeOf,
} from '../graph/recording.js';
import type { AttributeNumbers } from './graph-json.js';

/** Why a pass over a batch is another for batches of another size. */
export class FixedBatch extends Error {}

/** Two recordings of the same pass, whose batches have different sizes. */
export interface Twins {
  readonly one: Recording;
  readonly other: Recording;
  /** How many examples each is of. */
  readonly sizes: readonly [one: number, other: number];
  /** The node that is given a whole batch. */
  readonly batch: number;
  readonly numbers: AttributeNumbers;
}

type Constant = RecordedNode & { readonly kind: 'constant' };
type Shaped = Pick<TensorType, 'shape'>;

/** TensorFlow's numbers of types. */
const [FLOAT, INT] = [1, 3];

/**
 * One recording for batches of any size. What tells a size is replaced by what computes it, zeros such
 * as a recurrent layer begins with by those of a tensor of that shape.
 * @throws FixedBatch for what follows from the size in another way
 */
export function anyBatch(twins: Twins): Recording {
  const { one, other } = twins;
  if (one.obstacle !== undefined) throw new FixedBatch(one.obstacle.reason);
  // But for sizes, both must have done the same.
  const difference = differenceOf(forms(one), forms(other));
  if (difference !== undefined) throw new FixedBatch(difference.reason);
  const nodes: RecordedNode[] = [];
  const places: number[] = [];
  const moved = ({ node, output }: Source): Source => ({ node: places[node]!, output });
  for (const [at, node] of one.nodes.entries()) {
    const twin = other.nodes[at]!;
    if (node.kind === 'operation') nodes.push({ ...node, inputs: node.inputs.map(moved) });
    else if (node.kind === 'input' || twin.kind !== 'constant' || isSame(node, twin))
      nodes.push(node);
    else for (const each of generalised(twins, at, nodes.length, places)) nodes.push(each);
    places[at] = nodes.length - 1;
  }
  return { ...one, nodes, outputs: one.outputs.map(moved) };
}

/** Nodes in place of a constant, the last one for it. They come after `before` others. */
function generalised(
  twins: Twins,
  at: number,
  before: number,
  places: readonly number[],
): RecordedNode[] {
  const { one, other, numbers } = twins;
  const [node, twin] = [one.nodes[at] as Constant, other.nodes[at] as Constant];
  const readers = one.nodes.filter(
    (each): each is Operation =>
      each.kind === 'operation' && each.inputs.some((source) => source.node === at),
  );
  if (node.type.dtype === INT && sameShape(node.type, twin.type) && node.type.shape.length === 1) {
    const sizes = sizesOf(twins, ints(node), ints(twin));
    const open = sizes?.filter((size) => 'times' in size).length;
    // It takes one size for what is left.
    if (open === 1 && readers.every(({ name }) => name === 'Reshape'))
      return [constant(sizes!.map((size) => ('fixed' in size ? size.fixed : -1)))];
    if (sizes !== undefined) return computed(sizes, twins, before, places);
  }
  if (node.type.dtype === FLOAT && node.bytes.every((byte) => byte === 0)) {
    const like = shapedAlike(one, other, at);
    if (like !== undefined) {
      const source = { node: places[like.node]!, output: like.output };
      return [operation('ZerosLike', [source], node.type, [typed('T', FLOAT, numbers)])];
    }
  }
  const who = readers.map(({ name }) => name).join(', ');
  throw new FixedBatch(`${who} reads what differs from batch to batch`);
}

/** A number, or so many of each example. */
type Size = { readonly fixed: number } | { readonly times: number };

function sizesOf(
  { sizes: [one, other] }: Twins,
  values: readonly number[],
  others: readonly number[],
): Size[] | undefined {
  const sizes = values.map((value, i): Size | undefined => {
    if (value === others[i]) return { fixed: value };
    return value / one === others[i]! / other ? { times: value / one } : undefined;
  });
  return sizes.every((size) => size !== undefined) ? sizes : undefined;
}

/** The sizes as one vector. */
function computed(
  sizes: readonly Size[],
  { one, batch, numbers }: Twins,
  before: number,
  places: readonly number[],
): RecordedNode[] {
  const nodes: RecordedNode[] = [];
  const add = (node: RecordedNode): Source => ({
    node: before + nodes.push(node) - 1,
    output: 0,
  });
  const vector = (values: readonly number[]) => add(constant(values));
  const int = (name: string) => typed(name, INT, numbers);
  const { shape } = typeOf(one.nodes, { node: batch, output: 0 });
  const vectorOf = (length: number) => ({ dtype: INT, shape: [length] });
  const whole = add(
    operation('Shape', [{ node: places[batch]!, output: 0 }], vectorOf(shape.length), [
      typed('T', FLOAT, numbers),
      int('out_type'),
    ]),
  );
  const [from, length] = [vector([0]), vector([1])];
  const count = add(
    operation('Slice', [whole, from, length], vectorOf(1), [int('T'), int('Index')]),
  );
  const parts = sizes.map((size) => {
    if ('fixed' in size) return vector([size.fixed]);
    if (size.times === 1) return count;
    return add(operation('Mul', [count, vector([size.times])], vectorOf(1), [int('T')]));
  });
  // Last, since it stands for all of them.
  const axis = add({ ...constant([0]), type: { dtype: INT, shape: [] } });
  add(
    operation('ConcatV2', [...parts, axis], vectorOf(sizes.length), [
      { name: 'N', type: numbers.TF_ATTR_INT, value: parts.length },
      int('T'),
      int('Tidx'),
    ]),
  );
  return nodes;
}

const constant = (values: readonly number[]): Constant => ({
  kind: 'constant',
  bytes: new Uint8Array(Int32Array.from(values).buffer),
  type: { dtype: INT, shape: [values.length] },
});

const operation = (
  name: string,
  inputs: readonly Source[],
  type: TensorType,
  attributes: readonly RecordedAttribute[],
): Operation => ({ kind: 'operation', name, inputs, types: [type], attributes });

const typed = (name: string, value: number, { TF_ATTR_TYPE }: AttributeNumbers) => ({
  ...{ name, type: TF_ATTR_TYPE, value },
});

/** A tensor from before that has the shape of a constant in both. */
function shapedAlike(one: Recording, other: Recording, at: number): Source | undefined {
  const [mine, twin] = [one.nodes[at] as Constant, other.nodes[at] as Constant];
  for (let node = 0; node < at; node++) {
    const found = one.nodes[node]!;
    if (found.kind === 'constant') continue;
    const outputs = found.kind === 'operation' ? found.types.length : 1;
    for (let output = 0; output < outputs; output++) {
      const source = { node, output };
      const type = typeOf(one.nodes, source);
      const alike = sameShape(type, mine.type) && sameShape(typeOf(other.nodes, source), twin.type);
      if (type.dtype === FLOAT && alike) return source;
    }
  }
  return undefined;
}

/** What was done, without shapes and constants. */
function forms(recording: Recording): Recording {
  const nodes = recording.nodes.map((node): RecordedNode => {
    if (node.kind === 'operation') return { ...node, types: [] };
    return { kind: 'input', handle: 0, type: { dtype: node.type.dtype, shape: [] } };
  });
  return { ...recording, nodes };
}

const sameShape = (a: Shaped, b: Shaped) => a.shape.join() === b.shape.join();
const isSame = (a: Constant, b: Constant) =>
  sameShape(a.type, b.type) && Buffer.compare(a.bytes, b.bytes) === 0;
const ints = ({ bytes }: Constant) => [...new Int32Array(Uint8Array.from(bytes).buffer)];
