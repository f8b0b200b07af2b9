/**
 * The metadata of a safetensors file that has frozen weights, too: tools that load the file need them, and a run
 * that begins with it has them from its program.
 */
export function frozenNames(frozen: readonly { readonly name: string }[]): {
  readonly frozen?: string;
} {
  if (frozen.length === 0) return {};
  return { frozen: JSON.stringify(frozen.map(({ name }) => name)) };
}

/** Their names, as the metadata of such a file says them; none for a file of another kind. */
export function frozenIn({ frozen = '[]' }: Readonly<Record<string, string>>): ReadonlySet<string> {
  try {
    const names: unknown = JSON.parse(frozen);
    return new Set(Array.isArray(names) ? names : []);
  } catch {
    return new Set();
  }
}
