import assert from 'node:assert/strict';
import { createRandom } from '@tutti/runtime';
import { createAcceleration } from '../accelerate/index.js';
import { tf } from '../tf.js';
import { tidied } from '../tfjs/tidied.js';
import { joinedProducts } from './joined-products.js';
import { isOperation, record } from './recording.js';
import { type GraphBackend, openSession } from './session.js';
import { simplified } from './simplified.js';

const backend = () => tf.backend() as unknown as GraphBackend;

type Maths = (...inputs: tf.Tensor[]) => tf.Tensor[];

/** How many operations are left of how many; what they give is compared with what tfjs gives. */
function countsOf(name: string, maths: Maths, ...shapes: number[][]): string {
  const random = createRandom('joined-products', JSON.stringify(shapes));
  const inputs = shapes.map((shape) => {
    const length = shape.reduce((product, extent) => product * extent, 1);
    return tf.tensor(
      Float32Array.from({ length }, () => random.next() - 0.5),
      shape,
    );
  });
  const { run, recording } = createAcceleration(tf);
  let values: Float32Array[] = [];
  const before = tidied(() =>
    run(() =>
      recording(() =>
        record(backend(), inputs, () => {
          const results = maths(...inputs);
          values = results.map((each) => backend().readSync(each.dataId) as Float32Array);
          return results;
        }),
      ),
    ),
  );
  const plain = simplified({ ...before, obstacle: undefined });
  const joined = simplified(joinedProducts(plain, backend().binding));
  const session = openSession(backend(), joined, []);
  for (const [at, tensor] of session.run(inputs).entries())
    for (const [i, value] of tensor.dataSync().entries()) {
      const expected = values[at]![i]!;
      assert.ok(Math.abs(value - expected) < 1e-5, `${at}[${i}]: ${value}, expected ${expected}`);
    }
  session.close();
  const count = ({ nodes }: typeof plain) => nodes.filter((node) => isOperation(node, name)).length;
  return `${count(joined)} of ${count(plain)}`;
}

const productsOf = (maths: Maths, ...shapes: number[][]) =>
  countsOf('BatchMatMulV2', maths, ...shapes);

const parts = (x: tf.Tensor) => tf.unstack(x);
const times = (one: tf.Tensor, other: tf.Tensor) =>
  tf.matMul(one as tf.Tensor2D, other as tf.Tensor2D);
const total = (terms: readonly tf.Tensor[]) => terms.reduce((sum, term) => sum.add(term));
const across = (one: tf.Tensor, other: tf.Tensor) =>
  tf.matMul(one as tf.Tensor2D, other as tf.Tensor2D, true);

describe('products by the same matrix are one', () => {
  const [x, matrix] = [
    [5, 3, 4],
    [4, 6],
  ];

  it('where they are of all parts of a tensor, in whatever order', () => {
    const each: Maths = (x, w) => parts(x!).map((part) => times(part, w!));
    assert.equal(productsOf(each, x!, matrix!), '1 of 5');
    const reversed: Maths = (x, w) =>
      parts(x!)
        .reverse()
        .map((part) => times(part, w!));
    assert.equal(productsOf(reversed, x!, matrix!), '1 of 5');
    const two: Maths = (x, w, v) => parts(x!).flatMap((part) => [times(part, w!), times(part, v!)]);
    assert.equal(productsOf(two, x!, matrix!, matrix!), '2 of 10');
  });

  it('where they are put together', () => {
    const maths: Maths = (x, w) => [tf.stack(parts(x!.sin()).map((part) => times(part.cos(), w!)))];
    assert.equal(productsOf(maths, x!, matrix!), '1 of 5');
  });

  it('but for those of some parts, of parts of each example, or of one another', () => {
    const some: Maths = (x, w) =>
      parts(x!)
        .slice(1)
        .map((part) => times(part, w!));
    assert.equal(productsOf(some, x!, matrix!), '4 of 4');
    const inner: Maths = (x, w) => tf.unstack(x!, 1).map((part) => times(part, w!));
    assert.equal(productsOf(inner, x!, matrix!), '3 of 3');
    const chain: Maths = (x, w) => {
      let state = parts(x!)[0]!;
      return [tf.stack(parts(x!).map((part) => (state = times(state.add(part), w!))))];
    };
    assert.equal(productsOf(chain, x!, [4, 4]), '5 of 5');
    const others: Maths = (x, w, v) => [
      tf.stack(parts(x!).map((part, at) => times(part.cos(), at % 2 ? w! : v!))),
    ];
    assert.equal(productsOf(others, x!, matrix!, matrix!), '5 of 5');
  });

  it('but for large ones', () => {
    const each: Maths = (x, w) => parts(x!).map((part) => times(part, w!));
    assert.equal(productsOf(each, [2, 128, 128], [128, 128]), '1 of 2');
    assert.equal(productsOf(each, [2, 160, 128], [128, 128]), '2 of 2');
    assert.equal(productsOf(each, [2, 160, 512], [512, 512]), '1 of 2');
  });
});

describe('sums of products over examples are one product', () => {
  const [x, y] = [
    [5, 3, 4],
    [5, 3, 6],
  ];
  const products = (x: tf.Tensor, y: tf.Tensor) =>
    parts(x).map((part, at) => across(part, parts(y)[at]!));

  it('in whatever order they are added', () => {
    assert.equal(
      productsOf((x, y) => [total(products(x!, y!))], x!, y!),
      '1 of 5',
    );
    const tree: Maths = (x, y) => {
      const [a, b, c, d, e] = products(x!.sin(), y!);
      return [a!.add(b!.add(e!)).add(c!.add(d!))];
    };
    assert.equal(productsOf(tree, x!, y!), '1 of 5');
  });

  it('beside other terms', () => {
    const maths: Maths = (x, y, z) => {
      const [first, ...rest] = products(x!, y!);
      return [total([first!, z!, ...rest, z!, across(parts(x!)[0]!.add(1), parts(y!)[0]!)])];
    };
    assert.equal(productsOf(maths, x!, y!, [4, 6]), '1 of 6');
  });

  it('where they are side by side', () => {
    const maths: Maths = (x, y) => [
      total(
        products(x!, y!).map((each, at) =>
          tf.concat([each, across(parts(y!)[at]!, parts(y!)[at]!)], 0),
        ),
      ),
    ];
    assert.equal(productsOf(maths, x!, y!), '2 of 10');
  });

  it('and sums over rows are one, whatever their rank', () => {
    const maths: Maths = (x, b) => {
      const biased = (b: tf.Tensor) =>
        total(parts(x!).map((part) => part.mul(part.add(b).tanh()).sum()));
      return [tf.grad(biased)(b!)];
    };
    for (const shape of [
      [4, 3, 5],
      [4, 2, 3, 3, 5],
    ])
      assert.equal(countsOf('BiasAddGrad', maths, shape, [5]), '1 of 4');
  });

  it('but for those that are read elsewhere, too, and those that are spread', () => {
    const read: Maths = (x, y) => {
      const all = products(x!, y!);
      return [total(all), all[2]!, total([all[0]!.add(all[1]!), all[1]!])];
    };
    assert.equal(productsOf(read, x!, y!), '4 of 5');
    const twice: Maths = (x, y) => products(x!, y!).map((each) => each.add(each));
    assert.equal(productsOf(twice, x!, y!), '5 of 5');
    const spread: Maths = (x, y) => [total([...products(x!, y!), tf.ones([2, 4, 6])])];
    assert.equal(productsOf(spread, x!, y!), '1 of 5');
  });
});
