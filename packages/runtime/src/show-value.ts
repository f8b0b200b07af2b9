/** A value that somebody gave, for an error that names it: whatever it is, this does not throw. */
export function showValue(value: unknown): string {
  switch (typeof value) {
    case 'function':
      return 'a function';
    case 'bigint':
      return `${value}n`;
    case 'string':
    case 'object':
      try {
        return JSON.stringify(value) ?? 'an object';
      } catch {
        // It holds itself, or a bigint.
        return Array.isArray(value) ? 'a list' : 'an object';
      }
    default:
      // JSON has no NaN and no infinity.
      return String(value);
  }
}
