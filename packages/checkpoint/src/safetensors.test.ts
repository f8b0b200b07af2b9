import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { bytesOf } from './bytes.js';
import { readSafetensors, safetensorsPieces, writeSafetensors } from './safetensors.js';
import { decodeHeader, encodeHeader, type Tensor } from './safetensors-header.js';
import { inTemporaryFolder, parameters } from './testing.js';

const bits = (tensors: readonly Tensor[]) =>
  tensors.map(({ name, shape, values }) => [
    name,
    shape,
    Buffer.from(bytesOf(values)).toString('hex'),
  ]);

const someTensors = fc
  .uniqueArray(
    fc.record({
      name: fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__'),
      shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  )
  .map((specs) =>
    specs.map(({ name, shape }, i): Tensor => {
      const length = shape.reduce((a, b) => a * b, 1);
      return { name, shape, values: Float32Array.from({ length }, (_, j) => i + j / 7) };
    }),
  );

/** A file with this header text and so many bytes of data. */
function fileOf(header: unknown, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const file = Buffer.alloc(8 + json.length + dataBytes);
  file.writeBigUInt64LE(BigInt(json.length));
  json.copy(file, 8);
  return file;
}

const entry = (shape: unknown, begin: number, end: number, dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', () => {
  it('gives back the bits, shapes, names and order of what was written', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'deep', 'a.safetensors');
      await writeSafetensors(path, parameters, { made: 'by a test' });
      const { tensors, metadata } = await readSafetensors(path);
      assert.deepEqual(bits(tensors), bits(parameters));
      assert.deepEqual(metadata, { made: 'by a test' });
    }));

  it('does so for any names and shapes', () =>
    inTemporaryFolder((folder) =>
      fc.assert(
        fc.asyncProperty(someTensors, async (tensors) => {
          const path = join(folder, 'b.safetensors');
          await writeSafetensors(path, tensors);
          assert.deepEqual(bits((await readSafetensors(path)).tensors), bits(tensors));
        }),
        { numRuns: 50 },
      ),
    ));

  it('has the layout of the format: length, JSON, data at a multiple of eight', () => {
    const file = Buffer.concat([
      ...safetensorsPieces([{ name: 'a', shape: [2], values: Float32Array.of(1, -2) }]),
    ]);
    const length = Number(file.readBigUInt64LE());
    assert.equal(length % 8, 0);
    assert.deepEqual(JSON.parse(file.subarray(8, 8 + length).toString()), {
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    });
    assert.equal(file.subarray(8 + length).toString('hex'), '0000803f000000c0');
  });

  it('reads what other writers may produce: tensors in any order of the header, no padding', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'c.safetensors');
      const file = fileOf({ b: entry([1], 4, 8), a: entry([], 0, 4), e: entry([0, 3], 8, 8) }, 8);
      file.writeFloatLE(1.5, file.length - 8);
      file.writeFloatLE(2.5, file.length - 4);
      await writeFile(path, file);
      const { tensors } = await readSafetensors(path);
      assert.deepEqual(
        tensors.map(({ name, values }) => [name, ...values]),
        [['a', 1.5], ['b', 2.5], ['e']],
      );
    }));

  it('refuses every malformed file with its reason, before allocating what it claims', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'bad.safetensors');
      const huge = Buffer.alloc(16);
      huge.writeBigUInt64LE(2n ** 63n);
      const cases: [Buffer, RegExp][] = [
        [Buffer.alloc(0), /only 0 bytes/],
        [Buffer.alloc(9), /only 9 bytes/],
        [huge, /claims 9223372036854775808 bytes of a file of 16/],
        [fileOf('{"a":', 0), /no JSON/],
        [fileOf('[]', 0), /no object/],
        [fileOf({ a: 3 }, 0), /not described/],
        [fileOf({ a: entry([1], 0, 2, 'F16') }, 2), /type "F16", not F32/],
        [fileOf({ a: entry('x', 0, 4) }, 4), /no shape/],
        [fileOf({ a: entry([-1], 0, 4) }, 4), /no shape/],
        [fileOf({ a: entry([1], 4, 0) }, 4), /no place/],
        [fileOf({ a: entry([2], 0, 4) }, 4), /shape \[2\] has 4 bytes/],
        [fileOf({ a: entry([2 ** 40, 2 ** 40], 0, 4) }, 4), /has 4 bytes/],
        [fileOf({ a: entry([2 ** 40], 0, 2 ** 42) }, 4), /take 4398046511104 bytes/],
        [fileOf({ a: entry([2], 0, 8), b: entry([2], 4, 12) }, 12), /overlaps/],
        [fileOf({ a: entry([1], 0, 4), b: entry([1], 8, 12) }, 12), /hole/],
        [fileOf({ a: entry([1], 0, 4) }, 8), /take 4 bytes, but there are 8/],
        [fileOf({ __metadata__: { a: 1 } }, 0), /more than text/],
        [fileOf(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), 0), /no JSON/],
      ];
      for (const [file, reason] of cases) {
        await writeFile(path, file);
        await assert.rejects(readSafetensors(path), (error: { code: string; message: string }) => {
          assert.equal(error.code, 'BAD_CHECKPOINT');
          assert.match(error.message, reason);
          assert.ok(error.message.startsWith(path));
          return true;
        });
      }
      await assert.rejects(readSafetensors(join(folder, 'missing')), { code: 'BAD_CHECKPOINT' });
    }));

  it('never reads a file that was cut short', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'd.safetensors');
      await writeSafetensors(path, parameters);
      const whole = await readFile(path);
      for (let length = 0; length < whole.length; length++) {
        await writeFile(path, whole.subarray(0, length));
        await assert.rejects(readSafetensors(path), { code: 'BAD_CHECKPOINT' }, `${length} bytes`);
      }
    }));

  it('survives any bytes as a header', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(), (json, dataBytes) => {
        try {
          decodeHeader('x', json, dataBytes);
        } catch (error) {
          assert.equal((error as { code: string }).code, 'BAD_CHECKPOINT');
        }
      }),
    );
  });

  it('does not write what it could not read', () => {
    const values = Float32Array.of(1);
    assert.throws(() => encodeHeader([{ name: 'a', shape: [2], values }]), RangeError);
    assert.throws(() => encodeHeader([{ name: '__metadata__', shape: [1], values }]), RangeError);
    const twice = { name: 'a', shape: [1], values };
    assert.throws(() => encodeHeader([twice, twice]), RangeError);
  });
});
