/**
 * tfjs-node 4.22 calls `util.isNullOrUndefined` and `util.isArray`. Node 23 removed the first, and
 * newer versions warn about what is left; so both are replaced wherever they are.
 *
 * @param util the CommonJS module object of node:util, which tfjs-node sees.
 */
export function restoreRemovedUtilities(util: Record<string, unknown>): void {
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  util.isArray = Array.isArray;
}
