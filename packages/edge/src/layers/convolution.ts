import { zeros } from '../arrays.js';
import { type LayerKind, ofRank, product } from './layer.js';
import { windowOf } from './window.js';

/** Over [height, width, channels]; W [rows, columns, channels, filters]. */
export const conv2d = convolution(false);

/** Each channel for itself; W [rows, columns, channels, filters of each channel]. */
export const depthwiseConv2d = convolution(true);

function convolution(depthwise: boolean): LayerKind {
  return {
    // filters, rows, columns, row stride, column stride, row dilation, column dilation, whether padded
    numbers: 8,
    activations: 1,
    open([input], numbers, [activation]) {
      const [height, width, channels] = ofRank<[number, number, number]>(input!, 3);
      const [filters, rows, columns, rowStride, columnStride, rowDilation, columnDilation, same] =
        numbers as number[] as [number, number, number, number, number, number, number, number];
      const down = windowOf(height, rows, rowStride, rowDilation, same);
      const right = windowOf(width, columns, columnStride, columnDilation, same);
      const outputs = depthwise ? channels * filters : filters;
      const shape = [down.steps, right.steps, outputs];
      return {
        shape,
        weights: [[rows, columns, channels, filters], [outputs]],
        run([x], [kernel, bias]) {
          const y = zeros(product(shape));
          let place = 0;
          for (let r = 0; r < down.steps; r++)
            for (let c = 0; c < right.steps; c++, place += outputs) {
              const sums = Float64Array.from(bias!);
              for (let i = 0; i < rows; i++) {
                const row = down.start(r) + i * rowDilation;
                if (row < 0 || row >= height) continue;
                for (let j = 0; j < columns; j++) {
                  const column = right.start(c) + j * columnDilation;
                  if (column < 0 || column >= width) continue;
                  let from = (row * width + column) * channels;
                  let at = (i * columns + j) * channels * filters;
                  for (let channel = 0; channel < channels; channel++) {
                    const value = x![from++]!;
                    const first = depthwise ? channel * filters : 0;
                    for (let f = 0; f < filters; f++) sums[first + f]! += value * kernel![at++]!;
                  }
                }
              }
              y.set(sums, place);
            }
          activation!(y, outputs);
          return y;
        },
      };
    },
  };
}
