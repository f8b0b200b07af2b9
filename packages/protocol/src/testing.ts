import fc from 'fast-check';
import type { AnyKind, Kind } from './kinds.js';

/** Whatever a kind lets pass, made from the same declaration. Only tests import this file. */
export function arbitraryOf<T>(kind: Kind<T>): fc.Arbitrary<T> {
  return made(kind) as fc.Arbitrary<T>;
}

/** msgpack gives -0 as 0; nothing in a header depends on the sign of zero. */
const number = fc.double().map((value) => (value === 0 ? 0 : value));
const whole = fc.oneof(fc.nat(), fc.maxSafeNat());
const text = fc.string({ unit: 'grapheme' });
const key = fc.string({ unit: 'grapheme-ascii' }).filter((name) => name !== '__proto__');
const nested = { step: 3, worker: 'w1', nested: { list: [1, 'two', null, true] } };

function made({ schema }: AnyKind): fc.Arbitrary<unknown> {
  switch (schema.is) {
    case 'text':
      return text;
    case 'number':
      return number;
    case 'flag':
      return fc.boolean();
    case 'integer':
      return fc.maxSafeInteger();
    case 'whole':
      return whole;
    case 'version':
      return fc.oneof(fc.constant(-1), whole);
    case 'anything':
      return fc.constant(nested);
    case 'choice':
      return fc.constantFrom(...schema.values);
    case 'optional':
      return fc.option(made(schema.inner), { nil: undefined });
    case 'list':
      return fc.array(made(schema.inner));
    case 'map':
      return fc.dictionary(key, made(schema.inner));
    case 'shape':
      return recordOf(schema.fields);
    case 'variants':
      return fc.oneof(
        ...Object.entries(schema.variants).map(([name, variant]) =>
          fc
            .tuple(fc.constant(name), made(variant))
            .map(([tag, fields]) => ({ [schema.tag]: tag, ...(fields as object) })),
        ),
      );
  }
}

/** Without the optional fields, or with some of them. */
function recordOf(fields: Readonly<Record<string, AnyKind>>): fc.Arbitrary<unknown> {
  const names = Object.keys(fields);
  const model = Object.entries(fields).map(([name, kind]) => [
    name,
    made(kind.schema.is === 'optional' ? kind.schema.inner : kind),
  ]);
  return fc.record(Object.fromEntries(model) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: names.filter((name) => fields[name]!.schema.is !== 'optional'),
  });
}
