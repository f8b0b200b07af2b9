import type { Definitions } from './definitions.js';
import type { FunctionDef, Messages, NodeDef, OpDef } from './messages.js';
import { OUTPUT_NAMES } from './output-names.js';
import { type Operation, type Recording, type Source, typeOf } from './recording.js';
import type { Repeat } from './repeats.js';

/** A function of TensorFlow, and what calls it. */
export interface DefinedFunction {
  readonly definition: FunctionDef;
  call(name: string, from: readonly string[]): NodeDef;
}

/** TensorFlow neither puts its nodes in the place of a call nor makes a variant for one. */
const MARKS = ['_noinline', '_nospecialize'];

/** ConfigProto { graph_options { rewrite_options { disable_meta_optimizer: true } } } */
const OPTIMISED_ALREADY = Uint8Array.of(0x52, 5, 0x52, 3, 0x98, 1, 1);

/** What a recording repeats, as a function; it has the constants that it reads in itself. */
export function functionOf(
  name: string,
  { nodes }: Recording,
  { instances, results }: Repeat,
  definitions: Definitions,
  messages: Messages,
): DefinedFunction {
  const { values } = definitions;
  const { nodes: body, given } = instances[0]!;
  const positions = new Map(body.map((place, position) => [place, position]));
  const argument = new Map(given.map((source, at) => [`${source.node}:${source.output}`, at]));
  const givenTypes = given.map((source) => typeOf(nodes, source).dtype);
  const resultSources = results.map(
    ({ position, output }): Source => ({ node: body[position]!, output }),
  );
  const resultTypes = resultSources.map((source) => typeOf(nodes, source).dtype);

  const definition = new messages.FunctionDef();
  const refer = ({ node: place, output }: Source): string => {
    const node = nodes[place]!;
    if (node.kind === 'constant') return `constant${place}:output:0`;
    const position = positions.get(place);
    if (position === undefined) return `given${argument.get(`${place}:${output}`)}`;
    return `node${position}:${OUTPUT_NAMES.get((node as Operation).name)}:${output}`;
  };
  const constants = new Set<number>();
  for (const [position, place] of body.entries()) {
    const node = nodes[place] as Operation;
    for (const { node: read } of node.inputs) {
      const source = nodes[read]!;
      if (source.kind !== 'constant' || constants.has(read)) continue;
      constants.add(read);
      definition.addNodeDef(definitions.constant(`constant${read}`, source));
    }
    const from = node.inputs.map(refer);
    const apart = (of: string) => `${of}:${OUTPUT_NAMES.get('Snapshot')}:0`;
    for (const each of definitions.operation(`node${position}`, node, from, apart))
      definition.addNodeDef(each);
  }
  const signature: OpDef = new messages.OpDef();
  signature.setName(name);
  const argumentOf = (called: string, dtype: number) => {
    const message = new messages.OpDef.ArgDef();
    message.setName(called);
    message.setType(dtype);
    return message;
  };
  for (const [at, dtype] of givenTypes.entries())
    signature.addInputArg(argumentOf(`given${at}`, dtype));
  for (const [at, dtype] of resultTypes.entries()) {
    signature.addOutputArg(argumentOf(`result${at}`, dtype));
    definition.getRetMap().set(`result${at}`, refer(resultSources[at]!));
  }
  definition.setSignature(signature);
  for (const mark of MARKS) definition.getAttrMap().set(mark, values.flag(true));
  return {
    definition,
    call: (called, from) =>
      definitions.node(called, 'PartitionedCall', from, [
        ['Tin', values.types(givenTypes)],
        ['Tout', values.types(resultTypes)],
        ['f', values.function(name)],
        ['config_proto', values.bytes(OPTIMISED_ALREADY)],
      ]),
  };
}
