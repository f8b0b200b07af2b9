/**
 * tfjs-node 4.22 calls `util.isNullOrUndefined` and `util.isArray`, which Node removed in version 23.
 * Puts them back where they are missing; `util` is the CommonJS module object, which tfjs-node sees.
 */
export function restoreRemovedUtilities(util: Record<string, unknown>): void {
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}
