import { readFileSync } from 'node:fs';

/** The version of Tutti, from this package's manifest. */
export function tuttiVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
