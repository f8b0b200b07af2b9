import { type Native, replaceKernel } from './backend.js';

/** TensorFlow checks the indices itself: tfjs reads them out first, to do the same. */
export function accelerateGather(native: Native): void {
  const { tf, backend, type, ints } = native;
  replaceKernel(tf, 'GatherV2', (original) => (args) => {
    if (!native.active()) return original(args);
    const { x, indices } = args.inputs;
    const { axis, batchDims } = args.attrs as { axis: number; batchDims: number };
    const axisTensor = tf.scalar(axis, 'int32');
    const attributes = [
      ints('batch_dims', batchDims),
      type('Tparams', x!.dtype),
      type('Tindices', indices!.dtype),
      type('Taxis', 'int32'),
    ];
    const gathered = backend.executeSingleOutput('GatherV2', attributes, [
      x!,
      indices!,
      axisTensor,
    ]);
    axisTensor.dispose();
    return gathered;
  });
}
