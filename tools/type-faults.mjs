/** Packages are modules: neither what `require` finds nor what TypeScript before exports did counts. */
const IGNORED = ['node10', 'node16-cjs'];

/**
 * What is wrong with the types of a package, a line each.
 *
 * @param {import('@arethetypeswrong/core').CheckResult} result
 * @param {boolean} isModule whether somebody imports the package; the command has no types
 * @returns {string[]}
 */
export function typeFaults(result, isModule) {
  if (!isModule) return [];
  if (!result.types) return ['it has no types'];
  return result.problems
    .filter(({ resolutionKind }) => !IGNORED.includes(resolutionKind))
    .map(({ kind, entrypoint, resolutionKind }) =>
      [kind, entrypoint, resolutionKind].filter((part) => part !== undefined).join(', '),
    );
}
