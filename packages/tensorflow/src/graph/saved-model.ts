import type { AttributeTypes, AttrValue, Messages, NodeDef, TensorShape } from './messages.js';
import { ADDITION_MARKS, NEVER_FUSED, TYPE_MISSING } from './operations.js';
import type {
  RecordedAttribute,
  RecordedNode,
  Recording,
  Source,
  TensorType,
} from './recording.js';

/** A graph in TensorFlow's format SavedModel, and what its inputs and outputs are called. */
export interface SavedModel {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** GraphDef.versions.producer of TensorFlow 2.9: no kernel that we use has changed since. */
const PRODUCER = 1087;

export function savedModel(
  recording: Recording,
  messages: Messages,
  attributeTypes: AttributeTypes,
): SavedModel {
  const { nodes } = recording;
  const graph = new messages.GraphDef();
  const versions = new messages.VersionDef();
  versions.setProducer(PRODUCER);
  graph.setVersions(versions);
  const inputs: string[] = [];
  const outputs: string[] = [];

  function addNode(name: string, op: string, from: readonly string[], attributes: Attributes) {
    const node: NodeDef = new messages.NodeDef();
    node.setName(name);
    node.setOp(op);
    node.setInputList(from);
    for (const [key, value] of attributes) node.getAttrMap().set(key, value);
    graph.addNode(node);
  }
  const value = (set: (attribute: AttrValue) => void): AttrValue => {
    const attribute = new messages.AttrValue();
    set(attribute);
    return attribute;
  };
  const typeValue = (dtype: number) => value((attribute) => attribute.setType(dtype));
  const shapeOf = (shape: readonly number[]): TensorShape => {
    const message = new messages.TensorShape();
    for (const extent of shape) {
      const dimension = new messages.TensorShape.Dim();
      dimension.setSize(extent);
      message.addDim(dimension);
    }
    return message;
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
  function constant({ type, bytes }: RecordedNode & { kind: 'constant' }): AttrValue {
    const tensor = new messages.Tensor();
    tensor.setDtype(type.dtype);
    tensor.setTensorShape(shapeOf(type.shape));
    tensor.setTensorContent(bytes);
    return value((attribute) => attribute.setTensor(tensor));
  }

  nodes.forEach((node, at) => {
    const name = nodeName(at);
    if (node.kind === 'input') {
      const shape = value((attribute) => attribute.setShape(shapeOf(node.type.shape)));
      addNode(
        name,
        'Placeholder',
        [],
        [
          ['dtype', typeValue(node.type.dtype)],
          ['shape', shape],
        ],
      );
      inputs.push(`${name}:0`);
    } else if (node.kind === 'constant') {
      const { dtype } = node.type;
      addNode(
        name,
        'Const',
        [],
        [
          ['dtype', typeValue(dtype)],
          ['value', constant(node)],
        ],
      );
    } else {
      const attributes: [string, AttrValue][] = node.attributes.map((each) => [
        each.name,
        given(each),
      ]);
      if (TYPE_MISSING.has(node.name))
        attributes.push(['T', typeValue(typeOf(nodes, node.inputs[0]!).dtype)]);
      if (node.name === 'Add')
        for (const mark of ADDITION_MARKS)
          attributes.push([mark, value((attribute) => attribute.setB(true))]);
      const from = node.inputs.map(outputName);
      if (NEVER_FUSED.has(node.name) || addsOneToConvolution(nodes, node)) {
        // Passes on what it is given, and TensorFlow looks for nothing to fuse behind it.
        addNode(`${name}_apart`, 'Snapshot', from.slice(0, 1), attributes);
        from[0] = `${name}_apart:0`;
      }
      addNode(name, node.name, from, attributes);
    }
  });
  // An output may be an input as it is, or the same tensor as another: each gets a node of its own.
  recording.outputs.forEach((source, at) => {
    const name = `output${at}`;
    addNode(
      name,
      'Identity',
      [outputName(source)],
      [['T', typeValue(typeOf(nodes, source).dtype)]],
    );
    outputs.push(`${name}:0`);
  });
  return { bytes: wrap(messages, graph), inputs, outputs };
}

type Attributes = readonly (readonly [string, AttrValue])[];

function nodeName(at: number): string {
  return `node${at}`;
}

function outputName({ node, output }: Source): string {
  return `${nodeName(node)}:${output}`;
}

function addsOneToConvolution(
  nodes: readonly RecordedNode[],
  { name, inputs: [to, what] }: RecordedNode & { kind: 'operation' },
): boolean {
  const before = name === 'Add' ? nodes[to!.node]! : undefined;
  return (
    before?.kind === 'operation' &&
    before.name === 'Conv2D' &&
    typeOf(nodes, what!).shape.every((extent) => extent === 1)
  );
}

function typeOf(nodes: readonly RecordedNode[], { node, output }: Source): TensorType {
  const found = nodes[node]!;
  return found.kind === 'operation' ? found.types[output]! : found.type;
}

function wrap(messages: Messages, graph: unknown): Uint8Array {
  const meta = new messages.MetaGraphDef();
  const tags = new messages.MetaGraphDef.MetaInfoDef();
  tags.addTags('serve');
  meta.setMetaInfoDef(tags);
  meta.setGraphDef(graph);
  const model = new messages.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.addMetaGraphs(meta);
  return model.serializeBinary();
}
