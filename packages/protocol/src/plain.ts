const MAX_DEPTH = 6;

/**
 * A copy that consists of plain objects, lists, text, numbers, booleans and null. What is none of
 * these (an Error, a Map, a function, a cycle) becomes text that names it: error details are for
 * people to read, and must never keep an error from travelling.
 */
export function toPlain(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'undefined':
      return undefined;
    case 'object':
      break;
    default:
      return String(value);
  }
  if (value === null) return null;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (depth === MAX_DEPTH) return '...';
  if (Array.isArray(value)) return value.map((item) => toPlain(item, depth + 1) ?? null);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return value instanceof Date ? String(value.toJSON()) : `[${value.constructor?.name}]`;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, toPlain(item, depth + 1)]),
  );
}
