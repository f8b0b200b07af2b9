import type {
  Operation,
  RecordedAttribute,
  Recording,
  Source,
  TensorType,
} from '../graph/recording.js';

/** A tensor that goes into a graph or comes out of it, by the name that it has for who calls it. */
export interface Port {
  readonly name: string;
  readonly dtype: number;
  /** -1 where any number goes. */
  readonly shape: readonly number[];
}

/** Numbers that an addon gives to the types of attributes. */
export interface AttributeNumbers {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
}

/** What a weight is called, and its values. */
export interface GraphWeight {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const TYPES: Readonly<Record<number, readonly [type: string, dtype: GraphWeight['dtype']]>> = {
  1: ['DT_FLOAT', 'float32'],
  3: ['DT_INT32', 'int32'],
  10: ['DT_BOOL', 'bool'],
};

/**
 * A recording in the words of tfjs' `graph-model` format, which is TensorFlow's GraphDef as JSON.
 * @param weights for the first inputs of the recording, in order
 * @param inputs the other inputs, in order
 * @throws Error for what the format does not have
 */
export function graphJson(
  { nodes, outputs }: Recording,
  weights: readonly Pick<GraphWeight, 'name' | 'bytes'>[],
  ports: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] },
  numbers: AttributeNumbers,
) {
  const stored: GraphWeight[] = [];
  const names: string[] = [];
  let given = 0;
  const constant = (name: string, { dtype, shape }: TensorType, bytes: Uint8Array) => {
    stored.push({ name, dtype: typeNamed(dtype)[1], shape, bytes });
    const [type] = typeNamed(dtype);
    const tensor = { dtype: type, tensorShape: shapeJson(shape) };
    return { name, op: 'Const', attr: { dtype: { type }, value: { tensor } } };
  };
  const placeholder = ({ name, dtype, shape }: Port) => {
    const [type] = typeNamed(dtype);
    return {
      name,
      op: 'Placeholder',
      attr: { dtype: { type }, shape: { shape: shapeJson(shape) } },
    };
  };
  const refer = ({ node, output }: Source) =>
    output === 0 ? names[node]! : `${names[node]}:${output}`;
  const node = nodes.map((each, at) => {
    if (each.kind === 'operation') {
      names[at] = `${each.name}_${at}`;
      return operation(names[at], each, each.inputs.map(refer), numbers);
    }
    if (each.kind === 'constant') {
      names[at] = `Const_${at}`;
      return constant(names[at], each.type, each.bytes);
    }
    const weight = weights[given];
    const port = ports.inputs[given - weights.length];
    given++;
    names[at] = weight?.name ?? port!.name;
    return weight === undefined
      ? placeholder(port!)
      : constant(weight.name, each.type, weight.bytes);
  });
  const last = outputs.map((source, at) => ({
    ...{ name: ports.outputs[at]!.name, op: 'Identity', input: [refer(source)] },
    attr: { T: { type: typeNamed(ports.outputs[at]!.dtype)[0] } },
  }));
  const signatureOf = (all: readonly Port[]) =>
    Object.fromEntries(
      all.map(({ name, dtype, shape }) => [
        name,
        { name: `${name}:0`, dtype: typeNamed(dtype)[0], tensorShape: shapeJson(shape) },
      ]),
    );
  return {
    topology: { node: [...node, ...last], library: {}, versions: { producer: 1087 } },
    signature: { inputs: signatureOf(ports.inputs), outputs: signatureOf(ports.outputs) },
    weights: stored,
  };
}

function typeNamed(dtype: number) {
  const type = TYPES[dtype];
  if (type === undefined) throw new Error(`it has tensors of TensorFlow's type ${dtype}`);
  return type;
}

const shapeJson = (shape: readonly number[]) => ({
  dim: shape.map((extent) => ({ size: String(extent) })),
});

function operation(
  name: string,
  { name: op, attributes }: Operation,
  input: readonly string[],
  numbers: AttributeNumbers,
) {
  const attr = Object.fromEntries(attributes.map((each) => [each.name, attribute(each, numbers)]));
  return { name, op, input, attr };
}

function attribute({ name, type, value }: RecordedAttribute, numbers: AttributeNumbers): object {
  const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT } = numbers;
  if (Array.isArray(value) && type === TF_ATTR_INT) return { list: { i: value.map(String) } };
  if (Array.isArray(value) && type === TF_ATTR_FLOAT) return { list: { f: value } };
  if (type === TF_ATTR_TYPE || name === 'T') return { type: typeNamed(value as number)[0] };
  if (type === TF_ATTR_BOOL) return { b: value };
  if (type === TF_ATTR_INT) return { i: String(value) };
  if (type === TF_ATTR_FLOAT) return { f: value };
  if (type === TF_ATTR_STRING) return { s: Buffer.from(value as string).toString('base64') };
  throw new Error(`the attribute ${name} is of the type ${type}`);
}
