import { createDefinitions } from './definitions.js';
import { functionOf } from './function.js';
import type { AttributeTypes, FunctionDef, Messages, NodeDef } from './messages.js';
import { type Recording, type Source, typeOf } from './recording.js';
import type { Repeat } from './repeats.js';

/** A graph in TensorFlow's format SavedModel, and what its inputs and outputs are called. */
export interface SavedModel {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** GraphDef.versions.producer of TensorFlow 2.9: no kernel that we use has changed since. */
const PRODUCER = 1087;

/** @param repeats parts of the recording that the graph has as functions */
export function savedModel(
  recording: Recording,
  repeats: readonly Repeat[],
  messages: Messages,
  attributeTypes: AttributeTypes,
): SavedModel {
  const { nodes } = recording;
  const definitions = createDefinitions(nodes, messages, attributeTypes);
  const { values } = definitions;
  const graph: NodeDef[] = [];
  const functions: FunctionDef[] = [];
  const inputs: string[] = [];
  const outputs: string[] = [];

  /** Where the outputs of nodes that functions compute are found. */
  const returned = new Map<string, string>();
  const called = new Set<number>();
  const calls = repeats.flatMap((repeat, at) => {
    const { definition, call } = functionOf(
      `repeat${at}`,
      recording,
      repeat,
      definitions,
      messages,
    );
    functions.push(definition);
    return repeat.instances.map((instance, count) => {
      const name = `repeat${at}_call${count}`;
      for (const place of instance.nodes) called.add(place);
      for (const [index, { position, output }] of repeat.results.entries())
        returned.set(`${instance.nodes[position]}:${output}`, `${name}:${index}`);
      return () => call(name, instance.given.map(outputName));
    });
  });
  const outputName = ({ node, output }: Source) =>
    returned.get(`${node}:${output}`) ?? `${nodeName(node)}:${output}`;

  for (const [at, node] of nodes.entries()) {
    const name = nodeName(at);
    if (node.kind === 'input') {
      const { dtype, shape } = node.type;
      const attributes = [
        ['dtype', values.type(dtype)],
        ['shape', values.shape(shape)],
      ] as const;
      graph.push(definitions.node(name, 'Placeholder', [], attributes));
      inputs.push(`${name}:0`);
    } else if (node.kind === 'constant') graph.push(definitions.constant(name, node));
    else if (!called.has(at))
      graph.push(
        ...definitions.operation(name, node, node.inputs.map(outputName), (apart) => `${apart}:0`),
      );
  }
  graph.push(...calls.map((call) => call()));
  // An output may be an input as it is, or the same tensor as another: each gets a node of its own.
  for (const [at, source] of recording.outputs.entries()) {
    const name = `output${at}`;
    const { dtype } = typeOf(nodes, source);
    graph.push(
      definitions.node(name, 'Identity', [outputName(source)], [['T', values.type(dtype)]]),
    );
    outputs.push(`${name}:0`);
  }
  return { bytes: wrap(messages, graph, functions), inputs, outputs };
}

function nodeName(at: number): string {
  return `node${at}`;
}

function wrap(
  messages: Messages,
  nodes: readonly NodeDef[],
  functions: readonly FunctionDef[],
): Uint8Array {
  const graph = new messages.GraphDef();
  const versions = new messages.VersionDef();
  versions.setProducer(PRODUCER);
  graph.setVersions(versions);
  for (const node of nodes) graph.addNode(node);
  if (functions.length > 0) {
    const library = new messages.FunctionDefLibrary();
    for (const each of functions) library.addFunction(each);
    graph.setLibrary(library);
  }
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
