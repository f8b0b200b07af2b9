import type { Edit } from './edit.js';
import { isPaying, isProduct, unshaped } from './products.js';
import {
  isOperation,
  type Operation,
  type Recording,
  type Source,
  type TensorType,
  typeOf,
} from './recording.js';

/**
 * Has one term of a sum in place of many of one kind: of products over examples the one over the examples of
 * all, of sums over rows that over the rows of all, of tensors that are put side by side the sums of each.
 */
export function joinSums({ nodes, outputs }: Recording, edit: Edit): void {
  const readers = nodes.map(() => 0);
  for (const node of nodes)
    if (node.kind === 'operation') for (const input of node.inputs) readers[input.node]!++;
  for (const output of outputs) readers[output.node]!++;

  /** Sums that are part of another. */
  const inner = new Set<number>();
  for (const place of [...nodes.keys()].reverse()) {
    if (!isSum(place) || inner.has(place)) continue;
    const terms = termsOf(place);
    const joined = join(place, terms);
    if (joined.length < terms.length)
      edit.replace(place, add(place, joined, typeOf(nodes, { node: place, output: 0 })));
  }

  /** Whether it adds and broadcasts nothing. */
  function isSum(place: number): boolean {
    const node = nodes[place];
    if (!isOperation(node, 'Add')) return false;
    const made = JSON.stringify(node.types[0]);
    return node.inputs.every((source) => JSON.stringify(typeOf(nodes, source)) === made);
  }

  function termsOf(sum: number): Source[] {
    const terms: Source[] = [];
    const pending: Source[] = [{ node: sum, output: 0 }];
    while (pending.length > 0) {
      const source = pending.pop()!;
      const { node } = source;
      if (isSum(node) && (node === sum || readers[node] === 1)) {
        inner.add(node);
        pending.push(...(nodes[node] as Operation).inputs);
      } else terms.push(source);
    }
    return terms.reverse();
  }

  /** Adds as the sum does it, of which they are parts. */
  function add(sum: number, terms: readonly Source[], type: TensorType): Source {
    const { name, attributes } = nodes[sum] as Operation;
    return terms.reduce((one, other) =>
      edit.add(sum, { name, attributes, inputs: [one, other], types: [type] }),
    );
  }

  /** The same sum in fewer terms, if there are such. */
  function join(sum: number, terms: readonly Source[]): Source[] {
    const groups = new Map<string, Source[]>();
    for (const [at, term] of terms.entries()) {
      const kind = kindOf(term) ?? `${at}`;
      groups.set(kind, groups.get(kind) ?? []);
      groups.get(kind)!.push(term);
    }
    return [...groups.values()].map((group) => (group.length === 1 ? group[0]! : one(sum, group)));
  }

  /** The same for those that can be one. */
  function kindOf(term: Source): string | undefined {
    const source = unshaped(nodes, term);
    if (readers[term.node] !== 1 || readers[source.node] !== 1) return undefined;
    const made = nodes[source.node];
    const isSumOverRows = isProduct(nodes, made, 'columns') || isOperation(made, 'BiasAddGrad');
    const joins = isSumOverRows
      ? isPaying(nodes, made as Operation, 'columns')
      : isOperation(made, 'ConcatV2');
    if (!joins) return undefined;
    const { name, attributes, inputs } = made as Operation;
    const types = inputs.map((each) => [typeOf(nodes, each), typeOf(nodes, unshaped(nodes, each))]);
    const along = isSumOverRows ? undefined : inputs.at(-1);
    return JSON.stringify([name, attributes, types, along, typeOf(nodes, term)]);
  }

  function one(sum: number, group: readonly Source[]): Source {
    const operations = group.map((term) => nodes[unshaped(nodes, term).node] as Operation);
    // The gradients of the last step come first. In the order of steps, what is one tensor need not be copied.
    operations.sort((a, b) => b.inputs.at(-1)!.node - a.inputs.at(-1)!.node);
    const [first] = operations;
    const inputs = first!.inputs.map((input, at) => {
      const each = operations.map(({ inputs }) => inputs[at]!);
      if (first!.name === 'ConcatV2')
        return at < first!.inputs.length - 1
          ? add(sum, join(sum, each), typeOf(nodes, input))
          : input;
      const stack = edit.stacked(
        sum,
        each.map((source) => unshaped(nodes, source)),
      );
      const { shape } = typeOf(nodes, input);
      const rows = first!.name === 'BiasAddGrad' ? 0 : shape.length - 2;
      return edit.reshaped(sum, stack, shape.with(rows, operations.length * shape[rows]!));
    });
    const joined = edit.add(sum, { ...first!, inputs });
    return edit.reshaped(sum, joined, typeOf(nodes, group[0]!).shape);
  }
}
