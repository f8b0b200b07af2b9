import { type Native, replaceKernel } from './backend.js';

/** MatMul instead of BatchMatMulV2 for plain matrices. */
export function accelerateMatMul({ tf, backend, float, bool, active }: Native): void {
  replaceKernel(tf, 'BatchMatMul', (original) => (args) => {
    const { a, b } = args.inputs;
    const matrices =
      a!.shape.length === 2 &&
      b!.shape.length === 2 &&
      a!.dtype === 'float32' &&
      b!.dtype === 'float32';
    if (!active() || !matrices) return original(args);
    const { transposeA, transposeB } = args.attrs;
    return backend.executeSingleOutput(
      'MatMul',
      [float, bool('transpose_a', transposeA === true), bool('transpose_b', transposeB === true)],
      [a!, b!],
    );
  });
}
