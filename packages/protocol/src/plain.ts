import type { ErrorRecord } from '@tutti/runtime';

const MAX_DEPTH = 6;

/** Characters of each text of an error, and of its details: with three bytes each all fit into a header. */
const MOST = 65_536;

/** What is left of that. */
interface Room {
  left: number;
}

/** What a value takes of it besides its text: a number has nine bytes. */
const OF_A_VALUE = 4;

/**
 * An error that can travel, whatever somebody has put into it: programs throw texts of any length, and
 * details that are no data.
 */
export function plainError({ code, message, remedy, details, stack }: ErrorRecord): ErrorRecord {
  const text = (given: string) => cut(given, { left: MOST });
  return {
    code,
    message: text(message),
    remedy: text(remedy),
    details: toPlain(details, { left: MOST }) as ErrorRecord['details'],
    ...(stack === undefined ? {} : { stack: text(stack) }),
  };
}

function cut(text: string, room: Room): string {
  const kept = text.slice(0, Math.max(0, room.left));
  room.left -= kept.length;
  return kept.length < text.length ? `${kept}...` : text;
}

/**
 * A copy that consists of plain objects, lists, text, numbers, booleans and null, as far as there is room.
 * What is none of these (an Error, a Map, a function, a cycle) becomes text that names it: error details are
 * for people to read.
 */
function toPlain(value: unknown, room: Room, depth = 0): unknown {
  room.left -= OF_A_VALUE;
  switch (typeof value) {
    case 'string':
      return cut(value, room);
    case 'number':
    case 'boolean':
      return value;
    case 'undefined':
      return undefined;
    case 'object':
      break;
    default:
      return cut(String(value), room);
  }
  if (value === null) return null;
  if (value instanceof Error) return cut(`${value.name}: ${value.message}`, room);
  if (ArrayBuffer.isView(value))
    return cut(`${value.constructor.name} of ${value.byteLength} bytes`, room);
  if (depth === MAX_DEPTH) return '...';
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      if (room.left <= 0) return [...items, '...'];
      items.push(toPlain(item, room, depth + 1) ?? null);
    }
    return items;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return cut(
      value instanceof Date ? String(value.toJSON()) : `[${value.constructor?.name}]`,
      room,
    );
  }
  const fields: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (room.left <= 0) break;
    fields.push([cut(key, room), toPlain(item, room, depth + 1)]);
  }
  return Object.fromEntries(fields);
}
