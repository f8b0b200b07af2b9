/**
 * What the stars of a pattern stand for in a name, or undefined if it does not fit. `*` stands for
 * anything without a slash, `**` for anything.
 */
export function matchName(pattern: string, name: string): readonly string[] | undefined {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === '**'
        ? '(.*)'
        : part === '*'
          ? '([^/]*)'
          : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`).exec(name)?.slice(1);
}

export const isPattern = (name: string): boolean => name.includes('*');
