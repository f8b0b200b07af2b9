import assert from 'node:assert/strict';
import { type EdgeModel, type ReadOptions, readModel } from '@tutti/edge';
import { BODY_AT, CHECKSUM_AT, crc32 } from '@tutti/edge/internal';
import { sharing } from '@tutti/edge/sharing';
import { isTuttiError } from '@tutti/runtime';
import fc from 'fast-check';
import { sampleDrawnModel, sampleModel, samplePartsModel } from './testing.js';
import { type Precisions, writeModel } from './write-model.js';

const precisions: Precisions[] = [
  {},
  { kernels: 'float16', biases: 'float16' },
  { kernels: 'int8' },
  { kernels: 'int4', biases: 'float16' },
];
const files = [sampleModel(), sampleDrawnModel(), samplePartsModel()].flatMap((model) =>
  precisions.map((each) => writeModel(model, each).bytes),
);
/** Numbers that are words, too. */
const exampleFor = ({ input }: EdgeModel) =>
  Float32Array.from({ length: input.reduce((a, b) => a * b, 1) }, (_, at) => at % 4);
const file = fc.constantFrom(...files);
/** So that no prediction of a made-up model takes long. */
const small = { maxValues: 4096 };

/** A model, or undefined if the file was refused as it should be. */
function opened(bytes: Uint8Array, options: ReadOptions = {}): EdgeModel | undefined {
  try {
    return readModel(bytes, { sharing, ...options });
  } catch (error) {
    assert.ok(isTuttiError(error) && error.code === 'BAD_MODEL', String(error));
    return undefined;
  }
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(CHECKSUM_AT, crc32(copy.subarray(BODY_AT)), true);
  return copy;
}

describe('a damaged file', () => {
  it('is refused when it ends too early, wherever that is', () => {
    for (const bytes of files)
      for (let length = 0; length < bytes.length; length++)
        assert.equal(opened(bytes.subarray(0, length)), undefined);
  });

  it('is refused when something follows', () => {
    for (const bytes of files) {
      assert.equal(opened(Uint8Array.from([...bytes, 0])), undefined);
      assert.equal(opened(withChecksum(Uint8Array.from([...bytes, 0]))), undefined);
    }
  });

  it('is refused when any one bit has flipped', () => {
    for (const bytes of files)
      for (let at = 0; at < bytes.length * 8; at++) {
        const copy = bytes.slice();
        copy[at >> 3]! ^= 1 << (at & 7);
        assert.equal(opened(copy), undefined);
      }
  });

  it('is refused, or predicts the same, when bytes have changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(file, fc.array(change, { minLength: 1, maxLength: 20 }), (bytes, changes) => {
        const copy = bytes.slice();
        for (const [at, value] of changes) copy[at % copy.length] = value;
        const model = opened(copy);
        if (model === undefined) return;
        assert.deepEqual(copy, bytes);
        const example = exampleFor(model);
        assert.deepEqual(model.predict(example), readModel(bytes, { sharing }).predict(example));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a file that was made to harm, with a right checksum', () => {
  const predicts = (bytes: Uint8Array) => {
    const model = opened(withChecksum(bytes), small);
    if (model === undefined) return;
    const output = model.output.reduce((a, b) => a * b, 1);
    try {
      assert.equal(model.predict(exampleFor(model)).length, output);
    } catch (error) {
      assert.ok(isTuttiError(error) && error.code === 'BAD_DATA', String(error));
    }
  };

  it('is refused, or predicts something of the shape that it says', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(file, fc.array(change, { minLength: 1, maxLength: 6 }), (bytes, changes) => {
        const copy = bytes.slice();
        for (const [at, value] of changes) copy[BODY_AT + (at % (copy.length - BODY_AT))] = value;
        predicts(copy);
      }),
      { numRuns: 3000 },
    );
  });

  it('may be of any bytes', () => {
    const heads = fc.constantFrom(...files.map((bytes) => bytes.slice(0, BODY_AT)));
    const rest = fc.uint8Array({ maxLength: 200 }).map((body) => body.map((byte) => byte % 20));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), rest), heads, (body, head) =>
        predicts(Uint8Array.from([...head, ...body])),
      ),
      { numRuns: 3000 },
    );
  });

  it('gets no more memory than the caller allows', () => {
    const head = [...files[0]!.slice(0, BODY_AT)];
    // An example of 2^27 values; a dense layer of 1,000 x 100,000 zeros; a chain of layers of 2^23.
    const large = [1, 0x80, 0x80, 0x80, 0x40, 0];
    const zeros = [1, 0xe8, 7, 1, 0, 0, 0xa0, 0x8d, 6, 1, 64, 0, 1, 0x10, 0];
    const chain = [
      1,
      0x80,
      0x80,
      0x80,
      4,
      200,
      1,
      ...Array.from({ length: 200 }, () => [9, 0, 1]).flat(),
    ];
    for (const body of [large, zeros, chain])
      assert.throws(() => readModel(withChecksum(Uint8Array.from([...head, ...body]))), {
        message: /more than 16777216 values/,
      });
  });
});
