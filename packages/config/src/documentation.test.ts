import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { settingsTable } from './documentation.js';
import { OTHER_VARIABLES } from './sources.js';

describe('docs/CONFIGURATION.md', () => {
  const text = readFileSync(new URL('../../../docs/CONFIGURATION.md', import.meta.url), 'utf8');

  it('holds the table of settings as it is in the code', () => {
    const lines = text.split('\n').filter((line) => line.startsWith('|'));
    assert.deepEqual(lines.slice(0, settingsTable().length), settingsTable());
  });

  it('names every other variable', () => {
    for (const variable of OTHER_VARIABLES) assert.ok(text.includes(`\`${variable}\``), variable);
  });
});
