import type { Conversion, Result } from './conversion.js';

type Kind = 'maxPool' | 'averagePool';

export function pooling2d(kind: Kind) {
  return ({ inputs, shape, config, emit, refuse }: Conversion): Result => {
    if (config.dataFormat === 'channelsFirst') refuse('has its channels first');
    const { poolSize, strides, padding } = config as unknown as {
      poolSize: readonly number[];
      strides: readonly number[];
      padding: string;
    };
    const at = emit({
      kind,
      inputs: [inputs[0].at],
      numbers: [...poolSize, ...strides, padding === 'same' ? 1 : 0],
    });
    return { at, shape };
  };
}

/** As over an image of one row. */
export function pooling1d(kind: Kind) {
  return ({ inputs, shape, config, emit }: Conversion): Result => {
    const { poolSize, strides, padding } = config as unknown as {
      poolSize: readonly [number];
      strides: readonly [number];
      padding: string;
    };
    const image = emit({
      kind: 'reshape',
      inputs: [inputs[0].at],
      numbers: [1, ...inputs[0].shape],
    });
    const pooled = emit({
      kind,
      inputs: [image],
      numbers: [1, ...poolSize, 1, ...strides, padding === 'same' ? 1 : 0],
    });
    return { at: emit({ kind: 'reshape', inputs: [pooled], numbers: shape }), shape };
  };
}

/** One window that covers everything. */
export function globalPooling(kind: Kind) {
  return ({ inputs, shape, config, emit, refuse }: Conversion): Result => {
    if (config.dataFormat === 'channelsFirst') refuse('has its channels first');
    if (inputs[0].mask !== undefined) refuse('is given a mask');
    const [height, width] =
      inputs[0].shape.length === 3
        ? (inputs[0].shape as [number, number])
        : [1, inputs[0].shape[0]!];
    const image = emit({
      kind: 'reshape',
      inputs: [inputs[0].at],
      numbers: [height, width, shape.at(-1)!],
    });
    const pooled = emit({ kind, inputs: [image], numbers: [height, width, height, width, 0] });
    return { at: emit({ kind: 'reshape', inputs: [pooled], numbers: shape }), shape };
  };
}
