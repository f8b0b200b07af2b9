import { isRecord } from '@tutti/runtime';

/**
 * A check of one value. Returns undefined if the value is of the kind, else where and what is
 * wrong, as the end of a sentence that starts with the name of the field.
 * @typeParam T the type of what passes, which the compiler holds against the types of the messages
 */
export type Kind<T = unknown> = ((value: unknown) => string | undefined) & {
  /** What it checks, as data: tests make values from it. */
  readonly schema: Schema;
  /** Never there. It makes two kinds of different types differ for the compiler. */
  readonly type?: (value: T) => T;
};

/** Any kind, whatever its type. */
// biome-ignore lint/suspicious/noExplicitAny: a type that is taken and given fits no other.
export type AnyKind = Kind<any>;

export type Schema =
  | { readonly is: 'text' | 'number' | 'flag' | 'integer' | 'whole' | 'version' | 'anything' }
  | { readonly is: 'choice'; readonly values: readonly string[] }
  | { readonly is: 'optional' | 'list' | 'map'; readonly inner: AnyKind }
  | { readonly is: 'shape'; readonly fields: Readonly<Record<string, AnyKind>> }
  | {
      readonly is: 'variants';
      readonly tag: string;
      readonly variants: Readonly<Record<string, AnyKind>>;
    };

function kind<T>(schema: Schema, check: (value: unknown) => string | undefined): Kind<T> {
  return Object.assign(check, { schema });
}

function leaf<T>(schema: Schema, expected: string, holds: (value: unknown) => boolean): Kind<T> {
  return kind(schema, (value) =>
    holds(value) ? undefined : ` is ${show(value)}, not ${expected}`,
  );
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  return String(value);
}

export const text: Kind<string> = leaf(
  { is: 'text' },
  'text',
  (value) => typeof value === 'string',
);
/** Any number, also NaN and infinities: the receiver decides what they mean. */
export const number: Kind<number> = leaf(
  { is: 'number' },
  'a number',
  (value) => typeof value === 'number',
);
export const flag: Kind<boolean> = leaf(
  { is: 'flag' },
  'true or false',
  (value) => typeof value === 'boolean',
);
export const integer: Kind<number> = leaf({ is: 'integer' }, 'an integer', (value) =>
  Number.isSafeInteger(value),
);
export const whole: Kind<number> = leaf(
  { is: 'whole' },
  'a whole number of at least 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);
/** A version of a chunk; -1 stands for none. */
export const version: Kind<number> = leaf(
  { is: 'version' },
  'a whole number of at least -1',
  (value) => Number.isSafeInteger(value) && (value as number) >= -1,
);
export const anything: Kind<unknown> = kind({ is: 'anything' }, () => undefined);

export function oneOf<T extends string>(...allowed: readonly T[]): Kind<T> {
  return leaf({ is: 'choice', values: allowed }, `one of ${allowed.join(', ')}`, (value) =>
    allowed.includes(value as T),
  );
}

export function optional<T>(inner: Kind<T>): Kind<T | undefined> {
  return kind({ is: 'optional', inner }, (value) =>
    value === undefined ? undefined : inner(value),
  );
}

export function listOf<T>(inner: Kind<T>): Kind<readonly T[]> {
  return kind({ is: 'list', inner }, (value) => {
    if (!Array.isArray(value)) return ` is ${show(value)}, not a list`;
    for (let i = 0; i < value.length; i++) {
      const fault = inner(value[i]);
      if (fault !== undefined) return `[${i}]${fault}`;
    }
    return undefined;
  });
}

/** An object with any keys and values of one kind. */
export function mapOf<T>(inner: Kind<T>): Kind<Readonly<Record<string, T>>> {
  return kind({ is: 'map', inner }, (value) => {
    if (!isRecord(value)) return ` is ${show(value)}, not a map`;
    for (const key of Object.keys(value)) {
      const fault = inner(value[key]);
      if (fault !== undefined) return `.${key}${fault}`;
    }
    return undefined;
  });
}

/** What each field of T must be; the compiler sees that none is forgotten, or of another type. */
export type Fields<T> = { readonly [K in keyof T]-?: Kind<T[K]> };

/** An object with these fields. Further fields are let pass and mean nothing. */
export function shapeOf<T>(fields: Fields<T>): Kind<T> {
  const names = Object.keys(fields);
  const kinds = Object.values(fields) as AnyKind[];
  return kind({ is: 'shape', fields: fields as Readonly<Record<string, AnyKind>> }, (value) => {
    if (!isRecord(value)) return ` is ${show(value)}, not a map`;
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const fault = kinds[i]!(value[name]);
      if (fault !== undefined) return `.${name}${fault}`;
    }
    return undefined;
  });
}

/** An object whose field `tag` chooses among shapes. */
export function variantsOf<T>(
  tag: keyof T & string,
  variants: Readonly<Record<string, AnyKind>>,
): Kind<T> {
  const tagKind = oneOf(...Object.keys(variants));
  return kind({ is: 'variants', tag, variants }, (value) => {
    if (!isRecord(value)) return ` is ${show(value)}, not a map`;
    const fault = tagKind(value[tag]);
    return fault === undefined ? variants[value[tag] as string]!(value) : `.${tag}${fault}`;
  });
}
