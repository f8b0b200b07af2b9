import type { AttributeTypes, AttrValue, Messages, NodeDef, TensorShape } from './messages.js';
import { ADDITION_MARKS, NEVER_FUSED, TYPE_MISSING } from './operations.js';
import {
  type Operation,
  type RecordedAttribute,
  type RecordedNode,
  type TensorType,
  typeOf,
} from './recording.js';

/** Makes the nodes of graphs and of functions in TensorFlow's format. */
export interface Definitions {
  readonly values: AttributeValues;
  node(name: string, op: string, from: readonly string[], attributes: Attributes): NodeDef;
  constant(name: string, node: RecordedNode & { readonly kind: 'constant' }): NodeDef;
  /** Two nodes, where the first keeps TensorFlow from fusing the second with what is before it. */
  operation(
    name: string,
    node: Operation,
    from: readonly string[],
    refer: (name: string) => string,
  ): NodeDef[];
}

export type Attributes = readonly (readonly [string, AttrValue])[];

export interface AttributeValues {
  type(dtype: number): AttrValue;
  types(dtypes: readonly number[]): AttrValue;
  shape(shape: readonly number[]): AttrValue;
  flag(value: boolean): AttrValue;
  bytes(bytes: Uint8Array): AttrValue;
  function(name: string): AttrValue;
}

/** @param nodes those of the recording that operations read from */
export function createDefinitions(
  nodes: readonly RecordedNode[],
  messages: Messages,
  attributeTypes: AttributeTypes,
): Definitions {
  const value = (set: (attribute: AttrValue) => void): AttrValue => {
    const attribute = new messages.AttrValue();
    set(attribute);
    return attribute;
  };
  const shapeOf = (shape: readonly number[]): TensorShape => {
    const message = new messages.TensorShape();
    for (const extent of shape) {
      const dimension = new messages.TensorShape.Dim();
      dimension.setSize(extent);
      message.addDim(dimension);
    }
    return message;
  };
  const values: AttributeValues = {
    type: (dtype) => value((attribute) => attribute.setType(dtype)),
    types(dtypes) {
      const list = new messages.AttrValue.ListValue();
      list.setTypeList(dtypes);
      return value((attribute) => attribute.setList(list));
    },
    shape: (shape) => value((attribute) => attribute.setShape(shapeOf(shape))),
    flag: (flag) => value((attribute) => attribute.setB(flag)),
    bytes: (bytes) => value((attribute) => attribute.setS(bytes)),
    function(name) {
      const called = new messages.NameAttrList();
      called.setName(name);
      return value((attribute) => attribute.setFunc(called));
    },
  };
  function given({ name, type, value: it }: RecordedAttribute): AttrValue {
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT } =
      attributeTypes;
    return value((attribute) => {
      if (Array.isArray(it) && (type === TF_ATTR_INT || type === TF_ATTR_FLOAT)) {
        const list = new messages.AttrValue.ListValue();
        if (type === TF_ATTR_INT) list.setIList(it);
        else list.setFList(it);
        attribute.setList(list);
      } else if (type === TF_ATTR_TYPE) attribute.setType(it as number);
      else if (type === TF_ATTR_BOOL) attribute.setB(it as boolean);
      else if (type === TF_ATTR_INT) attribute.setI(it as number);
      else if (type === TF_ATTR_FLOAT) attribute.setF(it as number);
      else if (type === TF_ATTR_STRING) attribute.setS(Buffer.from(it as string));
      else throw new Error(`The attribute ${name} has the type ${type}`);
    });
  }
  function tensor({ dtype, shape }: TensorType, bytes: Uint8Array): AttrValue {
    const message = new messages.Tensor();
    message.setDtype(dtype);
    message.setTensorShape(shapeOf(shape));
    message.setTensorContent(bytes);
    return value((attribute) => attribute.setTensor(message));
  }
  const definitions: Definitions = {
    values,
    node(name, op, from, attributes) {
      const node = new messages.NodeDef();
      node.setName(name);
      node.setOp(op);
      node.setInputList(from);
      for (const [key, value] of attributes) node.getAttrMap().set(key, value);
      return node;
    },
    constant: (name, { type, bytes }) =>
      definitions.node(
        name,
        'Const',
        [],
        [
          ['dtype', values.type(type.dtype)],
          ['value', tensor(type, bytes)],
        ],
      ),
    operation(name, node, from, refer) {
      const attributes: [string, AttrValue][] = node.attributes.map((each) => [
        each.name,
        given(each),
      ]);
      if (TYPE_MISSING.has(node.name))
        attributes.push(['T', values.type(typeOf(nodes, node.inputs[0]!).dtype)]);
      if (node.name === 'Add')
        for (const mark of ADDITION_MARKS) attributes.push([mark, values.flag(true)]);
      if (!NEVER_FUSED.has(node.name) && !addsOneToConvolution(nodes, node))
        return [definitions.node(name, node.name, from, attributes)];
      // Passes on what it is given, and TensorFlow looks for nothing to fuse behind it.
      const apart = `${name}_apart`;
      return [
        definitions.node(apart, 'Snapshot', from.slice(0, 1), attributes),
        definitions.node(name, node.name, [refer(apart), ...from.slice(1)], attributes),
      ];
    },
  };
  return definitions;
}

function addsOneToConvolution(
  nodes: readonly RecordedNode[],
  { name, inputs: [to, what] }: Operation,
): boolean {
  const before = name === 'Add' ? nodes[to!.node]! : undefined;
  return (
    before?.kind === 'operation' &&
    before.name === 'Conv2D' &&
    typeOf(nodes, what!).shape.every((extent) => extent === 1)
  );
}
