import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGate, type Gate } from './gate.js';
import { type Folder, regressionWith } from './program-files.js';

const GATE = JSON.stringify(fileURLToPath(new URL('./gate.ts', import.meta.url)));

const NEVER_MS = 86_400_000;

/**
 * For runs with a gate: who stands there owes its gradient in silence, for as long as others take, and
 * must not count as hung. To the coordinator's command, and to `runLocal`.
 */
export const HELD_FLAGS: readonly string[] = ['--progress-deadline-ms', String(NEVER_MS)];
export const HELD_DEADLINES = { progressMs: NEVER_MS } as const;

/**
 * A regression whose workers stand at a gate before each step for which `when` holds, an expression of
 * `step`; see `regressionWith` for the rest.
 */
export async function gatedRegression(
  folder: Folder,
  when: string,
  options = '{}',
  statement = '',
): Promise<{ readonly program: string; readonly gate: Gate }> {
  const path = join(folder.path, 'gate');
  const gate = await createGate(path);
  const stand = `if (${when}) await passGate(${JSON.stringify(path)}, step);`;
  const source = regressionWith(`${statement}\n${stand}`, options);
  const program = await folder.program(`import { passGate } from ${GATE};\n${source}`);
  return { program, gate };
}
