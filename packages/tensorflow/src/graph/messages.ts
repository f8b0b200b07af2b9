import { createRequire } from 'node:module';

/**
 * The messages of TensorFlow's protocol buffers that a graph is made of, from the code that comes
 * with tfjs-node (generated, and without types).
 */
export interface Messages {
  readonly SavedModel: Message<{
    setSavedModelSchemaVersion(version: number): void;
    addMetaGraphs(graph: unknown): void;
    serializeBinary(): Uint8Array;
  }>;
  readonly MetaGraphDef: Message<{
    setMetaInfoDef(info: unknown): void;
    setGraphDef(graph: unknown): void;
  }> & { readonly MetaInfoDef: Message<{ addTags(tag: string): void }> };
  readonly GraphDef: Message<{
    setVersions(versions: unknown): void;
    addNode(node: NodeDef): void;
    setLibrary(library: unknown): void;
  }>;
  readonly FunctionDefLibrary: Message<{ addFunction(definition: FunctionDef): void }>;
  readonly FunctionDef: Message<FunctionDef>;
  readonly OpDef: Message<OpDef> & {
    readonly ArgDef: Message<{ setName(name: string): void; setType(dtype: number): void }>;
  };
  readonly NameAttrList: Message<{ setName(name: string): void }>;
  readonly VersionDef: Message<{ setProducer(version: number): void }>;
  readonly NodeDef: Message<NodeDef>;
  readonly AttrValue: Message<AttrValue> & { readonly ListValue: Message<ListValue> };
  readonly Tensor: Message<{
    setDtype(dtype: number): void;
    setTensorShape(shape: TensorShape): void;
    setTensorContent(bytes: Uint8Array): void;
  }>;
  readonly TensorShape: Message<TensorShape> & {
    readonly Dim: Message<{ setSize(size: number): void }>;
  };
}

type Message<T> = new () => T;

export interface NodeDef {
  setName(name: string): void;
  setOp(name: string): void;
  setInputList(inputs: readonly string[]): void;
  getAttrMap(): { set(name: string, value: AttrValue): void };
}

export interface FunctionDef {
  setSignature(signature: OpDef): void;
  addNodeDef(node: NodeDef): void;
  getAttrMap(): { set(name: string, value: AttrValue): void };
  getRetMap(): { set(name: string, output: string): void };
}

export interface OpDef {
  setName(name: string): void;
  addInputArg(argument: unknown): void;
  addOutputArg(argument: unknown): void;
}

export interface AttrValue {
  setList(list: ListValue): void;
  setS(bytes: Uint8Array): void;
  setI(value: number): void;
  setF(value: number): void;
  setB(value: boolean): void;
  setType(dtype: number): void;
  setShape(shape: TensorShape): void;
  setTensor(tensor: unknown): void;
  setFunc(called: unknown): void;
}

interface ListValue {
  setTypeList(dtypes: readonly number[]): void;
  setIList(values: readonly number[]): void;
  setFList(values: readonly number[]): void;
}

export interface TensorShape {
  addDim(dimension: unknown): void;
}

/** TensorFlow's numbers for the kinds of attributes, from the addon. */
export type AttributeTypes = Readonly<
  Record<
    'TF_ATTR_TYPE' | 'TF_ATTR_BOOL' | 'TF_ATTR_STRING' | 'TF_ATTR_INT' | 'TF_ATTR_FLOAT',
    number
  >
>;

const require = createRequire(import.meta.url);

export function loadMessages(): Messages {
  return require('@tensorflow/tfjs-node/dist/proto/api_pb.js') as Messages;
}
