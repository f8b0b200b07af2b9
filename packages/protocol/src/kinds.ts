/**
 * A check of one value. Returns undefined if the value is of the kind, else where and what is
 * wrong, as the end of a sentence that starts with the name of the field.
 */
export type Kind = (value: unknown) => string | undefined;

function leaf(expected: string, holds: (value: unknown) => boolean): Kind {
  return (value) => (holds(value) ? undefined : ` is ${show(value)}, not ${expected}`);
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a map';
  return String(value);
}

export const text = leaf('text', (value) => typeof value === 'string');
/** Any number, also NaN and infinities: the receiver decides what they mean. */
export const number = leaf('a number', (value) => typeof value === 'number');
export const flag = leaf('true or false', (value) => typeof value === 'boolean');
export const integer = leaf('an integer', (value) => Number.isSafeInteger(value));
export const whole = leaf(
  'a whole number of at least 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);
/** A version of a chunk; -1 stands for none. */
export const version = leaf(
  'a whole number of at least -1',
  (value) => Number.isSafeInteger(value) && (value as number) >= -1,
);
export const anything: Kind = () => undefined;

export function oneOf(...allowed: readonly string[]): Kind {
  return leaf(`one of ${allowed.join(', ')}`, (value) => allowed.includes(value as string));
}

export function optional(kind: Kind): Kind {
  return (value) => (value === undefined ? undefined : kind(value));
}

export function listOf(kind: Kind): Kind {
  return (value) => {
    if (!Array.isArray(value)) return ` is ${show(value)}, not a list`;
    for (let i = 0; i < value.length; i++) {
      const fault = kind(value[i]);
      if (fault !== undefined) return `[${i}]${fault}`;
    }
    return undefined;
  };
}

/** An object with any keys and values of one kind. */
export function mapOf(kind: Kind): Kind {
  return (value) => {
    if (!isMap(value)) return ` is ${show(value)}, not a map`;
    for (const key of Object.keys(value)) {
      const fault = kind(value[key]);
      if (fault !== undefined) return `.${key}${fault}`;
    }
    return undefined;
  };
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What each field of T must be; the compiler sees that none is forgotten. */
export type Fields<T> = { readonly [K in keyof T]-?: Kind };

/** An object with these fields. Further fields are let pass and mean nothing. */
export function shapeOf<T>(fields: Fields<T>): Kind {
  const names = Object.keys(fields);
  const kinds = Object.values(fields) as Kind[];
  return (value) => {
    if (!isMap(value)) return ` is ${show(value)}, not a map`;
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const fault = kinds[i]!(value[name]);
      if (fault !== undefined) return `.${name}${fault}`;
    }
    return undefined;
  };
}

/** An object whose field `tag` chooses among shapes. */
export function variantsOf(tag: string, variants: Readonly<Record<string, Kind>>): Kind {
  const tagKind = oneOf(...Object.keys(variants));
  return (value) => {
    if (!isMap(value)) return ` is ${show(value)}, not a map`;
    const fault = tagKind(value[tag]);
    return fault === undefined ? variants[value[tag] as string]!(value) : `.${tag}${fault}`;
  };
}
