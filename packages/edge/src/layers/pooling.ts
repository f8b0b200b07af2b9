import { zeros } from '../arrays.js';
import { max, min } from '../math.js';
import { type LayerKind, ofRank, product } from './layer.js';
import { windowOf } from './window.js';

export const maxPool = pooling(true);

/** The mean of what the window covers of the image: padding does not count. */
export const averagePool = pooling(false);

function pooling(largest: boolean): LayerKind {
  return {
    // rows, columns, row stride, column stride, whether padded
    numbers: 5,
    open([input], numbers) {
      const [height, width, channels] = ofRank<[number, number, number]>(input!, 3);
      const [rows, columns, rowStride, columnStride, same] = numbers as number[] as [
        number,
        number,
        number,
        number,
        number,
      ];
      const down = windowOf(height, rows, rowStride, 1, same);
      const right = windowOf(width, columns, columnStride, 1, same);
      const shape = [down.steps, right.steps, channels];
      return {
        shape,
        run([x]) {
          const y = zeros(product(shape));
          let place = 0;
          for (let r = 0; r < down.steps; r++)
            for (let c = 0; c < right.steps; c++) {
              const top = max(down.start(r), 0);
              const bottom = min(down.start(r) + rows, height);
              const left = max(right.start(c), 0);
              const end = min(right.start(c) + columns, width);
              for (let channel = 0; channel < channels; channel++) {
                let most = -Infinity;
                let sum = 0;
                for (let row = top; row < bottom; row++)
                  for (let column = left; column < end; column++) {
                    const value = x![(row * width + column) * channels + channel]!;
                    most = max(most, value);
                    sum += value;
                  }
                y[place++] = largest ? most : sum / ((bottom - top) * (end - left));
              }
            }
          return y;
        },
      };
    },
  };
}
