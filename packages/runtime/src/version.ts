import { readFileSync } from 'node:fs';

/** The version of Tutti: that of this package, which all of its packages share. */
export function tuttiVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
