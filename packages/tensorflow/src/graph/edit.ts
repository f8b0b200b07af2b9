import type { AttributeTypes } from './messages.js';
import {
  isOperation,
  type Operation,
  type RecordedNode,
  type Recording,
  type Source,
  typeOf,
} from './recording.js';

/** A recording that is being changed; its nodes keep their places until it is done. */
export interface Edit {
  /** Adds an operation in front of a place; returns its first output. */
  add(place: number, operation: Omit<Operation, 'kind'>): Source;
  reshaped(place: number, source: Source, shape: readonly number[]): Source;
  /** Parts as one tensor, along a new first dimension. */
  stacked(place: number, parts: readonly Source[]): Source;
  /** Has those who read the first output of what is at a place read this instead. */
  replace(place: number, source: Source): void;
  done(): Recording;
}

/** TensorFlow's number of the type. */
const INT32 = 3;

export function createEdit(
  recording: Recording,
  { TF_ATTR_INT, TF_ATTR_TYPE }: AttributeTypes,
): Edit {
  const nodes = [...recording.nodes];
  /** What is new in front of each node, by place: new ones are behind all others until all is done. */
  const added = new Map<number, number[]>();
  const insert = (place: number, node: RecordedNode): Source => {
    const at = nodes.push(node) - 1;
    added.set(place, added.get(place) ?? []);
    added.get(place)!.push(at);
    return { node: at, output: 0 };
  };
  const type = (name: string, value: number) => ({ name, type: TF_ATTR_TYPE, value });
  const int = (name: string, value: number) => ({ name, type: TF_ATTR_INT, value });
  function reshape(place: number, source: Source, shape: readonly number[]): Operation {
    const { dtype } = typeOf(nodes, source);
    const extents = insert(place, {
      kind: 'constant',
      bytes: new Uint8Array(Int32Array.from(shape).buffer),
      type: { dtype: INT32, shape: [shape.length] },
    });
    return {
      kind: 'operation',
      name: 'Reshape',
      attributes: [type('T', dtype), type('Tshape', INT32)],
      inputs: [source, extents],
      types: [{ dtype, shape }],
    };
  }
  return {
    add: (place, operation) => insert(place, { kind: 'operation', ...operation }),
    reshaped: (place, source, shape) => insert(place, reshape(place, source, shape)),
    stacked(place, parts) {
      const [first] = parts;
      const whole = nodes[first!.node];
      const inOrder = parts.every(({ node, output }, at) => node === first!.node && output === at);
      if (isAlongFirst(whole, 'Unpack') && inOrder && parts.length === whole.types.length)
        return whole.inputs[0]!;
      const { dtype, shape } = typeOf(nodes, first!);
      return insert(place, {
        kind: 'operation',
        name: 'Pack',
        attributes: [int('N', parts.length), type('T', dtype), int('axis', 0)],
        inputs: parts,
        types: [{ dtype, shape: [parts.length, ...shape] }],
      });
    },
    replace(place, source) {
      // To the shape that it has: nothing, and simplified away.
      nodes[place] = reshape(place, source, typeOf(nodes, { node: place, output: 0 }).shape);
    },
    done() {
      const order = [...recording.nodes.keys()].flatMap((at) => [...(added.get(at) ?? []), at]);
      const places = new Map(order.map((before, now) => [before, now]));
      const moved = ({ node, output }: Source): Source => ({ node: places.get(node)!, output });
      return {
        ...recording,
        nodes: order.map((at) => {
          const node = nodes[at]!;
          return node.kind === 'operation' ? { ...node, inputs: node.inputs.map(moved) } : node;
        }),
        outputs: recording.outputs.map(moved),
      };
    },
  };
}

/** Whether it is a Pack or an Unpack of the outermost dimension. */
export function isAlongFirst(
  node: RecordedNode | undefined,
  name: 'Pack' | 'Unpack',
): node is Operation {
  return (
    isOperation(node, name) && node.attributes.some((each) => each.name === 'axis' && !each.value)
  );
}
