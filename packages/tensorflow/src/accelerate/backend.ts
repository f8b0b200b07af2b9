import type { Tf, tf as types } from '../tf.js';

/** The part of tfjs-node's backend that runs any TensorFlow operation by name. */
export interface NativeBackend {
  executeSingleOutput(name: string, attributes: Attribute[], inputs: TensorInfo[]): types.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: Attribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): types.Tensor[];
  getDTypeInteger(dtype: string): number;
  readonly binding: Readonly<Record<AttributeType | 'TF_FLOAT', number>>;
}

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | number[];
}

export interface TensorInfo {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: string;
}

type AttributeType = 'TF_ATTR_TYPE' | 'TF_ATTR_BOOL' | 'TF_ATTR_STRING' | 'TF_ATTR_INT';

/** What the replacements need: the backend, attributes, and whether they may be used now. */
export interface Native {
  readonly tf: Tf;
  readonly backend: NativeBackend;
  readonly float: Attribute;
  /** For values. */
  readonly active: () => boolean;
  /** Whether operations are recorded for a graph, which may have public ones only. */
  readonly recording: () => boolean;
  /**
   * For gradients: not while a tape records, since native operations leave no trace on it and a
   * gradient of this gradient would come out wrong.
   */
  readonly activeBackward: () => boolean;
  bool(name: string, value: boolean): Attribute;
  text(name: string, value: string): Attribute;
  ints(name: string, value: number | number[]): Attribute;
  /** The type of a tensor. */
  type(name: string, dtype: string): Attribute;
}

export function createNative(tf: Tf, active: () => boolean, recording: () => boolean): Native {
  const backend = tf.backend() as unknown as NativeBackend;
  const { binding } = backend;
  return {
    tf,
    backend,
    active,
    recording,
    activeBackward: () => active() && tf.engine().state.gradientDepth === 0,
    float: { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    bool: (name, value) => ({ name, type: binding.TF_ATTR_BOOL, value }),
    text: (name, value) => ({ name, type: binding.TF_ATTR_STRING, value }),
    ints: (name, value) => ({ name, type: binding.TF_ATTR_INT, value }),
    type: (name, dtype) => ({
      name,
      type: binding.TF_ATTR_TYPE,
      value: backend.getDTypeInteger(dtype),
    }),
  };
}

export type KernelArguments = {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: unknown;
};
export type Kernel = (args: KernelArguments) => TensorInfo | TensorInfo[];

/** Replaces a kernel by one that may call the original. */
export function replaceKernel(tf: Tf, name: string, make: (original: Kernel) => Kernel): void {
  const config = tf.getKernel(name, 'tensorflow');
  const kernelFunc = make(config.kernelFunc as unknown as Kernel);
  tf.unregisterKernel(name, 'tensorflow');
  tf.registerKernel({
    ...config,
    kernelFunc: kernelFunc as unknown as typeof config.kernelFunc,
  });
}

export type GradientFunction = (
  dy: types.Tensor,
  saved: types.Tensor[],
  attributes: Readonly<Record<string, unknown>>,
) => Record<string, () => types.Tensor>;

export interface GradientConfig {
  readonly kernelName: string;
  readonly inputsToSave?: string[];
  readonly outputsToSave?: boolean[];
  readonly gradFunc: GradientFunction;
}

export function replaceGradient(
  tf: Tf,
  name: string,
  make: (original: GradientConfig) => GradientConfig,
): void {
  const replacement = make(tf.getGradient(name) as unknown as GradientConfig);
  tf.unregisterGradient(name);
  tf.registerGradient(replacement as unknown as ReturnType<Tf['getGradient']>);
}
