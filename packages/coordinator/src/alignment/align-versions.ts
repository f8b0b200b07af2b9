/** A server that has opened the job, and the version of each chunk of its range; -1 stands for none. */
export interface Holder {
  readonly server: number;
  readonly firstChunk: number;
  readonly versions: readonly number[];
}

/** A server that cannot be used beside another that holds the same chunks. */
export interface Straggler {
  readonly server: number;
  /** Its lowest version. */
  readonly least: number;
  readonly best: { readonly server: number; readonly least: number };
}

/** How far the servers of a job are. */
export interface VersionAlignment {
  readonly stragglers: readonly Straggler[];
  /** The lowest and the highest version of a chunk that any has, once the stragglers are gone. */
  readonly least: number;
  readonly most: number;
}

/**
 * Workers may be at the version that one holder of a range has in full, and cannot go back from it.
 * Another holder, which its coordinator did not live to tell all of it, is of no use then. Of each
 * chunk the lowest version counts that any of the other holders has.
 * @param mostBehind how many versions another may be behind, where workers can go back
 */
export function alignVersions(holders: readonly Holder[], mostBehind = 0): VersionAlignment {
  // With more servers than chunks some hold none, and are not behind in anything.
  const filled = holders
    .filter(({ versions }) => versions.length > 0)
    .map((holder) => ({ ...holder, least: Math.min(...holder.versions) }));
  const stragglers: Straggler[] = [];
  const chunks = new Map<number, number>();
  let most = Number.NEGATIVE_INFINITY;
  for (const { server, firstChunk, versions, least } of filled) {
    const best = filled
      .filter((other) => other.firstChunk === firstChunk)
      .reduce((a, b) => (b.least > a.least ? b : a));
    if (best.least - least > mostBehind || (least < 0 && best.least >= 0)) {
      stragglers.push({ server, least, best: { server: best.server, least: best.least } });
      continue;
    }
    most = Math.max(most, ...versions);
    for (const [at, version] of versions.entries()) {
      const chunk = firstChunk + at;
      chunks.set(chunk, Math.min(chunks.get(chunk) ?? version, version));
    }
  }
  return { stragglers, least: Math.min(...chunks.values()), most };
}
