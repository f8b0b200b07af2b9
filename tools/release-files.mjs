/**
 * A package's manifest at another version, with its siblings at the same.
 *
 * @param {Record<string, any>} manifest
 * @param {string} version
 */
export function manifestAt(manifest, version) {
  const at = { ...manifest, ...(manifest.version === undefined ? {} : { version }) };
  for (const kind of ['dependencies', 'peerDependencies', 'devDependencies'])
    if (manifest[kind] !== undefined)
      at[kind] = Object.fromEntries(
        Object.entries(manifest[kind]).map(([name, range]) => [
          name,
          name.startsWith('@tutti/') ? version : range,
        ]),
      );
  return at;
}

const NEXT = '## Next';

/**
 * The changelog when what stands under `## Next` is released.
 *
 * @param {string} text
 * @param {string} version
 * @param {string} date
 * @throws Error if nothing stands there
 */
export function changelogAt(text, version, date) {
  const [before, after] = text.split(`${NEXT}\n`);
  if (after === undefined || !/^\s*[-\w]/.test(after))
    throw Object.assign(new Error(`CHANGELOG.md says nothing under "${NEXT}".`), {
      remedy: 'Write there what this release changes for its users.',
    });
  return `${before}${NEXT}\n\n## ${version} (${date})\n${after}`;
}
