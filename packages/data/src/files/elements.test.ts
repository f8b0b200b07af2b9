import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createDecoder, type ElementKind, type UnfitNumberError } from './elements.js';

type Write = (view: DataView, value: number, little: boolean) => void;
const WRITES: Record<ElementKind, Write> = {
  uint8: (view, value) => view.setUint8(0, value),
  int8: (view, value) => view.setInt8(0, value),
  int16: (view, value, little) => view.setInt16(0, value, little),
  int32: (view, value, little) => view.setInt32(0, value, little),
  int64: (view, value, little) => view.setBigInt64(0, BigInt(value), little),
  float32: (view, value, little) => view.setFloat32(0, value, little),
  float64: (view, value, little) => view.setFloat64(0, value, little),
};

describe('decoder', () => {
  it('gives back what was written, for every format, at any offset', () => {
    const values: Record<ElementKind, fc.Arbitrary<number>> = {
      uint8: fc.nat({ max: 255 }),
      int8: fc.integer({ min: -128, max: 127 }),
      int16: fc.integer({ min: -32768, max: 32767 }),
      int32: fc.integer(),
      int64: fc.integer(),
      float32: fc.float(),
      float64: fc.float(),
    };
    for (const kind of Object.keys(values) as ElementKind[]) {
      fc.assert(
        fc.property(
          fc.array(values[kind], { maxLength: 9 }),
          fc.boolean(),
          fc.nat({ max: 7 }),
          fc.constantFrom(undefined, 0.5),
          (numbers, littleEndian, from, scale) => {
            const parts = numbers.map((value) => {
              const bytes = new Uint8Array(Number(/\d+/.exec(kind)) / 8);
              WRITES[kind](new DataView(bytes.buffer), value, littleEndian);
              return bytes;
            });
            const bytes = Buffer.concat([new Uint8Array(from), ...parts]);
            const decoder = createDecoder({ kind, littleEndian }, { scale });
            const target = decoder.create(numbers.length + 1).fill(0);
            decoder.decode(bytes, from, numbers.length, target, 1);
            const expected = numbers.map((value) => Math.fround(value * (scale ?? 1)));
            const whole = scale === undefined && kind.includes('int');
            assert.deepEqual([...target], [0, ...(whole ? numbers : expected)]);
          },
        ),
      );
    }
  });

  it('refuses a 64-bit number that does not fit into 32 bits', () => {
    for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 40n]) {
      const bytes = new Uint8Array(16);
      new DataView(bytes.buffer).setBigInt64(8, value, true);
      const decoder = createDecoder({ kind: 'int64', littleEndian: true });
      assert.throws(
        () => decoder.decode(bytes, 0, 2, new Int32Array(2), 0),
        (thrown: UnfitNumberError) =>
          thrown.element === 1 &&
          thrown.message === `the number ${value} does not fit into 32 bits`,
      );
    }
    const bytes = new Uint8Array(Float64Array.of(Number.POSITIVE_INFINITY, 1e39).buffer);
    const decoder = createDecoder({ kind: 'float64', littleEndian: true });
    assert.throws(
      () => decoder.decode(bytes, 0, 2, new Float32Array(2), 0),
      (thrown: UnfitNumberError) =>
        thrown.element === 1 && thrown.message === 'the number 1e+39 does not fit into float32',
    );
  });
});
