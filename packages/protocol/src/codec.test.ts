import assert from 'node:assert/strict';
import { TuttiError } from '@tutti/runtime';
import fc from 'fast-check';
import { pack } from 'msgpackr';
import { checkSendable, decode, encode, MAX_HEADER_BYTES } from './codec.js';
import { formats, stamp } from './fields.js';
import type { Envelope } from './link.js';
import { type Body, type Message, PROTOCOL_VERSION } from './messages.js';
import { arbitraryOf } from './testing.js';

const types = [...formats.keys()] as Body['type'][];
const stamps = arbitraryOf(stamp).map((each) => ({ ...each, protocol: PROTOCOL_VERSION }));

function envelopeOf(type: Body['type']): fc.Arbitrary<Envelope> {
  const { body, payload } = formats.get(type)!;
  return fc
    .tuple(stamps, arbitraryOf(body) as fc.Arbitrary<object>, fc.uint8Array({ maxLength: 64 }))
    .map(([stamped, fields, bytes]) => ({
      message: { type, ...stamped, ...fields } as Message,
      ...(payload ? { payload: bytes.subarray(0, bytes.length & ~3) } : {}),
    }));
}
const anyEnvelope = fc.constantFrom(...types).chain(envelopeOf);

const fixed = { protocol: PROTOCOL_VERSION, job: 'j', session: 's' };
const throwsBadFrame = (frames: readonly Uint8Array[], pattern?: RegExp) =>
  assert.throws(
    () => decode(frames),
    (thrown) => {
      assert.ok(thrown instanceof TuttiError, String(thrown));
      assert.equal(thrown.code, 'BAD_FRAME');
      if (pattern !== undefined) assert.match(thrown.message, pattern);
      return true;
    },
  );

describe('the codec', () => {
  for (const type of types) {
    it(`brings ${type} back as it was`, () => {
      fc.assert(
        fc.property(envelopeOf(type), (envelope) => {
          const frames = encode(envelope);
          const back = decode(frames);
          // A header travels without what is undefined.
          assert.deepEqual(back, withoutUndefined(envelope));
          assert.equal(back.payload, envelope.payload, 'the payload must not be copied');
        }),
        { numRuns: 50 },
      );
    });

    it(`refuses ${type} if any of its fields is missing or of another kind`, () => {
      const [envelope] = fc.sample(envelopeOf(type), { numRuns: 1, seed: 7 });
      const { message, payload } = envelope!;
      const tail = payload === undefined ? [] : [payload];
      const { schema } = formats.get(type)!.body;
      assert.ok(schema.is === 'shape');
      for (const field of ['type', 'protocol', 'job', 'session', ...Object.keys(schema.fields)]) {
        const { [field]: _, ...rest } = message as unknown as Record<string, unknown>;
        const isOptional = schema.fields[field]?.schema.is === 'optional';
        if (field !== 'protocol' && !isOptional) throwsBadFrame([pack(rest), ...tail]);
        for (const wrong of [null, -1.5, false, [{}], { x: 1 }]) {
          if (field === 'protocol' && wrong === null) continue;
          if (isRight(field, wrong)) continue;
          throwsBadFrame([pack({ ...message, [field]: wrong }), ...tail]);
          assert.throws(
            () => checkSendable({ ...envelope, message: { ...message, [field]: wrong } as never }),
            { code: 'INTERNAL' },
          );
        }
      }
    });

    it(`lets ${type} have a payload only if it is one that has`, () => {
      const [envelope] = fc.sample(envelopeOf(type), { numRuns: 1, seed: 7 });
      const header = encode(envelope!)[0]!;
      if (formats.get(type)!.payload) {
        throwsBadFrame([header], /no payload/);
        throwsBadFrame([header, new Uint8Array(6)], /6 bytes/);
        decode([header, new Uint8Array(0)]);
      } else throwsBadFrame([header, new Uint8Array(4)], /must not have a payload/);
    });
  }

  it('takes whole numbers of at least 0 only, and -1 for the version of an empty chunk', () => {
    const good = {
      type: 'contribution',
      ...fixed,
      attempt: 'e',
      step: 0,
      lo: 0,
      hi: 1,
      chunk: 2 ** 53 - 1,
    };
    decode([pack(good), new Uint8Array(4)]);
    for (const field of ['step', 'lo', 'hi', 'chunk']) {
      for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1']) {
        throwsBadFrame([pack({ ...good, [field]: wrong }), new Uint8Array(4)], new RegExp(field));
      }
    }
    decode([pack({ type: 'opened', ...fixed, versions: [-1, 0] })]);
    throwsBadFrame([pack({ type: 'opened', ...fixed, versions: [0, -2] })], /versions\[1\] is -2/);
  });

  it('takes one frame or two', () => {
    throwsBadFrame([], /0 frames/);
    const frames = encode({ message: { type: 'leave', ...fixed } });
    throwsBadFrame([...frames, new Uint8Array(4), new Uint8Array(4)], /3 frames/);
  });

  it('refuses headers over the limit before it looks at them', () => {
    throwsBadFrame([new Uint8Array(MAX_HEADER_BYTES + 1)], /over the limit/);
    const message = { type: 'leave', ...fixed, job: 'x'.repeat(MAX_HEADER_BYTES) } as Message;
    assert.throws(() => encode({ message }), { code: 'INTERNAL', message: /header has/ });
  });

  it('refuses what msgpack can say and JSON cannot', () => {
    const with_ = (bytes: number[]) => Uint8Array.from([0x81, 0xa1, 0x61, ...bytes]);
    throwsBadFrame([with_([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x62, 0x01])], /0xd4/); // a record
    throwsBadFrame([with_([0xd6, 0xff, 0, 0, 0, 0])], /0xd6/); // a date
    throwsBadFrame([with_([0xc7, 0x01, 0x74, 0x00])], /0xc7/); // a typed array
    throwsBadFrame([with_([0xc4, 0x01, 0x00])], /0xc4/); // binary
    throwsBadFrame([with_([0xcf, 1, 1, 1, 1, 1, 1, 1, 1])], /0xcf/); // a BigInt
    throwsBadFrame([Uint8Array.from([0x81, 0x01, 0x01])], /key/);
    throwsBadFrame([Uint8Array.from([0x01, 0x01])], /follow/);
  });

  it('refuses nests and counts that the bytes do not back', () => {
    const nest = new Uint8Array(72 * 1024);
    for (let i = 0; i < nest.length; i += 3) nest.set([0xdc, 0xff, 0xff], i);
    throwsBadFrame([nest]);
    throwsBadFrame([new Uint8Array(100_000).fill(0x91)], /nested/);
    throwsBadFrame([Uint8Array.from([0xdd, 0xff, 0xff, 0xff, 0xff])], /middle/);
    throwsBadFrame([Uint8Array.from([0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1])], /middle/);
    throwsBadFrame([Uint8Array.from([0xdb, 0xff, 0xff, 0xff, 0xff, 0x61])], /middle/);
  });

  it('never pollutes a prototype', () => {
    const details = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}');
    const message = {
      type: 'failed',
      ...fixed,
      error: { code: 'INTERNAL', message: '', remedy: '', details },
    } as Message;
    decode(encode({ message }));
    decode([pack({ ...message })]);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  it('of another version keeps the stamp, so that it can be refused with a reason', () => {
    const header = pack({ type: 'hello', ...fixed, protocol: 99, novelty: true });
    assert.deepEqual(decode([header, new Uint8Array(3)]), {
      message: { type: 'hello', ...fixed, protocol: 99 },
    });
  });

  it('carries an error whatever its details are', () => {
    const details: Record<string, unknown> = {
      error: new RangeError('too far'),
      big: 10n,
      when: new Date(0),
      map: new Map([[1, 2]]),
      call: () => 1,
      floats: new Float32Array(3),
      absent: undefined,
      infinite: Number.POSITIVE_INFINITY,
    };
    details.self = details;
    const message = {
      type: 'failed',
      ...fixed,
      error: { code: 'INTERNAL', message: 'm', remedy: 'r', details },
    } as Message;
    const back = decode(encode({ message })).message;
    assert.ok(back.type === 'failed');
    assert.equal(back.error.details.error, 'RangeError: too far');
    assert.equal(back.error.details.big, '10');
    assert.equal(back.error.details.infinite, Number.POSITIVE_INFINITY);
    assert.ok(!('absent' in back.error.details));
  });

  it('carries an error however long it is', () => {
    const text = '\u20ac'.repeat(MAX_HEADER_BYTES);
    const list = Array.from({ length: MAX_HEADER_BYTES / 4 }, (_, at) => at + 0.5);
    const named = Object.fromEntries(list.map((at) => [at, text]));
    const message = {
      type: 'failed',
      ...fixed,
      error: {
        code: 'PROGRAM_FAILED',
        message: `first ${text}`,
        remedy: text,
        details: { step: 3, list, named, [text]: text },
        stack: text,
      },
    } as Message;
    const back = decode(encode({ message })).message;
    assert.ok(back.type === 'failed');
    assert.match(back.error.message, /^first \u20ac+\.\.\.$/);
    assert.equal(back.error.details.step, 3);
  });

  it('throws nothing but BAD_FRAME for random bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }), (frames) => {
        decodesOrRefuses(frames);
      }),
      { numRuns: 2000 },
    );
  });

  it('throws nothing but BAD_FRAME for messages with a few bytes changed, added or cut', () => {
    const edit = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.nat(2) });
    fc.assert(
      fc.property(
        anyEnvelope,
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (envelope, edits) => {
          const [header, ...payload] = encode(envelope);
          const bytes = [...header!];
          for (const { at, byte, kind } of edits) {
            bytes.splice(
              at % (bytes.length + 1),
              kind === 0 ? 0 : 1,
              ...(kind === 2 ? [] : [byte]),
            );
          }
          decodesOrRefuses([Uint8Array.from(bytes), ...payload]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function decodesOrRefuses(frames: readonly Uint8Array[]): void {
  try {
    const back = decode(frames);
    // What is let in can be sent on: it has the shape that its type says.
    if (back.message.protocol === PROTOCOL_VERSION) checkSendable(back);
  } catch (thrown) {
    assert.ok(thrown instanceof TuttiError, String(thrown));
    assert.equal(thrown.code, 'BAD_FRAME');
  }
}

/** Values of the table of wrong ones that happen to be right for a field. */
function isRight(field: string, value: unknown): boolean {
  return (
    (['scale', 'rate'].includes(field) && value === -1.5) ||
    (['slots', 'reset', 'recorded', 'unhurried'].includes(field) && typeof value === 'boolean')
  );
}

function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(withoutUndefined);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, withoutUndefined(item)]),
  );
}
