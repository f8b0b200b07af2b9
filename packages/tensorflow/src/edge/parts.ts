import { type DrawnWeight, gatherPart, type PartSpec } from '@tutti/compress';
import { drawnBy, type Expression, type Op, type Sharing, sizeOf } from '@tutti/parameters';
import type { ParameterValues } from '@tutti/worker';

/** Where the values of a weight are: a part, or the transpose of one. */
export interface PlacedPart {
  readonly part: PartSpec;
  readonly byColumns: boolean;
}

/**
 * The sharing of a model as parts of a file: what several weights read is one part.
 * @param values the stored parameters, by name
 */
export function createParts(
  { constant }: Pick<Sharing, 'constant'>,
  values: ParameterValues,
): (expression: Expression) => PlacedPart {
  const known = new Map<unknown, PlacedPart>();
  const turned = new Map<PartSpec, PartSpec>();
  const gathered: { readonly node: Op<'gather'>; readonly from: PartSpec; part: PartSpec }[] = [];

  function placed(node: Expression): PlacedPart {
    const key = keyOf(node);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(node);
    known.set(key, made);
    return made;
  }

  /** As a part of its own, in the order of its shape. */
  function whole(node: Expression): PartSpec {
    const { part, byColumns } = placed(node);
    if (!byColumns) return part;
    const view = turned.get(part) ?? { shape: node.shape, of: part, byColumns };
    turned.set(part, view);
    return view;
  }

  function make(node: Expression): PlacedPart {
    const drawn = drawnBy(node);
    if (drawn !== undefined) {
      const { turned: byColumns, parameter, ...how } = drawn;
      const weight: DrawnWeight = { ...how, stored: values[parameter]!, turned: false };
      const shape = byColumns ? [...node.shape].reverse() : node.shape;
      const key = `drawn ${parameter} ${sizeOf(shape)}`;
      const { part } = known.get(key) ?? { part: { shape, values: weight } };
      known.set(key, { part, byColumns: false });
      return { part, byColumns };
    }
    if (node.op === 'transpose' && node.shape.length === 2) {
      const { part, byColumns } = placed(node.of);
      return { part, byColumns: !byColumns };
    }
    if (node.op === 'gather') return gathers(node);
    return { part: computed(node), byColumns: false };
  }

  function computed(node: Exclude<Expression, Op<'gather'>>): PartSpec {
    const { shape } = node;
    switch (node.op) {
      case 'stored':
        return { shape, values: values[node.name]! };
      case 'constant':
        return {
          shape,
          values: constant(node),
          ...(node.source.kind === 'given' && { exact: 'any' }),
        };
      case 'reshape':
        return { shape, of: whole(node.of) };
      case 'shear': {
        const [rows, columns] = shape.slice(-2) as [number, number];
        const numbers = [rows, columns, node.start, node.direction < 0 ? 1 : 0];
        return { kind: 'shear', operands: [whole(node.of)], numbers };
      }
      case 'matmul':
      case 'kronecker':
      case 'add':
        return { kind: node.op, operands: [whole(node.left), whole(node.right)] };
      case 'scale': {
        const { by } = node;
        const factor: PartSpec =
          typeof by === 'number'
            ? { shape: shape.map(() => 1), values: Float32Array.of(by), exact: 'any' }
            : whole(by);
        return { kind: 'scale', operands: [whole(node.of), factor] };
      }
      case 'sum':
        return { kind: 'sum', operands: [whole(node.of)] };
      case 'transpose':
        return { kind: 'transpose', operands: [whole(node.of)], numbers: node.permutation };
      case 'slice':
        return { kind: 'slice', operands: [whole(node.of)], numbers: [...node.begin, ...shape] };
      case 'concat':
        return { kind: 'concat', operands: node.of.map(whole), numbers: [node.axis] };
    }
  }

  /** The same rows are gathered once, also where another weight reads the transpose. */
  function gathers(node: Op<'gather'>): PlacedPart {
    const from = whole(node.of);
    for (const each of gathered) {
      if (each.from !== from || each.node.block !== node.block) continue;
      if (isSame(each.node.index, node.index) && each.node.shape.join() === node.shape.join())
        return { part: each.part, byColumns: false };
      if (isTransposed(each.node, node)) return { part: each.part, byColumns: true };
    }
    const { index, block, shape } = node;
    const skew = triangleOf(node);
    if (skew !== undefined) {
      const part: PartSpec = { kind: 'triangle', operands: [from], numbers: [shape[0]!, skew] };
      gathered.push({ node, from, part });
      return { part, byColumns: false };
    }
    const columns = shape.at(-1)! / block;
    const places = Number.isInteger(columns) ? [...shape.slice(0, -1), columns] : [index.length];
    const rows = sizeOf(node.of.shape) / block;
    const read = gatherPart(from, rows, index, places, block);
    const part = block === 1 ? read : { shape, of: read };
    gathered.push({ node, from, part });
    return { part, byColumns: false };
  }

  return placed;
}

/** What makes one part: a stored parameter, the constant of one weight, or the same node. */
function keyOf(node: Expression): unknown {
  if (node.op === 'stored') return `stored ${node.name}`;
  if (node.op === 'constant' && node.source.kind === 'first') return `first ${node.source.weight}`;
  return node;
}

/** 0 for a symmetric matrix of its lower half, 1 for a skew-symmetric one. */
function triangleOf({ index, block, shape }: Op<'gather'>): 0 | 1 | undefined {
  const [n] = shape as [number];
  if (block !== 1 || shape.length !== 2 || shape[1] !== n) return undefined;
  return ([0, 1] as const).find((skew) =>
    index.every((at, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      const [low, high] = [Math.min(row, column), Math.max(row, column)];
      const value = (high * (skew ? high - 1 : high + 1)) / 2 + low + 1;
      if (skew && row === column) return at === 0;
      return at === (skew && column > row ? -value : value);
    }),
  );
}

const isSame = (a: Int32Array, b: Int32Array): boolean =>
  a.length === b.length && a.every((value, at) => value === b[at]);

function isTransposed(a: Op<'gather'>, b: Op<'gather'>): boolean {
  const [rows, columns] = a.shape as [number, number];
  if (a.block !== 1 || a.shape.length !== 2 || b.shape.join() !== [columns, rows].join())
    return false;
  return b.index.every((value, at) => {
    const [c, r] = [Math.floor(at / rows), at % rows];
    return value === a.index[r * columns + c];
  });
}
