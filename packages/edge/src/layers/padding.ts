import { zeros } from '../arrays.js';
import { type LayerKind, ofRank, product } from './layer.js';

/** Zeros around [height, width, channels]. */
export const zeroPadding2d: LayerKind = {
  // rows above and below, columns left and right
  numbers: 4,
  open([input], [top, bottom, left, right]) {
    const [height, width, channels] = ofRank<[number, number, number]>(input!, 3);
    const padded = left! + width + right!;
    const shape = [top! + height + bottom!, padded, channels];
    return {
      shape,
      run([x]) {
        const y = zeros(product(shape));
        const run = width * channels;
        for (let row = 0; row < height; row++)
          y.set(
            x!.subarray(row * run, (row + 1) * run),
            ((top! + row) * padded + left!) * channels,
          );
        return y;
      },
    };
  },
};
