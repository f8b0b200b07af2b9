/** Characters that are enough to know a value by. */
const MOST = 200;

/** A value that somebody gave, for an error that names it: whatever it is, this does not throw, nor fill a screen. */
export function showValue(value: unknown): string {
  if (ArrayBuffer.isView(value)) return shownView(value);
  switch (typeof value) {
    case 'function':
      return 'a function';
    case 'bigint':
      return `${value}n`;
    case 'string':
    case 'object':
      try {
        const text = JSON.stringify(value, (_, inner) =>
          ArrayBuffer.isView(inner) ? shownView(inner) : inner,
        );
        if (text === undefined) return 'an object';
        return text.length > MOST ? `${text.slice(0, MOST)}...` : text;
      } catch {
        // It holds itself, or a bigint.
        return Array.isArray(value) ? 'a list' : 'an object';
      }
    default:
      // JSON has no NaN and no infinity.
      return String(value);
  }
}

const shownView = (view: ArrayBufferView) => `${view.constructor.name} of ${view.byteLength} bytes`;
