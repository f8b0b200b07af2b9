import type { tf as types } from '../tf.js';
import {
  type Attribute,
  type Native,
  replaceGradient,
  replaceKernel,
  type TensorInfo,
} from './backend.js';

interface Workspace {
  readonly tensor: types.Tensor;
  readonly attributes: Attribute[];
}

/**
 * oneDNN's max-pool keeps where each maximum was (the workspace), so its gradient only scatters.
 * Returns a function that frees the workspaces whose gradient was not asked for.
 */
export function accelerateMaxPool(native: Native): () => void {
  const { tf, backend, active, recording } = native;
  const workspaces = new Map<object, Workspace>();
  // The operation is absent from builds without oneDNN: tried once.
  let available: boolean | undefined;

  replaceKernel(tf, 'MaxPool', (original) => (args) => {
    const x = args.inputs.x!;
    const attributes = poolAttributes(native, args.attrs);
    const fits =
      active() &&
      !recording() &&
      available !== false &&
      tf.engine().state.gradientDepth > 0 &&
      x.dtype === 'float32' &&
      attributes !== undefined;
    if (!fits) return original(args);
    try {
      const [y, workspace] = backend.executeMultipleOutputs(
        '_MklNativeMaxPool',
        attributes,
        [x],
        2,
      );
      workspaces.set(y!.dataId, { tensor: tf.keep(workspace!), attributes });
      available = true;
      return y!;
    } catch (error) {
      if (available) throw error;
      available = false;
      return original(args);
    }
  });

  replaceGradient(tf, 'MaxPool', (original) => ({
    ...original,
    gradFunc: (dy, saved, attrs) => {
      const [x, y] = saved as [types.Tensor, types.Tensor];
      const workspace = workspaces.get(y.dataId);
      if (workspace === undefined || !native.activeBackward())
        return original.gradFunc(dy, saved, attrs);
      return {
        x: () => {
          const inputs: TensorInfo[] = [x, y, dy, workspace.tensor];
          return backend.executeSingleOutput('_MklNativeMaxPoolGrad', workspace.attributes, inputs);
        },
      };
    },
  }));

  return () => {
    for (const { tensor } of workspaces.values()) tensor.dispose();
    workspaces.clear();
  };
}

function poolAttributes(
  { float, ints, text, bool }: Native,
  { filterSize, strides, pad }: Readonly<Record<string, unknown>>,
): Attribute[] | undefined {
  if (typeof pad !== 'string') return undefined;
  const pair = (value: unknown) => (Array.isArray(value) ? value : [value, value]) as number[];
  return [
    float,
    ints('ksize', [1, ...pair(filterSize), 1]),
    ints('strides', [1, ...pair(strides), 1]),
    text('padding', pad.toUpperCase()),
    text('data_format', 'NHWC'),
    bool('workspace_enabled', true),
    text('_kernel', 'MklNameChangeOp'),
  ];
}
