import type { tf as types } from '../tf.js';
import { type Obstacle, unsteady, unsupported } from './obstacle.js';

/** What happened on TensorFlow while a function ran: enough to have a session do it again. */
export interface Recording {
  readonly nodes: readonly RecordedNode[];
  readonly outputs: readonly Source[];
  /** Tensors that it used though they were neither given to it nor made in it. */
  readonly captured: readonly RecordedTensor[];
  /** Why a session cannot do it again. */
  readonly obstacle: Obstacle | undefined;
}

export type RecordedNode =
  /** A tensor from before, by its native handle. */
  | { readonly kind: 'input'; readonly handle: number; readonly type: TensorType }
  /** Values that came from JavaScript. */
  | { readonly kind: 'constant'; readonly bytes: Uint8Array; readonly type: TensorType }
  | Operation;

export interface Operation {
  readonly kind: 'operation';
  readonly name: string;
  readonly attributes: readonly RecordedAttribute[];
  readonly inputs: readonly Source[];
  readonly types: readonly TensorType[];
}

/** An output of a node, by the node's place. */
export interface Source {
  readonly node: number;
  readonly output: number;
}

/** `dtype` is TensorFlow's number of it. */
export interface TensorType {
  readonly dtype: number;
  readonly shape: readonly number[];
}

export function typeOf(nodes: readonly RecordedNode[], { node, output }: Source): TensorType {
  const found = nodes[node]!;
  return found.kind === 'operation' ? found.types[output]! : found.type;
}

export function isOperation(node: RecordedNode | undefined, name: string): node is Operation {
  return node?.kind === 'operation' && node.name === name;
}

export interface RecordedAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface RecordedTensor {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: types.Tensor['dtype'];
}

/** tfjs-node's backend, down to the functions of its addon: whatever it computes goes through them. */
export interface RecordedBackend {
  binding: Binding;
  readSync(dataId: object): unknown;
  getInputTensorIds(tensors: readonly RecordedTensor[]): number[];
  readonly tensorMap: {
    get(dataId: object): { readonly shape: readonly number[]; readonly dtype: number };
  };
}

interface Binding {
  createTensor(shape: number[], dtype: number, values: unknown): number;
  executeOp(name: string, attributes: RecordedAttribute[], ids: number[], n: number): Handle[];
}

interface Handle extends TensorType {
  readonly id: number;
}

/** Runs `task`, which is synchronous, and records what it does and which tensors it returns. */
export function record(
  backend: RecordedBackend,
  inputs: readonly types.Tensor[],
  task: () => readonly types.Tensor[],
): Recording {
  const nodes: RecordedNode[] = [];
  const captured: RecordedTensor[] = [];
  const sources = new Map<number, Source>();
  /** By its handle, every tensor that an operation is about to read. */
  const read = new Map<number, RecordedTensor>();
  let obstacle: Obstacle | undefined;

  const { binding, getInputTensorIds } = backend;
  const add = (node: RecordedNode): number => nodes.push(node) - 1;
  const addInput = (handle: number, { dataId }: RecordedTensor) => {
    const { shape, dtype } = backend.tensorMap.get(dataId);
    const node = add({ kind: 'input', handle, type: { shape: [...shape], dtype } });
    sources.set(handle, { node, output: 0 });
  };
  const sourceOf = (handle: number): Source => {
    if (!sources.has(handle)) {
      const tensor = read.get(handle);
      if (tensor === undefined) throw new Error(`TensorFlow reads the unknown tensor ${handle}`);
      captured.push(tensor);
      addInput(handle, tensor);
    }
    return sources.get(handle)!;
  };

  getInputTensorIds.call(backend, inputs).forEach((handle, at) => {
    addInput(handle, inputs[at]!);
  });
  backend.binding = Object.create(binding, {
    createTensor: {
      value(shape: number[], dtype: number, values: unknown) {
        const handle = binding.createTensor(shape, dtype, values);
        if (!ArrayBuffer.isView(values))
          obstacle ??= unsupported(`it makes a tensor of ${typeof values}`);
        else {
          const { buffer, byteOffset, byteLength } = values;
          const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
          const node = add({ kind: 'constant', bytes, type: { shape: [...shape], dtype } });
          sources.set(handle, { node, output: 0 });
        }
        return handle;
      },
    },
    executeOp: {
      value(name: string, attributes: RecordedAttribute[], ids: number[], n: number) {
        const handles = binding.executeOp(name, attributes, ids, n);
        const node = add({
          kind: 'operation',
          name,
          attributes: attributes.map((each) => ({ ...each })),
          inputs: ids.map(sourceOf),
          types: handles.map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
        });
        handles.forEach(({ id }, output) => {
          sources.set(id, { node, output });
        });
        return handles;
      },
    },
  }) as Binding;
  const own: Partial<RecordedBackend> = {
    readSync(dataId) {
      obstacle ??= unsteady('it reads values of tensors');
      return Object.getPrototypeOf(backend).readSync.call(backend, dataId);
    },
    getInputTensorIds(tensors) {
      const handles = getInputTensorIds.call(backend, tensors);
      handles.forEach((handle, at) => {
        read.set(handle, tensors[at]!);
      });
      return handles;
    },
  };
  Object.assign(backend, own);
  try {
    const outputs = backend.getInputTensorIds(task()).map(sourceOf);
    return { nodes, outputs, captured, obstacle };
  } finally {
    backend.binding = binding;
    for (const name of Object.keys(own)) delete backend[name as keyof RecordedBackend];
  }
}
