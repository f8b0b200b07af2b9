import { createEdit, type Edit, isAlongFirst } from './edit.js';
import { joinSums } from './joined-sums.js';
import type { AttributeTypes } from './messages.js';
import { isPaying, isProduct, unshaped } from './products.js';
import { type Operation, type Recording, type Source, typeOf } from './recording.js';

/**
 * Has one product for all time steps of a recurrent layer where tfjs takes one at each: of what it reads and
 * its kernel, and for the gradients of kernels, biases and what it reads. A product with the state stays
 * one of its step. Sums over steps are rounded in another order than before.
 */
export function joinedProducts(recording: Recording, attributeTypes: AttributeTypes): Recording {
  const edit = createEdit(recording, attributeTypes);
  joinBehindUnpack(recording, edit);
  joinBeforePack(recording, edit);
  joinSums(recording, edit);
  return edit.done();
}

/** Products of all parts of a tensor by the same matrix are parts of one. */
function joinBehindUnpack({ nodes }: Recording, edit: Edit): void {
  /** The place of the product of each part, by what it is of. */
  const found = new Map<string, Map<number, number>>();
  for (const [place, node] of nodes.entries()) {
    if (!isProduct(nodes, node, 'rows')) continue;
    const { node: unpack, output } = unshaped(nodes, node.inputs[0]!);
    if (!isAlongFirst(nodes[unpack], 'Unpack')) continue;
    const key = JSON.stringify([unpack, node.inputs[1], node.attributes]);
    found.set(key, (found.get(key) ?? new Map<number, number>()).set(output, place));
  }
  for (const places of found.values()) {
    const place = Math.min(...places.values());
    const product = nodes[place] as Operation;
    const unpack = nodes[unshaped(nodes, product.inputs[0]!).node] as Operation;
    const { length } = unpack.types;
    if (places.size < length || !isPaying(nodes, product, 'rows')) continue;
    const { dtype, shape } = product.types[0]!;
    const part = { dtype, shape: shape.slice(-2) };
    const whole = productOf(nodes, place, product, unpack.inputs[0]!, length, edit);
    const { node } = edit.add(place, {
      ...unpack,
      inputs: [edit.reshaped(place, whole, [length, ...part.shape])],
      types: unpack.types.map(() => part),
    });
    for (const [output, each] of places) edit.replace(each, { node, output });
  }
}

/** So are those that are put together afterwards. */
function joinBeforePack({ nodes }: Recording, edit: Edit): void {
  for (const [place, pack] of nodes.entries()) {
    if (!isAlongFirst(pack, 'Pack')) continue;
    const products = pack.inputs.map((source) => nodes[unshaped(nodes, source).node]);
    const look = (product: Operation) => {
      const [rows, matrix] = product.inputs;
      const type = typeOf(nodes, unshaped(nodes, rows!));
      return JSON.stringify([matrix, product.attributes, product.types, type]);
    };
    const [first] = products;
    if (!isProduct(nodes, first, 'rows') || !isPaying(nodes, first, 'rows')) continue;
    const alike = products.filter((each) => isProduct(nodes, each, 'rows'));
    if (alike.length < products.length || alike.some((each) => look(each) !== look(first)))
      continue;
    const parts = alike.map(({ inputs }) => unshaped(nodes, inputs[0]!));
    const stack = edit.stacked(place, parts);
    edit.replace(place, productOf(nodes, place, first, stack, parts.length, edit));
  }
}

/** As `product`, of `count` tensors that are one. */
function productOf(
  nodes: Recording['nodes'],
  place: number,
  product: Operation,
  stack: Source,
  count: number,
  edit: Edit,
): Source {
  const [rows, matrix] = product.inputs;
  const all = (shape: readonly number[]) => shape.with(-2, count * shape.at(-2)!);
  const { dtype, shape } = product.types[0]!;
  return edit.add(place, {
    ...product,
    inputs: [edit.reshaped(place, stack, all(typeOf(nodes, rows!).shape)), matrix!],
    types: [{ dtype, shape: all(shape) }],
  });
}
