import type { tf as types } from '../tf.js';
import {
  type Attribute,
  type Native,
  replaceGradient,
  replaceKernel,
  type TensorInfo,
} from './backend.js';

const POOL = '_MklNativeMaxPool';

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
  const available = isAvailable(native);

  replaceKernel(tf, 'MaxPool', (original) => (args) => {
    const x = args.inputs.x!;
    const attributes = poolAttributes(native, args.attrs);
    const fits =
      active() &&
      !recording() &&
      available &&
      tf.engine().state.gradientDepth > 0 &&
      x.dtype === 'float32' &&
      attributes !== undefined;
    if (!fits) return original(args);
    const [y, workspace] = backend.executeMultipleOutputs(POOL, attributes, [x], 2);
    workspaces.set(y!.dataId, { tensor: tf.keep(workspace!), attributes });
    return y!;
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

/**
 * The operation is absent from builds without oneDNN. What it is tried with is always the same: a program's first
 * pooling may fail for another reason, and must not decide what the next one is computed by.
 */
function isAvailable(native: Native): boolean {
  const { tf, backend } = native;
  const x = tf.ones([1, 2, 2, 1]);
  try {
    const attributes = poolAttributes(native, { filterSize: 2, strides: 2, pad: 'valid' })!;
    tf.dispose(backend.executeMultipleOutputs(POOL, attributes, [x], 2));
    return true;
  } catch {
    return false;
  } finally {
    x.dispose();
  }
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
